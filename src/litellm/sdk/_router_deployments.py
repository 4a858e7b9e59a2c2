"""The deployments of a Router: listed, added, changed, taken away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import msgspec
from pydantic import BaseModel

from litellm._credentials import MASK, mask, names_credential
from litellm._log import log
from litellm.catalog.facts import Facts, facts
from litellm.providers.target import Target
from litellm.router.checks import max_prompt_tokens
from litellm.router.deployments import Deployment, DeploymentDefaults, deployments_of, expand_env
from litellm.router.pool import Group
from litellm.router.routing import Routing
from litellm.sdk._settings import read_settings
from litellm.types.router import Deployment as DeploymentShape
from litellm.types.router import ModelGroupInfo


def plain(entry: Any) -> dict[str, Any]:
    """An entry of a model_list as a dict of our own, with its os.environ/NAME looked up.

    Raises ValueError for what is no entry and for a variable that is not set.
    """
    values = entry.model_dump(exclude_none=True) if isinstance(entry, BaseModel) else entry
    if not isinstance(values, Mapping) or not isinstance(values.get("model_name"), str):
        raise ValueError(  # noqa: TRY004 - what is in a list is a value
            "an entry of model_list needs a model_name, which is a text, and litellm_params"
        )
    if not isinstance(values.get("litellm_params"), Mapping):
        raise ValueError(  # noqa: TRY004
            f"the entry {values['model_name']!r} of model_list needs litellm_params, with a model in it"
        )
    return cast("dict[str, Any]", expand_env(dict(values)))


class Deployments:
    """What a Router has of its deployments. A call that is under way keeps the deployments that it began with.

    words: the Router's settings, as they were said, which may change. params, max_parallel_requests: what deployments take
    where they do not say it themselves.
    """

    def __init__(
        self, routing: Routing, words: Mapping[str, Any], params: Mapping[str, Any], max_parallel_requests: int | None
    ) -> None:
        self._routing = routing
        self._words = words
        self._params = params
        self._max_parallel_requests = max_parallel_requests

    def replace(self, entries: Iterable[Any]) -> None:
        """Serve these and no others. Raises ValueError and BadRequestError as Router.set_model_list does."""
        self._routing.replace(self._made(entries))
        self.warn_of_dangling_fallbacks()

    def warn_of_dangling_fallbacks(self) -> None:
        """Log the names in fallbacks that are not served."""
        for name in self._routing.dangling_fallbacks() if self._routing.pool.by_id else ():
            log.warning("there is no %r in model_list to fall back on", name[:200])

    def entries(self, name: str | None = None) -> list[dict[str, Any]]:
        """Those of a group or alias, or all of them, as entries with their ids."""
        pool = self._routing.pool
        if name is None:
            return [each.entry() for each in pool.by_id.values()]
        group = pool.aliases.get(name, (name, False))[0]
        return [each.entry() for each in pool.by_name.get(group, ())]

    def find(self, model_id: str) -> DeploymentShape | None:
        """The deployment with that id."""
        found = self._routing.pool.by_id.get(model_id)
        return None if found is None else DeploymentShape(**found.entry())

    def add(self, entry: Any) -> DeploymentShape | None:
        """Serve one more. None, and no change, if there is one with its id."""
        with self._routing.changing:
            made = self._made([entry])
            if any(each.id in self._routing.pool.by_id for each in made):
                return None
            self._routing.add(*made)
        return DeploymentShape(**made[0].entry())

    def upsert(self, entry: Any) -> DeploymentShape | None:
        """Serve this one in place of the one with its id, if there is one. None if it is the same already."""
        with self._routing.changing:
            made = self._made([entry])
            known = self._routing.pool.by_id
            if all(each.id in known and known[each.id].entry() == each.entry() for each in made):
                return None
            self._routing.add(*made)
        return DeploymentShape(**made[0].entry())

    def remove(self, model_id: str) -> DeploymentShape | None:
        """Serve the one with that id no longer. None if there is none."""
        with self._routing.changing:
            found = self.find(model_id)
            self._routing.remove(model_id)
        return found

    def adapter(self, words: Mapping[str, Any]) -> Callable[[Deployment], Target]:
        """How a call that brings its own key, address or headers changes a deployment's target."""

        def adapt(deployment: Deployment) -> Target:
            entry = deployment.entry()
            target = deployment.target
            if (
                deployment.wild and target is not None
            ):  # with no more of the entry's access than belongs to its provider
                entry["litellm_params"] = {name: value for name, value in target.params.items() if name != "model_info"}
            entry["litellm_params"] |= words
            (changed,) = deployments_of(entry, self._defaults())
            made = changed.target or changed.make(changed.model)
            return msgspec.structs.replace(made, id=deployment.id, others={})

        return adapt

    def _made(self, entries: Iterable[Any]) -> list[Deployment]:
        defaults = self._defaults()
        made: list[Deployment] = []
        named: set[str] = set()
        for entry in map(plain, entries):
            values = entry.get("model_info") or {}
            if "id" in values and str(values["id"]) in named:
                raise ValueError(f"two entries of model_list have the id {values['id']!r}")
            named.add(str(values.get("id")))
            try:
                made += deployments_of(entry, defaults)
            except ValueError as error:
                raise ValueError(f"the entry {entry['model_name']!r} of model_list: {error}") from None
        return made

    def _defaults(self) -> DeploymentDefaults:
        settings = read_settings()
        return DeploymentDefaults(
            defaults=settings.defaults,
            params=self._params,
            timeout=self._words.get("timeout", settings.request_timeout),
            ssl_verify=settings.ssl_verify,
            ssl_certificate=settings.ssl_certificate,
            force_ipv4=settings.force_ipv4,
            headers=settings.headers,
            max_parallel_requests=self._max_parallel_requests,
        )


def group_info(name: str, group: Group) -> ModelGroupInfo:
    """What is known of a group's models."""
    members = [(each, each.target) for each in group.members if each.target is not None]
    known = [facts(each.base_model or target.model, target.provider.name) for each, target in members]
    found = [each for each in known if each is not None]
    prices = [_prices(each, about) for (each, _), about in zip(members, known, strict=True)]
    modes = [each.info.get("mode") or (about and about.mode) for (each, _), about in zip(members, known, strict=True)]
    limits = [each.limits for each in group.members]
    return ModelGroupInfo(
        model_group=name,
        providers=sorted({target.provider.name for _, target in members}),
        max_input_tokens=_least(max_prompt_tokens(each) for each in group.members),
        max_output_tokens=_least(each.max_output_tokens for each in found),
        input_cost_per_token=_least(price for price, _ in prices),
        output_cost_per_token=_least(price for _, price in prices),
        mode=next(filter(None, modes), None),
        tpm=sum(each.tpm or 0 for each in limits) or None,
        rpm=sum(each.rpm or 0 for each in limits) or None,
        supports_vision=any("vision" in each.supports for each in found),
        supports_function_calling=any("function_calling" in each.supports for each in found),
    )


def printable(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of an entry in which credentials are masked."""
    params = entry.get("litellm_params") or {}
    return {**entry, "litellm_params": {name: _masked(name, value) for name, value in params.items()}}


def _masked(name: str, value: Any) -> Any:
    if names_credential(name):
        return MASK
    return mask(value) if isinstance(value, str) else value


def _prices(deployment: Deployment, known: Facts | None) -> tuple[float | None, float | None]:
    """Of an input and an output token: a deployment's own, if it has one, as calls are priced."""
    if known is None or deployment.prices != (None, None):
        return deployment.prices
    return known.input_cost_per_token, known.output_cost_per_token


def _least(numbers: Iterable[Any]) -> Any:
    return min((number for number in numbers if number is not None), default=None)
