"""Several requests in one: the batch methods of Router."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from litellm.engine.client import Client
from litellm.engine.drivers import arun
from litellm.engine.route import Plan
from litellm.exceptions import BadRequestError
from litellm.net.steps import Fan, Flow
from litellm.operations import CHAT, Operation
from litellm.sdk._router_call import presented


class Batches:
    """Asking several models, or one model several times. A failure takes the place of its answer in the list."""

    client: Client

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
        """The call that one of the requests is, and its way."""
        raise NotImplementedError

    async def abatch_completion(self, models: Sequence[str], messages: list[Any], **params: Any) -> list[Any]:
        """Ask each of `models` for a completion of `messages`, all at once.

        messages: one conversation, or a list of conversations. The result is in the order of `models`: answers, and in the
        place of an answer the exception that it failed with; for several conversations, a list of these for each.
        """
        if messages and isinstance(messages[0], list):
            answers = await self._all([(model, each) for each in messages for model in models], params)
            return [answers[at : at + len(models)] for at in range(0, len(answers), len(models) or 1)]
        return await self._all([(model, messages) for model in models], params)

    async def abatch_completion_one_model_multiple_requests(
        self, model: str, messages: list[list[Any]], **params: Any
    ) -> list[Any]:
        """Ask one model for a completion of each of the conversations in `messages`, all at once; in their order."""
        return await self._all([(model, each) for each in messages], params)

    async def abatch_completion_fastest_response(
        self, model: str, messages: list[Any], stream: bool | None = None, **params: Any
    ) -> Any:
        """The first answer that one of the models in `model` gives, such as "gpt-4o, claude"; the others are cancelled.

        Raises the last one's exception when all fail.
        """
        models = [name.strip() for name in model.split(",") if name.strip()]
        if not models:
            raise BadRequestError("name the models, with commas between them", model, param="model")
        answers = await self._all([(name, messages) for name in models], params | {"stream": stream}, first=True)
        if isinstance(answers[-1], Exception):
            raise answers[-1]
        return answers[0]

    async def _all(
        self, asked: Sequence[tuple[str, list[Any]]], params: dict[str, Any], *, first: bool = False
    ) -> list[Any]:
        started, stream = time.monotonic(), params.pop("stream", None)

        def ask(model: str, messages: list[Any]) -> Flow[Any]:
            plan = self._plan(model, messages, stream, params, is_async=True)
            result = yield from self.client.flow(*plan)
            return presented(plan.call, result, self.client.async_io, started)

        def together() -> Flow[list[Any]]:
            answers: list[Any] = yield Fan([ask(model, messages) for model, messages in asked], first=first)
            return answers

        return await arun(together(), self.client.async_io)
