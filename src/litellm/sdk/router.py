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
from litellm.operations import CHAT, EMBEDDINGS, MODERATIONS, TEXT, Operation
from litellm.router.deployments import DeploymentDefaults
from litellm.router.routing import Routing
from litellm.router.settings import ROUTING_WORDS, RoutingSettings
from litellm.sdk._router_batches import Batches
from litellm.sdk._router_call import presented, routed_plan
from litellm.sdk._router_custom import custom_choice
from litellm.sdk._router_list import ModelList
from litellm.sdk._settings import read_settings
from litellm.sdk._signature import shows_words
from litellm.types.router_words import UNSUPPORTED, RouterParams, words_of

ALWAYS = {"optional_pre_call_checks": ["enforce_model_rate_limits"]}  # done without being asked for
_KNOWN = words_of(RouterParams).keys()
_DEFAULTS = {name: word.default for name, word in ROUTING_WORDS.items() if word.default is not None}


class Router(ModelList, Batches):
    """Spreads calls over deployments: retries go elsewhere, what fails rests, limits are kept, groups fall back on others.

    model_list: entries like {"model_name": "gpt-4o", "litellm_params": {"model": "azure/…", "api_key": …, "rpm": 100}};
    entries of one model_name are a group and share its traffic. os.environ/NAME is looked up now; the list is not kept.
    num_retries: retries of a failed call, elsewhere if possible (2). timeout, stream_timeout: seconds, unless the call or
    its deployment says otherwise. fallbacks, context_window_fallbacks, content_policy_fallbacks: [{group: [other, …]}].
    routing_strategy: simple-shuffle, least-busy, usage-based-routing, latency-based-routing or cost-based-routing.
    cooldown_time: seconds that a failing deployment rests (5). docs/router.md explains all.

    A Router has its own connections and state; two of them share nothing. It is used from any number of threads and event
    loops. Raises ValueError or BadRequestError for what could never work; TypeError for a word that nobody knows.

    >>> router = Router(model_list=[{"model_name": "fast", "litellm_params": {"model": "mock/echo"}}])
    >>> router.completion("fast", [{"role": "user", "content": "Hello"}]).choices[0].message.content
    'Hello'
    """

    def __init__(self, model_list: Sequence[Any] | None = None, **words: Unpack[RouterParams]) -> None:
        said: dict[str, Any] = {name: value for name, value in words.items() if value is not None}
        _check(said)
        if said.get("set_verbose"):
            _log.turn_on()
        self._words = _DEFAULTS | {name: value for name, value in said.items() if name in ROUTING_WORDS}
        self._default_params = dict(said.get("default_litellm_params", {}))
        self._default_parallel = said.get("default_max_parallel_requests")
        self.client = Client()
        self.routing = Routing(settings=RoutingSettings.of(**self._words))
        self.routing.adapter = self._adapted
        self.set_model_list(model_list)

    # --- calls --------------------------------------------------------------------------------------------------------

    def completion(self, model: str, messages: list[Any], stream: bool | None = None, **params: Any) -> Any:
        """litellm.completion by a deployment of the group `model`. Also takes fallbacks=[…] and disable_fallbacks.

        Raises what litellm.completion raises, after retries and fallbacks; BadRequestError for a model that nobody
        serves; RouterRateLimitError, a 429, when all its deployments rest or are at their limits.
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

    # --- settings and state -------------------------------------------------------------------------------------------

    def update_settings(self, **settings: Any) -> None:
        """Change what the constructor took; calls that begin afterwards go by it. Raises ValueError, TypeError."""
        for name in settings.keys() - ROUTING_WORDS.keys() - UNSUPPORTED.keys():
            raise TypeError(f"Router.update_settings() got an unexpected keyword argument {name!r}")
        _check(settings)
        words = {name: value for name, value in settings.items() if name in ROUTING_WORDS}
        self.routing.configure(RoutingSettings.of(**self._words | words))
        self._words |= words
        self._warn_of_lost()

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
        """Let go of everything. A Router that nobody refers to any more does so by itself."""
        self.set_model_list([])
        self.reset()

    def _surroundings(self) -> DeploymentDefaults:
        settings = read_settings()
        return DeploymentDefaults(
            defaults=settings.defaults,
            params=self._default_params,
            timeout=self._words.get("timeout", settings.request_timeout),
            ssl_verify=settings.ssl_verify,
            ssl_certificate=settings.ssl_certificate,
            force_ipv4=settings.force_ipv4,
            headers=settings.headers,
            max_parallel_requests=self._default_parallel,
        )

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


shows_words(Router.__init__, RouterParams)
