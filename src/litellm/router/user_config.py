"""`user_config`: a whole Router that a client of the gateway sends along with its request.

It is a schema of its own and lists what may be said. What it has no field for cannot be said: no callbacks, files, caches,
Redis or plug-ins. It inherits nothing: keys and addresses are only those in it, its hosts are reached as the caller of
`read_user_config` says, and no text stands for something in the server's environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any

import msgspec

from litellm.exceptions import BadRequestError
from litellm.net.network import Network
from litellm.net.url import fault_in_address
from litellm.router.deployments import Deployment, DeploymentDefaults, deployments_of
from litellm.router.routing import Routing
from litellm.router.settings import MAX_FALLBACKS, ROUTING_WORDS, RoutingSettings
from litellm.router.state import State
from litellm.router.strategies import STRATEGIES
from litellm.router.tally import MAX_LATENCIES
from litellm.types.params import SAMPLING
from litellm.types.router_words import FAILS_FIELDS, RETRY_FIELDS, Kind

MAX_MODELS = 100
MAX_RETRIES = 10
MAX_DEPTH = 64  # levels of lists and objects

Count = Annotated[int, msgspec.Meta(ge=0)]
Retries = Annotated[int, msgspec.Meta(ge=0, le=MAX_RETRIES)]
Amount = Annotated[float, msgspec.Meta(ge=0)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=6000)]
Cooldown = Annotated[float, msgspec.Meta(ge=0, le=6000)]  # seconds
Pause = Annotated[float, msgspec.Meta(ge=0, le=600)]  # seconds
Table = list[dict[str, list[str]]]

_PARAMS: list[tuple[str, Any]] = [
    ("api_key", str | None), ("api_base", str | None), ("base_url", str | None), ("api_version", str | None),
    ("organization", str | None), ("custom_llm_provider", str | None), ("timeout", Seconds | None),
    ("stream_timeout", Seconds | None), ("max_retries", Retries | None), ("rpm", Count | None), ("tpm", Count | None),
    ("max_parallel_requests", Count | None), ("weight", Amount | None), ("order", int | None),
    ("tags", list[str] | None), ("region_name", str | None), ("cooldown_time", Cooldown | None),
    ("input_cost_per_token", Amount | None), ("output_cost_per_token", Amount | None),
    *((name, Any) for name in SAMPLING),
]  # fmt: skip
Params = msgspec.defstruct(
    "litellm_params", [("model", str), *((name, kind, None) for name, kind in _PARAMS)], forbid_unknown_fields=True
)
Policy = msgspec.defstruct(
    "retry_policy", [(name, Retries | None, None) for name in sorted(RETRY_FIELDS)], forbid_unknown_fields=True
)
FailsPolicy = msgspec.defstruct(
    "allowed_fails_policy", [(name, Count | None, None) for name in sorted(FAILS_FIELDS)], forbid_unknown_fields=True
)


class StrategyArgs(msgspec.Struct, forbid_unknown_fields=True):
    """routing_strategy_args."""

    ttl: Cooldown | None = None
    lowest_latency_buffer: Amount | None = None
    max_latency_list_size: Annotated[int, msgspec.Meta(ge=1, le=MAX_LATENCIES)] | None = None


class Info(msgspec.Struct, forbid_unknown_fields=True):
    """model_info."""

    id: str | None = None
    base_model: str | None = None
    max_input_tokens: Count | None = None
    supports_response_schema: bool | None = None
    mode: str | None = None


class Entry(msgspec.Struct, forbid_unknown_fields=True):
    """One entry of model_list."""

    # With one `*` at the most: patterns with several take long to compare, and a client writes both sides.
    model_name: Annotated[str, msgspec.Meta(min_length=1, max_length=512, pattern=r"^[^*]*\*?[^*]*$")]
    litellm_params: Params  # type: ignore[valid-type]  # made by defstruct
    rpm: Count | None = None
    tpm: Count | None = None
    model_info: Info | None = None


# How a client may say a word, by its kind: within bounds.
_TYPES: Mapping[Kind, Any] = {
    "retries": Retries | None, "count": Count | None, "seconds": Seconds | None, "pause": Pause,
    "cooldown": Cooldown | None, "depth": Annotated[int, msgspec.Meta(ge=0, le=MAX_FALLBACKS)] | None, "flag": bool,
    "fallbacks": Table, "targets": list[str], "strategy": str, "strategy_args": StrategyArgs | None,
    "retry_policy": Policy | None, "fails_policy": FailsPolicy | None, "aliases": dict[str, str],
}  # fmt: skip
_EMPTY: Mapping[Kind, Any] = {"fallbacks": [], "targets": [], "aliases": {}}  # where nothing is said
_WORDS = {name: word for name, word in ROUTING_WORDS.items() if word.by_clients}
# All that a client may say.
UserConfig = msgspec.defstruct(
    "user_config",
    [
        ("model_list", Annotated[list[Entry], msgspec.Meta(min_length=1, max_length=MAX_MODELS)]),
        *(
            (name, _TYPES[word.kind], _EMPTY.get(word.kind) if word.default is None else word.default)
            for name, word in _WORDS.items()
        ),
    ],
    forbid_unknown_fields=True,
)


_FIELDS = frozenset({
    *UserConfig.__struct_fields__, *Entry.__struct_fields__, *Info.__struct_fields__,
    *StrategyArgs.__struct_fields__, *RETRY_FIELDS, *FAILS_FIELDS, *(name for name, _ in _PARAMS), "model",
})  # fmt: skip
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")


def read_user_config(config: Mapping[str, Any], *, network: Network, state: State | None = None) -> Routing:
    """The Routing that `config` describes. network: how its hosts are reached. state: what is known of its deployments.

    Raises BadRequestError that names the path of what is wrong with it.

    >>> from litellm.net.network import DIRECT
    >>> mine = {"model_list": [{"model_name": "m", "litellm_params": {"model": "groq/llama3", "api_key": "sk-mine"}}]}
    >>> read_user_config(mine, network=DIRECT).pool.names()
    ['m']
    """
    _refuse_references(config)
    try:
        parsed: Any = msgspec.convert(_without_nulls(config), UserConfig)
    except msgspec.ValidationError as error:
        raise _wrong(_advised(str(error))) from None
    routing = Routing(settings=_settings(parsed), state=state)
    defaults = DeploymentDefaults(environ={}, network=network, quiet=True)
    made: list[Deployment] = []
    for at, entry in enumerate(parsed.model_list):
        path = f"$.model_list[{at}].litellm_params"
        _check_access(entry.litellm_params, path)
        try:
            made += deployments_of(_plain(entry), defaults)
        except BadRequestError as error:
            raise _wrong(f"{error.text} - at `{path}`") from None
    routing.replace(made)
    _check_names(parsed, routing)
    return routing


def _settings(parsed: Any) -> RoutingSettings:
    if parsed.routing_strategy not in STRATEGIES:
        raise _wrong(f"routing_strategy must be one of {', '.join(STRATEGIES)} - at `$.routing_strategy`")
    words = {name: _dict(getattr(parsed, name)) for name in parsed.__struct_fields__ if name != "model_list"}
    return RoutingSettings.of(**words)


def _dict(value: Any) -> Any:
    """A struct as a dict, and everything else as it is."""
    return msgspec.structs.asdict(value) if isinstance(value, msgspec.Struct) else value


def _plain(entry: Entry) -> dict[str, Any]:
    return {
        "model_name": entry.model_name,
        "litellm_params": msgspec.structs.asdict(entry.litellm_params),
        "model_info": _dict(entry.model_info) or {},
        **{name: getattr(entry, name) for name in ("rpm", "tpm") if getattr(entry, name) is not None},
    }


def _check_access(params: Any, path: str) -> None:
    """An address needs a key for it in the same place: there is none to inherit."""
    if (params.api_base or params.base_url) and not params.api_key:
        raise _wrong(f"api_base needs the api_key for it in the same litellm_params - at `{path}`")
    for name in ("api_base", "base_url"):
        base = getattr(params, name)
        if base and (fault := fault_in_address(base)):
            raise _wrong(f"{name} {fault} - at `{path}`")


def _check_names(parsed: Any, routing: Routing) -> None:
    """Fallbacks and aliases lead somewhere."""
    tables = [*parsed.fallbacks, *parsed.context_window_fallbacks, *parsed.content_policy_fallbacks]
    wanted = [name for table in tables for targets in table.values() for name in targets]
    for name in (*wanted, *parsed.default_fallbacks, *parsed.model_group_alias.values()):
        if routing.pool.find(name) is None:
            raise _wrong(f"there is no model_name {name[:100]!r} in model_list to fall back on or to be an alias of")


def _refuse_references(config: Mapping[str, Any]) -> None:
    """No text in it refers to the environment, and it ends before our stack does."""
    pending: list[tuple[str, Any, int]] = [("$", config, 0)]
    while pending:
        path, value, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise _wrong(f"nested more than {MAX_DEPTH} deep - at `{path[:100]}…`")
        if isinstance(value, str) and value.startswith("os.environ/"):
            raise _wrong(f"os.environ/… is not looked up for a client: send the value itself - at `{path}`")
        if isinstance(value, dict):
            pending += [(f"{path}.{name}", item, depth + 1) for name, item in value.items()]
        elif isinstance(value, list):
            pending += [(f"{path}[{at}]", item, depth + 1) for at, item in enumerate(value)]


def _without_nulls(value: Any) -> Any:
    """A copy in which a field that is null is not there, as in a RouterConfig that was dumped. What goes into requests'
    bodies is left as it is: there a null may say something."""
    match value:
        case dict():
            parsed = ((name, item) for name, item in value.items() if item is not None)
            return {name: item if name in SAMPLING else _without_nulls(item) for name, item in parsed}
        case list():
            return [_without_nulls(item) for item in value]
    return value


def _advised(text: str) -> str:
    """msgspec's sentence, with the nearest name for one that it does not know."""
    unknown = _UNKNOWN.search(text)
    near = get_close_matches(unknown[1], _FIELDS, 1) if unknown else []
    if unknown is None or not near:
        return text
    advice = "it has another place" if near[0] == unknown[1] else f"did you mean {near[0]}?"
    return text.replace(f"`{unknown[1]}`", f"`{unknown[1]}` ({advice})", 1)


def _wrong(text: str) -> BadRequestError:
    return BadRequestError(text, param="user_config")
