"""An OpenAI-compatible endpoint that does what it is told, mischief included, and remembers what it heard."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from itertools import chain, islice

from . import http1
from .behaviour import Behaviour
from .endpoints import ENDPOINTS
from .render import render
from .replies import Answer, Reply, openai_error
from .seen import Seen
from .server import Connection, Server
from .tls import ServerTLS


class Upstream(Server):
    """Answers POST …/chat/completions and GET …/models under any prefix, or only under the one given.

    What a request gets, by the first that applies: the behaviours lined up with next(), the one in `models` under the
    request's model, else `default`. Paths that are no endpoint get a 404 and use up nothing.
    """

    def __init__(self, *, port: int = 0, tls: ServerTLS | None = None, prefix: str | None = None) -> None:
        super().__init__(port=port, tls=tls)
        self.connection_class = _UpstreamConnection
        self.prefix = prefix
        self.requests: list[Seen] = []
        self.models: dict[str, Behaviour] = {}
        self.default = Behaviour()
        self._next: deque[Behaviour] = deque()

    @property
    def base(self) -> str:
        return self.url + "/v1"

    def next(self, *behaviours: Behaviour) -> None:
        """One per request, in the order in which requests arrive."""
        self._next.extend(behaviours)

    def take(self, request: http1.Request, connection_id: int) -> tuple[Seen, Behaviour]:
        """Remembers a request and decides what it gets."""
        number = len(self.requests) + 1
        seen = Seen.of(request, number=number, connection_id=connection_id, now=time.monotonic())
        self.requests.append(seen)
        if not self._endpoint(seen):
            return seen, Behaviour(openai_error(404, f"Invalid URL ({seen.method} {seen.path})"))
        if self._next:
            return seen, self._next.popleft()
        return seen, self.models.get(str(seen.fields.get("model")), self.default)

    def reply(self, seen: Seen, behaviour: Behaviour) -> Reply:
        for check in behaviour.checks:
            if refusal := check(seen):
                return refusal
        if not isinstance(behaviour.say, Answer):
            return behaviour.say
        shape = self._endpoint(seen)
        assert shape, "take() turned everything else away"
        return shape(self, seen, behaviour.say)

    def _endpoint(self, seen: Seen) -> Callable[["Upstream", Seen, Answer], Reply] | None:
        for (method, path), shape in ENDPOINTS.items():
            found = seen.path.endswith(path) if self.prefix is None else seen.path == self.prefix + path
            if method == seen.method and found:
                return shape
        return None


class _UpstreamConnection(Connection):
    server: Upstream

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self._waiting: deque[tuple[Seen, Behaviour]] = deque()  # the first one is being answered
        self._answering: asyncio.Task[None] | None = None
        self._close_on_next = False

    def data_received(self, data: bytes) -> None:
        if self._close_on_next:
            self.close()
        if self.closed_here:
            return
        self._waiting.extend(self.server.take(request, self.id) for request in self.read_requests(data))
        if self._waiting and self._answering is None:
            self._answering = self.server.spawn(self._answer_all())

    def over(self) -> None:
        for seen, _ in self._waiting:
            if seen.finished_at is None and not self.closed_here:
                seen.aborted_at = time.monotonic()
        if self._answering:
            self._answering.cancel()

    async def _answer_all(self) -> None:
        while self._waiting and not self.closed_here:
            await self._answer(*self._waiting[0])
            self._waiting.popleft()
        self._answering = None

    async def _answer(self, seen: Seen, behaviour: Behaviour) -> None:
        answer = render(self.server.reply(seen, behaviour), behaviour, request_id=f"req-fake-{seen.number}")
        await self._write(answer.early)
        await asyncio.sleep(behaviour.delay)
        parts = chain([answer.head], answer.chunks)
        for count, part in enumerate(islice(parts, answer.parts_before_fault)):
            if count > 1:
                await asyncio.sleep(behaviour.gap)
            await self._write(part, behaviour.split)
        match behaviour.fault:
            case "stall":
                await asyncio.Event().wait()  # until the client leaves, which cancels us
            case "reset":
                # A RST throws away what is still under way; on loopback a moment is enough for it to arrive.
                await asyncio.sleep(0.02)
                seen.finished_at = time.monotonic()
                self.reset()
            case "close":
                seen.finished_at = time.monotonic()
                self.close()
            case _:  # nothing, or "end"
                await self._write(answer.end, behaviour.split)
                seen.finished_at = time.monotonic()
                self._close_on_next = behaviour.after_answer == "close_on_next_request"
                if answer.closes or seen.headers.get("connection", "").lower() == "close":
                    self.close()

    async def _write(self, data: bytes, split: int = 0) -> None:
        if not split:
            await self.send(data)
            return
        for start in range(0, len(data), split):
            await self.send(data[start : start + split])
            await asyncio.sleep(0.001)  # or the client would find several segments in one read
