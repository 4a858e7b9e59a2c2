"""Which parameters are sent. The default is: all of them, also those that we have never heard of.

Taken out are, in this order: what the caller lists in additional_drop_params, and what the provider documents as refused
(an error, or silently with drop_params). allowed_openai_params overrules the second.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from litellm._log import log
from litellm.exceptions import UnsupportedParamsError
from litellm.types.params import ALWAYS
from litellm.wire.protocol import Body


class Policy(msgspec.Struct, frozen=True):
    """What the settings and the call say about parameters."""

    drop_params: bool = False
    additional_drop_params: tuple[str, ...] = ()
    allowed_openai_params: tuple[str, ...] = ()

    def joined(self, other: Policy) -> Policy:
        """Both together: what either drops is dropped, what either allows is allowed."""
        if other is KEEP_ALL:
            return self
        return Policy(
            self.drop_params or other.drop_params,
            self.additional_drop_params + other.additional_drop_params,
            self.allowed_openai_params + other.allowed_openai_params,
        )


KEEP_ALL = Policy()


def with_defaults(defaults: Mapping[str, Any], body: Body) -> Body:
    """The deployment's own fields where the request does not have them; tools of both, as LiteLLM has it.

    >>> with_defaults({"temperature": 0, "tools": [1]}, {"temperature": 1, "tools": [2]})
    {'temperature': 1, 'tools': [1, 2]}
    """
    both = {**defaults, **body}
    ours, theirs = defaults.get("tools"), body.get("tools")
    if isinstance(ours, list) and isinstance(theirs, list):
        both["tools"] = [*ours, *theirs]
    return both


def apply(policy: Policy, unsupported: Iterable[str], body: Body, provider: str, model: str) -> Body:
    """`body` without what must not be sent. Raises UnsupportedParamsError, which names the three ways out."""
    for path in policy.additional_drop_params:
        body = without(body, _steps(path))
    refused = [
        name for name in unsupported if name in body and name not in ALWAYS and name not in policy.allowed_openai_params
    ]
    if refused:
        if not policy.drop_params:
            names = ", ".join(refused)
            raise UnsupportedParamsError(
                f"{provider} does not take {names} (model {model}). Leave it out; or set drop_params=True (here, or "
                f"litellm.drop_params) to drop it silently; or allowed_openai_params={refused!r} to send it anyway",
                llm_provider=provider,
                model=model,
                param=refused[0],
            )
        log.debug("drop_params: %s are not sent to %s/%s", refused, provider, model)
        body = {name: value for name, value in body.items() if name not in refused}
    return body


_STEP = re.compile(r"([^.\[\]]+)|\[(\*|-?\d+)\]")


def _steps(path: str) -> list[str | int]:
    r"""Split "tools[*].function.strict" into "tools", "*", "function", "strict"."""
    steps: list[str | int] = []
    for name, index in _STEP.findall(path):
        steps.append(name or (index if index == "*" else int(index)))
    return steps


def without(value: Any, steps: list[str | int]) -> Any:
    """`value` without what lies at the end of `steps`; the original is not touched.

    >>> without({"tools": [{"x": 1, "y": 2}]}, ["tools", "*", "x"])
    {'tools': [{'y': 2}]}
    """
    if not steps:
        return value
    step, *rest = steps
    if isinstance(value, dict) and step in value:
        if not rest:
            return {name: item for name, item in value.items() if name != step}
        return {**value, step: without(value[step], rest)}
    if isinstance(value, list):
        if step == "*":
            return [without(item, rest) for item in value] if rest else []
        if isinstance(step, int) and -len(value) <= step < len(value):
            at = step % len(value)
            changed = [without(value[at], rest)] if rest else []
            return [*value[:at], *changed, *value[at + 1 :]]
    return value
