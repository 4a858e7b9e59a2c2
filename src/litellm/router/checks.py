"""Pre-call checks: the part of a group that can take a call. Results are kept with the group: it takes the same
time for ten deployments as for ten thousand."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

import msgspec

from litellm._numbers import truthy
from litellm.catalog.facts import Facts, facts
from litellm.exceptions import BadRequestError, ContextWindowExceededError, UnsupportedParamsError
from litellm.router.deployments import Deployment
from litellm.router.pool import Group
from litellm.router.regions import Region, region_of
from litellm.tokens.count import longest, token_counter
from litellm.wire.protocol import Body


def in_region(group: Group, region: Region) -> Group:
    """The part of `group` that is in `region`. A deployment that does not say where it is counts as elsewhere: where data
    goes is not a matter of luck.

    Raises BadRequestError when none is.
    """
    part = group.part((in_region, region), lambda members: [each for each in members if region_of(each) == region])
    if not part.members:
        raise BadRequestError(
            f"no deployment of {group.name} is in the region {region!r} (allowed_model_region): ask for another model, or "
            f"set region_name: {region} in the litellm_params of a deployment that is there",
            group.name,
            param="allowed_model_region",
        )
    return part


def allowed_by_hooks(group: Group, allowed: frozenset[str]) -> Group:
    """The part of `group` that filters of the user's have left, by their ids. Raises BadRequestError when that is none."""
    part = group.part((allowed_by_hooks, allowed), lambda members: [each for each in members if each.id in allowed])
    if not part.members:
        text = f"no deployment of {group.name} may be used for this request (async_filter_deployments of a callback)"
        raise BadRequestError(text, group.name)
    return part


def capable(group: Group, body: Body, tokens: int | None = None) -> Group:
    """The part of `group` whose models can do what a request asks: answer by a JSON schema, and read the whole prompt. Any
    of unknown abilities counts as able. tokens: those of the prompt, where they have been counted.

    Raises UnsupportedParamsError when none can the first; ContextWindowExceededError when all are too small, which
    context_window_fallbacks are for.
    """
    part = _formatting(group, body)
    if tokens is None:
        tokens = 0 if surely_fits(part, body) else count(part, body)
    return with_room_for(part, tokens)


def at_one_address(group: Group) -> Group:
    """The part of `group` at one address, which a client's key is meant for: that of its first deployment of the lowest
    order, at that deployment's provider."""
    home = group.once(_first_address)
    return group.part((at_one_address, home), lambda members: [each for each in members if _address(each) == home])


def _first_address(group: Group) -> tuple[str, str | None]:
    return _address(min(group.members, key=lambda each: each.order))


def _address(deployment: Deployment) -> tuple[str, str | None]:
    assert deployment.target is not None, "a group's members have their targets"  # noqa: S101
    return deployment.target.provider.name, deployment.target.api_base


# --- answers by a schema -------------------------------------------------------------------------------------------------


def _formatting(group: Group, body: Body) -> Group:
    wanted = body.get("response_format")
    if not isinstance(wanted, Mapping) or wanted.get("type") != "json_schema":
        return group
    part = group.part(takes_schemas, lambda members: [each for each in members if takes_schemas(each)])
    if not part.members:
        raise UnsupportedParamsError(
            f"no deployment of {group.name} answers by a JSON schema (response_format, enable_pre_call_checks): ask for "
            '{"type": "json_object"}, or for another model; if one of them does, set supports_response_schema: true in its '
            "model_info",
            model=group.name,
            param="response_format",
        )
    return part


def takes_schemas(deployment: Deployment) -> bool:
    """Whether it may answer by a JSON schema: as its model_info says, else unless its model is known not to."""
    stated = deployment.info.get("supports_response_schema")
    if stated is not None:
        return truthy(stated)
    known = _facts_of(deployment)
    return known is None or "response_schema" not in known.lacks


# --- room for the prompt -------------------------------------------------------------------------------------------------


def surely_fits(group: Group, body: Body) -> bool:
    """Whether a prompt is so short that every model of the group can read it, without counting: no token is shorter than a
    byte. Counting may take long; a flow does it in a thread."""
    messages, limits = body.get("messages"), group.once(_prompt_limits)
    return not messages or not limits.sizes or longest(messages) <= limits.sizes[0]


def count(group: Group, body: Body) -> int:
    """The tokens of a prompt. 0 for what cannot be counted: that is for the upstream to judge."""
    return token_counter(model=group.members[0].model, messages=body.get("messages"), default_token_count=0)


def with_room_for(group: Group, tokens: int) -> Group:
    limits = group.once(_prompt_limits)
    too_small = bisect_left(limits.sizes, tokens)
    if not too_small:
        return group
    part = group.part((with_room_for, too_small), lambda members: limits.with_room_for(tokens, members))
    if not part.members:
        text = f"the prompt has {tokens} tokens; the largest deployment of {group.name} takes {limits.sizes[-1]}"
        raise ContextWindowExceededError(f"{text} (enable_pre_call_checks)", group.name)
    return part


class _PromptLimits(msgspec.Struct, frozen=True):
    """The tokens that prompts may have, by the deployment's id, where that is known; and each of these sizes once, the
    least first."""

    known: Mapping[str, int]
    sizes: Sequence[int]

    def with_room_for(self, tokens: int, members: Sequence[Deployment]) -> Sequence[Deployment]:
        return [each for each in members if tokens <= self.known.get(each.id, tokens)]


def _prompt_limits(group: Group) -> _PromptLimits:
    known = {each.id: tokens for each in group.members if (tokens := max_prompt_tokens(each)) is not None}
    return _PromptLimits(known, sorted(set(known.values())))


def max_prompt_tokens(deployment: Deployment) -> int | None:
    """The tokens that a prompt may have there: as its model_info says, or as is known of the model."""
    if deployment.max_input_tokens is not None:
        return deployment.max_input_tokens
    known = _facts_of(deployment)
    return None if known is None else known.max_input_tokens


def _facts_of(deployment: Deployment) -> Facts | None:
    target = deployment.target
    return None if target is None else facts(deployment.base_model or target.model, target.provider.name)
