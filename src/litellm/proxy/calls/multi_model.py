"""One request for several models, `model="a,b"`: all of their answers, or the first that comes."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from litellm.engine.budget import AT_ONCE
from litellm.engine.call import Answer
from litellm.engine.client import Client
from litellm.engine.drivers import afan_out
from litellm.engine.route import Plan
from litellm.net.steps import Fan
from litellm.proxy.calls import reply
from litellm.proxy.errors import RequestError
from litellm.proxy.hooks.request_hooks import HookedRequest
from litellm.proxy.http import Exchange
from litellm.server.buffers import cost_of_values
from litellm.wire.protocol import ClientDialect

MAX_MODELS = 16  # that one request may ask for
MAX_COPIED_BYTES = 16 * 2**20  # bytes of the copies of one request's body that are on their way


class MultiModelRequest(msgspec.Struct, frozen=True):
    """A plan for each place in the list of names, or why there is none.

    at_once: how many may be under way. fastest: only the first answer that comes is wanted.
    """

    plans: Mapping[int, Plan]
    refused: Mapping[int, Exception]
    at_once: int
    fastest: bool = False


def names_in(model: str, *, stream: bool) -> list[str]:
    """The names in a list of them, "a,b". Raises RequestError 400 for what cannot be asked of several."""
    names = [name.strip() for name in model.split(",")]
    if stream:
        raise RequestError(
            400, "several models cannot be streamed in one request: leave stream out, or name one model", param="stream"
        )
    if not all(names) or len(names) > MAX_MODELS:
        raise RequestError(
            400, f"model must be a name, or 2 to {MAX_MODELS} names with commas between them", param="model"
        )
    return names


async def answer(
    client: Client,
    http: Exchange,
    request: MultiModelRequest,
    dialect: ClientDialect,
    hooked: HookedRequest | None,
    started: float,
) -> None:
    """Ask all models of `request`, and answer with what comes."""
    flows = [client.flow(*plan) for plan in request.plans.values()]
    answers = afan_out(Fan(flows, request.fastest, request.at_once), client.async_io)
    results = await (answers if hooked is None else hooked.beside(answers))
    if hooked is not None:
        results = [await _edited(hooked, result) for result in results]
    if request.fastest:
        winner = next((result for result in results if isinstance(result, Answer)), None)
        if winner is None:
            raise results[0] if results else next(iter(request.refused.values()))
        reply.send_json(http, winner, dialect, started, [(b"x-litellm-fastest_response_batch_completion", b"true")])
        return
    by_place = {**request.refused, **dict(zip(request.plans, results, strict=True))}
    reply.several(http, [by_place[place] for place in sorted(by_place)], dialect, started)


def at_once(data: bytes) -> int:
    """How many calls with this body may be under way for one request: each holds a copy as it is sent, and, where
    parameters are dropped, one of its JSON."""
    return max(1, min(AT_ONCE, MAX_COPIED_BYTES // max(1, len(data) + cost_of_values(data))))


async def _edited(hooked: HookedRequest, result: Answer | Exception) -> Answer | Exception:
    """One place of several, by way of the hooks after a call. What they raise is this place's error and no other's."""
    try:
        if isinstance(result, Exception):
            raise result
        await hooked.edit(result)
        return result
    except Exception as error:  # noqa: BLE001 - it is answered in its place
        return await hooked.failed(error)
