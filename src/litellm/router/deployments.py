"""From an entry of a model_list to a Deployment that can be called. The one way for Router(...), the config file and a
client's user_config; what they have in common and where they differ is in `DeploymentDefaults`."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import msgspec

from litellm import _json
from litellm._credentials import names_credential
from litellm._log import log
from litellm._numbers import parse_int, parse_number, truthy
from litellm.exceptions import BadRequestError
from litellm.net.messages import Timeouts
from litellm.net.network import DIRECT, Network
from litellm.net.sealed import Sealed
from litellm.providers.backend import Mock, Unusable
from litellm.providers.credentials import for_owner
from litellm.providers.policy import KEEP_ALL, Policy
from litellm.providers.rekey import with_mock
from litellm.providers.resolve import resolve_or_unusable
from litellm.providers.target import NO_DEFAULTS, Defaults, EndpointSpec, Target
from litellm.router.tally import NO_LIMITS, Limits
from litellm.types.params import ALWAYS, SAMPLING, is_ours

_REFERENCE = "os.environ/"


class DeploymentDefaults(Sealed, msgspec.Struct, frozen=True, kw_only=True):
    """Defaults of deployments, for what their entries leave open.

    environ: where keys and bases are looked up. params: litellm_params that hold for all. network: how to reach them;
    None: as their ssl_verify says, and else `ssl_verify`. headers: sent with every request. quiet: do not log which of them
    lack their key.
    """

    environ: Mapping[str, str] = os.environ
    defaults: Defaults = NO_DEFAULTS
    params: Mapping[str, Any] = {}
    timeout: Any = None
    drop_params: bool = False
    network: Network | None = None
    ssl_verify: Any = None
    ssl_certificate: str | None = None
    force_ipv4: bool = False
    headers: Mapping[str, str] = {}
    max_parallel_requests: int | None = None
    quiet: bool = False


class Deployment(Sealed, msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint behind a name. target: where to send; None for a wildcard, whose `make` builds one for each name.

    share: its part of the group's traffic. cooldown_time: seconds, or None for the Router's. prices: dollars for an
    input and an output token. params, info: the entry, with all that was looked up in it.
    """

    name: str
    model: str
    id: str
    make: Callable[[str], Target]
    target: Target | None = None
    weight: float | None = None
    share: float = 1.0
    order: int = 0
    limits: Limits = NO_LIMITS
    tags: frozenset[str] = frozenset()
    cooldown_time: float | None = None
    prices: tuple[float | None, float | None] = (None, None)
    max_input_tokens: int | None = None
    base_model: str | None = None
    params: Mapping[str, Any] = {}
    info: Mapping[str, Any] = {}

    @property
    def wild(self) -> bool:
        """Whether it serves many names."""
        return "*" in self.name

    def entry(self) -> dict[str, Any]:
        """As it stands in a model_list, with its id."""
        return {
            "model_name": self.name,
            "litellm_params": dict(self.params),
            "model_info": {**self.info, "id": self.id},
        }


def deployments_of(entry: Mapping[str, Any], inherited: DeploymentDefaults) -> Iterator[Deployment]:
    """The deployments of one entry: one, or one for each of its organizations. `entry` is not modified. Of several, the
    first has the id that the entry states, "mine", the second "mine:2", and so on.

    Raises BadRequestError and its kind for what could never be called, ValueError for what should be a number; not for a
    key that is missing, which concerns calls of this model alone.
    """
    params = {name: value for name, value in entry["litellm_params"].items() if value is not None}
    params = {**inherited.params, **params}
    organization = params.get("organization")
    if not isinstance(organization, list | tuple):
        yield _deployment(entry, params, inherited)
        return
    for number, each in enumerate(organization, 1):
        yield _deployment(_numbered(entry, number), params | {"organization": each}, inherited)


def _numbered(entry: Mapping[str, Any], number: int) -> Mapping[str, Any]:
    info = entry.get("model_info") or {}
    if number == 1 or info.get("id") is None:
        return entry
    return {**entry, "model_info": {**info, "id": f"{info['id']}:{number}"}}


def _deployment(entry: Mapping[str, Any], params: dict[str, Any], inherited: DeploymentDefaults) -> Deployment:
    name, model = entry["model_name"], params.get("model")
    if not isinstance(model, str) or not model:
        raise BadRequestError("litellm_params needs a model, such as openai/gpt-4o", param="model")
    info = {key: value for key, value in (entry.get("model_info") or {}).items() if value is not None}
    deployment_id = str(info["id"]) if "id" in info else stable_id(name, params)
    deployment = Deployment(
        name=name,
        model=model,
        id=deployment_id,
        make=partial(_target, _spec(params, info, inherited), inherited, _made(name, deployment_id, params, inherited)),
        weight=parse_number("weight", params.get("weight")),
        order=parse_int("order", params.get("order"), least=-math.inf) or 0,
        limits=_limits(entry, params, inherited),
        tags=frozenset(params.get("tags", ())),
        cooldown_time=parse_number("cooldown_time", params.get("cooldown_time")),
        prices=(_price(params, "input_cost_per_token"), _price(params, "output_cost_per_token")),
        max_input_tokens=parse_int("max_input_tokens", info.get("max_input_tokens")),
        base_model=info.get("base_model"),
        params=params,
        info=info,
    )
    if deployment.wild and "*" in model:
        return deployment
    return msgspec.structs.replace(deployment, target=deployment.make(model))


def _limits(entry: Mapping[str, Any], params: Mapping[str, Any], inherited: DeploymentDefaults) -> Limits:
    # In the entry itself is their older place.
    rpm, tpm = (parse_int(name, params.get(name, entry.get(name))) for name in ("rpm", "tpm"))
    parallel = parse_int("max_parallel_requests", params.get("max_parallel_requests", inherited.max_parallel_requests))
    return NO_LIMITS if rpm is tpm is parallel is None else Limits(rpm, tpm, parallel)


def _price(params: Mapping[str, Any], name: str) -> float | None:
    return parse_number(name, params.get(name))


def _spec(params: dict[str, Any], info: Mapping[str, Any], inherited: DeploymentDefaults) -> EndpointSpec:
    policy = Policy(
        truthy(params.get("drop_params", inherited.drop_params)),
        tuple(params.get("additional_drop_params", ())),
        tuple(params.get("allowed_openai_params", ())),
    )
    return EndpointSpec(
        model="",
        custom_llm_provider=params.get("custom_llm_provider"),
        api_base=params.get("base_url") or params.get("api_base"),
        api_key=params.get("api_key"),
        api_version=params.get("api_version"),
        organization=params.get("organization"),
        extra_headers={**inherited.headers, **params.get("headers", {}), **params.get("extra_headers", {})},
        network=_network(params, inherited),
        policy=KEEP_ALL if policy == KEEP_ALL else policy,  # the very one, by which callers know it
        supports_system_message=params.get("supports_system_message", True),
        params=params | {"model_info": dict(info)},
        environ=inherited.environ,
    )


def _network(params: Mapping[str, Any], inherited: DeploymentDefaults) -> Network:
    if inherited.network is not None:
        return inherited.network
    verify = params.get("ssl_verify", inherited.ssl_verify)
    network = Network.of(verify, params.get("ssl_certificate", inherited.ssl_certificate), inherited.force_ipv4)
    return DIRECT if network == DIRECT else network  # the very one, for which nothing is checked beforehand


def _made(name: str, deployment_id: str, params: Mapping[str, Any], inherited: DeploymentDefaults) -> dict[str, Any]:
    """What is set on a deployment's target besides what `resolve` makes."""
    timeouts = stream_timeouts = None
    if "timeout" in params or "stream_timeout" in params:
        total = params.get("timeout", inherited.timeout)
        try:
            timeouts, stream_timeouts = Timeouts.of(total), Timeouts.of(total, params.get("stream_timeout"))
        except ValueError as error:
            raise BadRequestError(str(error), params["model"], param="timeout") from None
    return {
        "id": deployment_id,
        "group": name,
        "timeouts": timeouts,
        "stream_timeouts": stream_timeouts,
        "max_retries": parse_int("max_retries", params.get("max_retries", params.get("num_retries"))),
        "defaults": {key: value for key, value in params.items() if _is_default(key)} | params.get("extra_body", {}),
    }


def _is_default(name: str) -> bool:
    """Whether a deployment's parameter goes into its requests' bodies: OpenAI's, and those that we do not know. What
    steers us, belongs to another provider's access, or may be a credential does not; nor does the model, which a target has
    for itself."""
    if name in SAMPLING:
        return name not in ALWAYS
    return not (name == "model" or is_ours(name) or name.startswith("litellm_") or names_credential(name))


def _target(spec: EndpointSpec, inherited: DeploymentDefaults, made: Mapping[str, Any], model: str) -> Target:
    named = {**spec.params, "model": model}  # which a wildcard's entry does not say
    pattern, spec = spec.params["model"], msgspec.structs.replace(spec, model=model, params=named)
    if inherited.environ and _leaves_the_provider_open(
        pattern, spec
    ):  # without, it is a client's own key for its own names
        spec = for_owner(spec, inherited.defaults)
    target = resolve_or_unusable(spec, inherited.defaults)
    if "mock_response" in spec.params:
        mock = Mock(spec.params["mock_response"], delay=spec.params.get("mock_delay", 0.0))
        target = with_mock(target, mock)
    if isinstance(target.backend, Unusable) and not inherited.quiet:
        log.warning("%s: %s", made["group"], target.backend.error.message)
    return msgspec.structs.replace(target, **made, cacheable_head=True, others={})


def _leaves_the_provider_open(pattern: str, spec: EndpointSpec) -> bool:
    """Whether the requested name decides which provider is meant."""
    return "*" in pattern.partition("/")[0] and spec.custom_llm_provider is None


def stable_id(name: str, params: Mapping[str, Any]) -> str:
    """The same for the same deployment in every worker and after a restart. A digest, so nothing in it can be read."""
    identity = {key: repr(value) for key, value in sorted(params.items()) if not _by_address(value)}
    return hashlib.sha256(name.encode() + _json.encode(identity)).hexdigest()


def _by_address(value: Any) -> bool:
    """Whether Python tells it from others only by where it lies in memory: a function, an SSLContext."""
    kind: Any = type(value)
    return callable(value) or kind.__repr__ is object.__repr__


def expand_env(value: Any, environ: Mapping[str, str] = os.environ) -> Any:
    """A copy of `value` in which each text "os.environ/NAME" is what that variable holds.

    Raises ValueError for a variable that is not set: with no key in its place, another one might be sent.

    >>> expand_env({"api_key": "os.environ/MY_KEY"}, {"MY_KEY": "sk-1"})
    {'api_key': 'sk-1'}
    """
    match value:
        case str() if value.startswith(_REFERENCE):
            name = value.removeprefix(_REFERENCE)
            if name not in environ:
                raise ValueError(f"environment variable {name or '(no name)'} is not set (wanted by {value!r})")
            return environ[name]
        case dict():
            return {key: expand_env(item, environ) for key, item in value.items()}
        case list() | tuple():
            return [expand_env(item, environ) for item in value]
    return value
