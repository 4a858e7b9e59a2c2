"""litellm.Router: many deployments behind one name, in Python."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from litellm import _log
from litellm._log import log
from litellm.engine.client import Client
from litellm.engine.drivers import arun, run
from litellm.engine.route import Plan
from litellm.net.steps import Flow
from litellm.operations import CHAT, EMBEDDINGS, MODERATIONS, TEXT, Operation
from litellm.router.routing import Routing
from litellm.router.settings import ROUTING_WORDS, RoutingSettings
from litellm.sdk._router_batches import Ask, ask_each, ask_fastest, ask_often
from litellm.sdk._router_call import available, context_of, presented, routed_plan
from litellm.sdk._router_custom import custom_choice
from litellm.sdk._router_deployments import Deployments, group_info, printable
from litellm.sdk._signature import set_words_signature
from litellm.types.router import Deployment, ModelGroupInfo
from litellm.types.router_words import UNSUPPORTED, RouterParams, words_of

ALWAYS = {"optional_pre_call_checks": ["enforce_model_rate_limits"]}  # done without being asked for
_KNOWN = words_of(RouterParams).keys()
_DEFAULTS = {name: word.default for name, word in ROUTING_WORDS.items() if word.default is not None}


class Router:
    """Spreads calls over deployments: retries go elsewhere, what fails cools down, limits are kept, groups fall back.

    model_list: entries like {"model_name": "gpt-4o", "litellm_params": {"model": "azure/…", "api_key": …, "rpm": 100}};
    entries of one model_name are a group and share its traffic. os.environ/NAME is looked up now; the list is not kept.
    num_retries: retries of a failed call, elsewhere if possible (2). timeout, stream_timeout: seconds, unless the call or
    its deployment says otherwise. fallbacks, context_window_fallbacks, content_policy_fallbacks: [{group: [other, …]}].
    routing_strategy: simple-shuffle, least-busy, usage-based-routing, latency-based-routing or cost-based-routing.
    cooldown_time: seconds that a failing deployment cools down (5). docs/router.md explains all.

    A Router has its own connections and state; two of them share nothing. It is used from any number of threads and event
    loops. Raises ValueError or BadRequestError for what could never work; TypeError for an unknown word.

    >>> router = Router(model_list=[{"model_name": "fast", "litellm_params": {"model": "mock/echo"}}])
    >>> router.completion("fast", [{"role": "user", "content": "Hello"}]).choices[0].message.content
    'Hello'
    """

    def __init__(self, model_list: Sequence[Any] | None = None, **words: Unpack[RouterParams]) -> None:
        stated: dict[str, Any] = {name: value for name, value in words.items() if value is not None}
        _check(stated)
        if stated.get("set_verbose"):
            _log.turn_on()
        self._words = _DEFAULTS | {name: value for name, value in stated.items() if name in ROUTING_WORDS}
        self.client = Client()
        self.routing = Routing(settings=RoutingSettings.of(**self._words))
        params, parallel = stated.get("default_litellm_params", {}), stated.get("default_max_parallel_requests")
        self.deployments = Deployments(self.routing, self._words, dict(params), parallel)
        self.routing.adapter = self.deployments.adapter
        self.set_model_list(model_list)

    # --- calls --------------------------------------------------------------------------------------------------------

    def completion(self, model: str, messages: list[Any], stream: bool | None = None, **params: Any) -> Any:
        """litellm.completion by a deployment of the group `model`. Also takes fallbacks=[…] and disable_fallbacks.

        Raises what litellm.completion raises, after retries and fallbacks; BadRequestError for a model that is not
        served; RouterRateLimitError, a 429, when all its deployments cool down or are at their limits.
        """
        return self._run(model, messages, stream, params)

    async def acompletion(self, model: str, messages: list[Any], stream: bool | None = None, **params: Any) -> Any:
        """The same as completion, for asyncio."""
        return await self._arun(model, messages, stream, params)

    def text_completion(self, model: str, prompt: Any, stream: bool | None = None, **params: Any) -> Any:
        """litellm.text_completion by a deployment of the group `model`."""
        return self._run(model, prompt, stream, params, TEXT)

    async def atext_completion(self, model: str, prompt: Any, stream: bool | None = None, **params: Any) -> Any:
        """The same as text_completion, for asyncio."""
        return await self._arun(model, prompt, stream, params, TEXT)

    def embedding(self, model: str, input: Any, **params: Any) -> Any:  # noqa: A002 - OpenAI's name
        """litellm.embedding by a deployment of the group `model`."""
        return self._run(model, input, None, params, EMBEDDINGS)

    async def aembedding(self, model: str, input: Any, **params: Any) -> Any:  # noqa: A002
        """The same as embedding, for asyncio."""
        return await self._arun(model, input, None, params, EMBEDDINGS)

    def moderation(self, model: str, input: Any, **params: Any) -> Any:  # noqa: A002
        """litellm.moderation by a deployment of the group `model`."""
        return self._run(model, input, None, params, MODERATIONS)

    async def amoderation(self, model: str, input: Any, **params: Any) -> Any:  # noqa: A002
        """The same as moderation, for asyncio."""
        return await self._arun(model, input, None, params, MODERATIONS)

    async def schedule_acompletion(
        self, model: str, messages: list[Any], priority: int = 0, stream: bool | None = None, **params: Any
    ) -> Any:
        """acompletion. priority is accepted and does nothing: requests do not queue here, they are served or refused."""
        return await self._arun(model, messages, stream, {**params, "priority": priority})

    @property
    def chat(self) -> Chat:
        """`router.chat.completions.create(model=…, messages=…)`, as OpenAI's client spells it."""
        return Chat(self)

    # --- several requests in one ------------------------------------------------------------------------------------------

    async def abatch_completion(self, models: Sequence[str], messages: list[Any], **params: Any) -> list[Any]:
        """Ask each of `models` for a completion of `messages`, all at once.

        messages: one conversation, or a list of conversations. The result is in the order of `models`: answers, and in the
        place of an answer the exception that it failed with; for several conversations, a list of these for each.
        """
        return await ask_each(self._asking(params), self.client.async_io, models, messages)

    async def abatch_completion_one_model_multiple_requests(
        self, model: str, messages: list[list[Any]], **params: Any
    ) -> list[Any]:
        """Ask one model for a completion of each of the conversations in `messages`, all at once; in their order."""
        return await ask_often(self._asking(params), self.client.async_io, model, messages)

    async def abatch_completion_fastest_response(
        self, model: str, messages: list[Any], stream: bool | None = None, **params: Any
    ) -> Any:
        """The first answer that one of the models in `model` gives, such as "gpt-4o, claude"; the others are cancelled.

        Raises the last one's exception when all fail.
        """
        ask = self._asking(params | {"stream": stream})
        return await ask_fastest(ask, self.client.async_io, model, messages)

    def _asking(self, params: dict[str, Any]) -> Ask:
        started, stream = time.monotonic(), params.pop("stream", None)

        def ask(model: str, messages: list[Any]) -> Flow[Any]:
            plan = self._plan(model, messages, stream, params, is_async=True)
            result = yield from self.client.flow(*plan)
            return presented(plan.call, result, self.client.async_io, started)

        return ask

    # --- how a request is made --------------------------------------------------------------------------------------------

    def _run(
        self, model: str, subject: Any, stream: bool | None, params: Mapping[str, Any], operation: Operation = CHAT
    ) -> Any:
        started = time.monotonic()
        plan = self._plan(model, subject, stream, params, operation)
        result = run(self.client.flow(*plan), self.client.sync_io)
        return presented(plan.call, result, self.client.sync_io, started)

    async def _arun(
        self, model: str, subject: Any, stream: bool | None, params: Mapping[str, Any], operation: Operation = CHAT
    ) -> Any:
        started = time.monotonic()
        plan = self._plan(model, subject, stream, params, operation, is_async=True)
        result = await arun(self.client.flow(*plan), self.client.async_io)
        return presented(plan.call, result, self.client.async_io, started)

    def _plan(
        self,
        model: str,
        subject: Any,
        stream: bool | None,
        params: Mapping[str, Any],
        operation: Operation = CHAT,
        *,
        is_async: bool = False,
    ) -> Plan:
        return routed_plan(self.routing, self._words, model, subject, stream, params, operation, is_async=is_async)

    # --- deployments ------------------------------------------------------------------------------------------------------

    @property
    def model_list(self) -> list[dict[str, Any]]:
        """The deployments as entries, each with its id. A copy."""
        return self.deployments.entries()

    def set_model_list(self, model_list: Sequence[Any] | None) -> None:
        """Serve these deployments and no others. The list is not kept and not modified.

        Raises ValueError for what is no entry, for an id that is there twice and for a limit that is no number;
        BadRequestError for a deployment that could never be called.
        """
        self.deployments.replace(model_list or ())

    def get_model_list(self, model_name: str | None = None) -> list[dict[str, Any]]:
        """The deployments of a group or alias, or all of them, as entries."""
        return self.deployments.entries(model_name)

    def get_model_names(self) -> list[str]:
        """The names that can be asked for, aliases included."""
        return self.routing.pool.names()

    def get_model_ids(self, model_name: str | None = None) -> list[str]:
        """The ids of a group's deployments, or of all."""
        return [entry["model_info"]["id"] for entry in self.deployments.entries(model_name)]

    def has_model_id(self, candidate_id: str) -> bool:
        """Whether there is a deployment with that id."""
        return candidate_id in self.routing.pool.by_id

    def get_deployment(self, model_id: str) -> Deployment | None:
        """The deployment with that id."""
        return self.deployments.find(model_id)

    def add_deployment(self, deployment: Any) -> Deployment | None:
        """Serve one more, an entry or a Deployment. None, and no change, if there is one with its id."""
        return self.deployments.add(deployment)

    def upsert_deployment(self, deployment: Any) -> Deployment | None:
        """Serve this one in place of the one with its id, if there is one. None if it is the same already."""
        return self.deployments.upsert(deployment)

    def delete_deployment(self, id: str) -> Deployment | None:  # noqa: A002 - LiteLLM's name
        """Serve the one with that id no longer. None if there is none."""
        return self.deployments.remove(id)

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
        BadRequestError for a name that is not served, RouterRateLimitError when all cool down or are at their limits.
        """
        context = context_of(self.routing, model, messages, input, request_kwargs or {})
        run(self.routing.chooser.consult(context), self.client.sync_io)
        return available(self.routing, context)

    async def async_get_available_deployment(
        self,
        model: str,
        request_kwargs: dict[str, Any] | None = None,
        messages: list[Any] | None = None,
        input: Any = None,  # noqa: A002
        specific_deployment: bool | None = False,  # noqa: ARG002
    ) -> dict[str, Any]:
        """The same, for asyncio."""
        context = context_of(self.routing, model, messages, input, request_kwargs or {})
        await arun(self.routing.chooser.consult(context), self.client.async_io)
        return available(self.routing, context)

    def get_model_group_info(self, model_group: str) -> ModelGroupInfo | None:
        """What is known of a group's models. None for a name that is not served."""
        group = self.routing.pool.find(model_group)
        return None if group is None else group_info(model_group, group)

    def print_deployment(self, deployment: Mapping[str, Any]) -> dict[str, Any]:
        """A copy of an entry that can be printed: credentials are masked."""
        return printable(deployment)

    # --- settings and state -------------------------------------------------------------------------------------------

    def update_settings(self, **settings: Any) -> None:
        """Change what the constructor took; calls that begin afterwards go by it. Raises ValueError, TypeError."""
        for name in settings.keys() - ROUTING_WORDS.keys() - UNSUPPORTED.keys():
            raise TypeError(f"Router.update_settings() got an unexpected keyword argument {name!r}")
        _check(settings)
        words = {name: value for name, value in settings.items() if name in ROUTING_WORDS}
        self.routing.configure(RoutingSettings.of(**self._words | words))
        self._words |= words
        self.deployments.warn_of_dangling_fallbacks()

    def get_settings(self) -> dict[str, Any]:
        """What update_settings takes, as it was said. A copy."""
        return dict(self._words)

    def set_custom_routing_strategy(self, strategy: Any) -> None:
        """Let an object of yours choose: it has get_available_deployment or async_get_available_deployment, which return
        an entry of `model_list`, or None to leave the choice to the routing strategy. It is asked for the first try of a
        call; retries go elsewhere by the routing strategy."""
        self.routing.chooser.custom = custom_choice(strategy)

    def reset(self) -> None:
        """Forget cooldowns, what is used of limits, and how calls went."""
        self.routing.state.clear()

    def flush_cache(self) -> None:
        """The same as reset: there is nothing else that is kept."""
        self.reset()

    def discard(self) -> None:
        """Let go of everything. A Router that is garbage collected does so by itself."""
        self.set_model_list([])
        self.reset()

    def __repr__(self) -> str:
        return f"Router({len(self.routing.pool.by_id)} deployments)"


class Chat:
    """OpenAI's spelling of Router.completion."""

    def __init__(self, router: Router) -> None:
        self._router = router

    @property
    def completions(self) -> Chat:
        return self

    def create(self, *, messages: list[Any], model: str, **params: Any) -> Any:
        """Router.completion."""
        return self._router.completion(model, messages, **params)


def _check(words: Mapping[str, Any]) -> None:
    """Refuse what is no word of a Router, and say what has no effect."""
    for name, value in words.items():
        if name not in _KNOWN:
            raise TypeError(f"Router() got an unexpected keyword argument {name!r}")
        if name in UNSUPPORTED and value and value != ALWAYS.get(name):
            log.warning("Router(%s=…) has no effect: %s", name, UNSUPPORTED[name])


set_words_signature(Router.__init__, RouterParams)
