"""Several requests in one: asking several models, or one model several times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from litellm.engine.drivers import arun
from litellm.exceptions import BadRequestError
from litellm.net.steps import Fan, Flow
from litellm.net.transport import AsyncTransport

Ask = Callable[[str, list[Any]], Flow[Any]]  # (model, messages) → the flow of one completion


async def ask_each(ask: Ask, io: AsyncTransport, models: Sequence[str], messages: list[Any]) -> list[Any]:
    """Ask each of `models` about one conversation, or about each of several, all at once.

    The result is in the order of `models`, a list of these for each of several conversations; the exception that a request
    failed with takes the place of its answer.
    """
    if messages and isinstance(messages[0], list):
        answers = await _all(ask, io, [(model, each) for each in messages for model in models])
        return [answers[at : at + len(models)] for at in range(0, len(answers), len(models) or 1)]
    return await _all(ask, io, [(model, messages) for model in models])


async def ask_often(ask: Ask, io: AsyncTransport, model: str, conversations: list[list[Any]]) -> list[Any]:
    """Ask one model about each of the conversations, all at once; in their order, as `ask_each` gives them."""
    return await _all(ask, io, [(model, each) for each in conversations])


async def ask_fastest(ask: Ask, io: AsyncTransport, model: str, messages: list[Any]) -> Any:
    """The first answer of the models in `model`, which has commas between them. Raises the last one's exception when all
    fail, BadRequestError when there are none."""
    models = [name.strip() for name in model.split(",") if name.strip()]
    if not models:
        raise BadRequestError("name the models, with commas between them", model, param="model")
    answers = await _all(ask, io, [(name, messages) for name in models], first=True)
    if isinstance(answers[-1], Exception):
        raise answers[-1]
    return answers[0]


async def _all(
    ask: Ask, io: AsyncTransport, requests: Sequence[tuple[str, list[Any]]], *, first: bool = False
) -> list[Any]:
    def together() -> Flow[list[Any]]:
        answers: list[Any] = yield Fan([ask(model, messages) for model, messages in requests], first=first)
        return answers

    return await arun(together(), io)
