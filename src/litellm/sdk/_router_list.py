"""The deployments of a Router: listed, added, changed, taken away."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import msgspec
from pydantic import BaseModel

from litellm._credentials import MASK, mask, names_credential
from litellm._log import log
from litellm.catalog.facts import Facts, facts
from litellm.engine.call import UNUSED, Call
from litellm.engine.client import Client
from litellm.engine.drivers import arun, run
from litellm.engine.watchers import Watchers
from litellm.providers.target import Target
from litellm.router.checks import room_of
from litellm.router.choosing import RoutingContext
from litellm.router.deployments import Deployment, DeploymentDefaults, deployments_of, expand_env
from litellm.router.routing import Routing
from litellm.sdk._router_call import options_of
from litellm.sdk._settings import read_settings
from litellm.sdk._words import sorted_words
from litellm.types.router import Deployment as DeploymentShape
from litellm.types.router import ModelGroupInfo


def plain(entry: Any) -> dict[str, Any]:
    """An entry of a model_list as a dict of our own, with its os.environ/NAME looked up.

    Raises ValueError for what is no entry and for a variable that is not set.
    """
    told = entry.model_dump(exclude_none=True) if isinstance(entry, BaseModel) else entry
    if not isinstance(told, Mapping) or not isinstance(told.get("model_name"), str):
        raise ValueError(  # noqa: TRY004 - what is in a list is a value
            "an entry of model_list needs a model_name, which is a text, and litellm_params"
        )
    if not isinstance(told.get("litellm_params"), Mapping):
        raise ValueError(  # noqa: TRY004
            f"the entry {told['model_name']!r} of model_list needs litellm_params, with a model in it"
        )
    return cast("dict[str, Any]", expand_env(dict(told)))


class ModelList:
    """What Router has of its deployments. A call that is under way keeps the deployments that it began with."""

    routing: Routing
    client: Client

    def _surroundings(self) -> DeploymentDefaults:
        """What deployments take from their Router."""
        raise NotImplementedError

    @property
    def model_list(self) -> list[dict[str, Any]]:
        """The deployments as entries, each with its id. A copy."""
        return self.get_model_list()

    def set_model_list(self, model_list: Sequence[Any] | None) -> None:
        """Serve these deployments and no others. The list is not kept and not modified.

        Raises ValueError for what is no entry, for an id that is there twice and for a limit that is no number;
        BadRequestError for a deployment that could never be called.
        """
        self.routing.replace(self._made(model_list or ()))
        self._warn_of_lost()

    def _warn_of_lost(self) -> None:
        for name in self.routing.dangling_fallbacks() if self.routing.pool.by_id else ():
            log.warning("there is no %r in model_list to fall back on", name[:200])

    def _made(self, entries: Iterable[Any]) -> list[Deployment]:
        around = self._surroundings()
        made: list[Deployment] = []
        named: set[str] = set()
        for entry in map(plain, entries):
            told = entry.get("model_info") or {}
            if "id" in told and str(told["id"]) in named:
                raise ValueError(f"two entries of model_list have the id {told['id']!r}")
            named.add(str(told.get("id")))
            try:
                made += deployments_of(entry, around)
            except ValueError as error:
                raise ValueError(f"the entry {entry['model_name']!r} of model_list: {error}") from None
        return made

    def get_model_list(self, model_name: str | None = None) -> list[dict[str, Any]]:
        """The deployments of a group or alias, or all of them, as entries."""
        pool = self.routing.pool
        if model_name is None:
            return [each.entry() for each in pool.by_id.values()]
        name = pool.aliases.get(model_name, (model_name, False))[0]
        return [each.entry() for each in pool.by_name.get(name, ())]

    def get_model_names(self) -> list[str]:
        """The names that can be asked for, aliases included."""
        return self.routing.pool.names()

    def get_model_ids(self, model_name: str | None = None) -> list[str]:
        """The ids of a group's deployments, or of all."""
        return [entry["model_info"]["id"] for entry in self.get_model_list(model_name)]

    def has_model_id(self, candidate_id: str) -> bool:
        """Whether there is a deployment with that id."""
        return candidate_id in self.routing.pool.by_id

    def get_deployment(self, model_id: str) -> DeploymentShape | None:
        """The deployment with that id."""
        found = self.routing.pool.by_id.get(model_id)
        return None if found is None else DeploymentShape(**found.entry())

    def add_deployment(self, deployment: Any) -> DeploymentShape | None:
        """Serve one more, an entry or a Deployment. None, and no change, if there is one with its id."""
        with self.routing.changing:
            made = self._made([deployment])
            if any(each.id in self.routing.pool.by_id for each in made):
                return None
            self.routing.add(*made)
        return DeploymentShape(**made[0].entry())

    def upsert_deployment(self, deployment: Any) -> DeploymentShape | None:
        """Serve this one in place of the one with its id, if there is one. None if it is the same already."""
        with self.routing.changing:
            made = self._made([deployment])
            known = self.routing.pool.by_id
            if all(each.id in known and known[each.id].entry() == each.entry() for each in made):
                return None
            self.routing.add(*made)
        return DeploymentShape(**made[0].entry())

    def delete_deployment(self, id: str) -> DeploymentShape | None:  # noqa: A002 - LiteLLM's name
        """Serve the one with that id no longer. None if there is none."""
        with self.routing.changing:
            found = self.get_deployment(id)
            self.routing.remove(id)
        return found

    def get_available_deployment(
        self,
        model: str,
        messages: list[Any] | None = None,
        input: Any = None,  # noqa: A002 - LiteLLM's name
        specific_deployment: bool | None = False,  # noqa: ARG002
        request_kwargs: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The entry of a deployment that a request could go to now. Nothing is reserved.

        request_kwargs: what else the request says: tags, metadata, allowed_model_region, response_format. Raises
        BadRequestError for a name that nobody serves, RouterRateLimitError when all rest or are at their limits.
        """
        asked = self._asked(model, messages, input, request_kwargs or {})
        run(self.routing.chooser.consult(asked), self.client.sync_io)
        return self._available(asked)

    async def async_get_available_deployment(
        self,
        model: str,
        request_kwargs: dict[str, Any] | None = None,
        messages: list[Any] | None = None,
        input: Any = None,  # noqa: A002
        specific_deployment: bool | None = False,  # noqa: ARG002
    ) -> dict[str, Any]:
        """The same, for asyncio."""
        asked = self._asked(model, messages, input, request_kwargs or {})
        await arun(self.routing.chooser.consult(asked), self.client.async_io)
        return self._available(asked)

    def _asked(self, model: str, messages: list[Any] | None, subject: Any, words: Mapping[str, Any]) -> RoutingContext:
        body, control = sorted_words(words)
        body |= {"messages": messages} if subject is None else {"input": subject}
        observe = read_settings().observe
        call = Call(model=model, body=body, metadata=control.get("metadata") or {})
        watchers = None if observe is None else Watchers(observe)
        return RoutingContext(call, self.routing.find(model), options_of(self.routing, model, control), watchers)

    def _available(self, asked: RoutingContext) -> dict[str, Any]:
        choice = self.routing.chooser.choose(asked, ())
        choice.settle(UNUSED)
        return next(each.entry() for each in asked.group.members if each.id == choice.target.id)

    def get_model_group_info(self, model_group: str) -> ModelGroupInfo | None:
        """What is known of a group's models. None for a name that nobody serves."""
        group = self.routing.pool.find(model_group)
        if group is None:
            return None
        members = [(each, each.target) for each in group.members if each.target is not None]
        known = [facts(each.base_model or target.model, target.provider.name) for each, target in members]
        found = [each for each in known if each is not None]
        prices = [_prices(each, about) for (each, _), about in zip(members, known, strict=True)]
        modes = [
            each.info.get("mode") or (about and about.mode) for (each, _), about in zip(members, known, strict=True)
        ]
        limits = [each.limits for each in group.members]
        return ModelGroupInfo(
            model_group=model_group,
            providers=sorted({target.provider.name for _, target in members}),
            max_input_tokens=_least(room_of(each) for each in group.members),
            max_output_tokens=_least(each.max_output_tokens for each in found),
            input_cost_per_token=_least(price for price, _ in prices),
            output_cost_per_token=_least(price for _, price in prices),
            mode=next(filter(None, modes), None),
            tpm=sum(each.tpm or 0 for each in limits) or None,
            rpm=sum(each.rpm or 0 for each in limits) or None,
            supports_vision=any("vision" in each.supports for each in found),
            supports_function_calling=any("function_calling" in each.supports for each in found),
        )

    def print_deployment(self, deployment: Mapping[str, Any]) -> dict[str, Any]:
        """A copy of an entry that can be printed: credentials are masked."""
        params = deployment.get("litellm_params") or {}
        return {**deployment, "litellm_params": {name: _shown(name, value) for name, value in params.items()}}

    def _adapted(self, words: Mapping[str, Any]) -> Callable[[Deployment], Target]:
        """How a call that brings its own key, address or headers changes a deployment's target."""

        def adapt(deployment: Deployment) -> Target:
            entry = deployment.entry()
            target = deployment.target
            if deployment.wild and target is not None:
                entry["litellm_params"]["model"] = target.params["model"]
            entry["litellm_params"] |= words
            (changed,) = deployments_of(entry, self._surroundings())
            made = changed.target or changed.make(changed.model)
            return msgspec.structs.replace(made, id=deployment.id, others={})

        return adapt


def _shown(name: str, value: Any) -> Any:
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
