"""HTTP/1.1 requests, from bytes (RFC 9112). No socket is known here.

llhttp (by httptools) reads heads and chunks; what it is lenient about, or leaves to its caller, is decided here. It is
never shown more than one request: a message ends after as many bytes as it announced, or else after an empty line, and is
fed up to the next place where it might end. So what is pipelined stays bytes until its turn has come, however much it is.
"""

from __future__ import annotations

from enum import Enum
from functools import partial
from typing import Any

import httptools

from litellm.server import head as heads
from litellm.server.head import MAX_HEAD, Head, Known
from litellm.server.refusal import Refusal

DIFFERENT = 4  # heads in a row that were not like the one before, after which none is expected to be

_BLANK = b"\r\n\r\n"


class Mark(Enum):
    """END: the request is here, whole. UPGRADE: what comes next is the protocol that was asked for."""

    END = "end"
    UPGRADE = "upgrade"


END = Mark.END
UPGRADE = Mark.UPGRADE


Event = Head | bytes | Mark


class _Callbacks:
    """What llhttp finds in what it is fed. Most of it goes straight into lists: that is a call less for each."""

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.pieces: list[bytes] = []
        self.ends: list[bool] = []  # holds one when the request is complete
        self.on_body = self.pieces.append
        self.on_message_complete = partial(self.ends.append, True)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.lower(), value))

    def take_fields(self) -> list[tuple[bytes, bytes]]:
        """The fields that were found, which are found no more."""
        fields, self.fields = self.fields, []
        return fields


class Parser:
    """One connection's requests. pending: bytes that are kept and not read yet, of a head that is not all here or behind a
    request that has not been answered.

    >>> parser = Parser()
    >>> head, body, end = parser.feed(b"POST /a HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 2\\r\\n\\r\\nhiGET /b")
    >>> head.method, head.path, body, end is END, len(parser.pending)
    ('POST', '/a', b'hi', True, 6)
    """

    __slots__ = (
        "_busy",
        "_callbacks",
        "_different",
        "_forgiven",
        "_known",
        "_llhttp",
        "_raw",
        "_reading",
        "_remaining",
        "_searched",
        "_tail",
        "_unused",
        "pending",
    )  # fmt: skip

    def __init__(self) -> None:
        self._callbacks = _Callbacks()
        self._llhttp: Any = httptools.HttpRequestParser(self._callbacks)
        self.pending = bytearray()
        self._searched = 0  # of them, how many hold no end of a head
        self._reading = False  # a body
        self._remaining: int | None = 0  # bytes of it that are to come
        self._tail = b""  # its last bytes, where it comes in chunks
        self._unused = 0  # bytes that llhttp was fed since it last gave a piece of a body
        self._busy = False  # the request before has not been answered
        self._forgiven = False  # an empty line before the head
        self._raw = False  # another protocol is spoken now
        self._known: Known | None = None  # the head before, which most clients repeat
        self._different = 0  # heads since one was like the one before

    @property
    def begun(self) -> bool:
        """Whether a part of a request is here."""
        return self._reading or (bool(self.pending) and not self._busy)

    def forget(self) -> None:
        """Drop what waits."""
        self.pending = bytearray()

    def resume(self) -> list[Event]:
        """The request before has been answered: the events of the next one, as far as it is here. Raises Refusal."""
        self._busy = False
        if not self.pending:
            return []
        # Only what this request needs is taken out: there may be thousands behind it.
        waiting, self.pending = self.pending, bytearray()
        end = waiting.find(_BLANK, 2)  # behind an empty line, perhaps
        events = self._feed_from(waiting, len(waiting) if end < 0 else end + len(_BLANK))
        if self._reading or self._raw:
            events += self._feed_from(
                waiting, len(waiting) if self._remaining is None or self._raw else self._remaining
            )
        self.pending += waiting
        return events

    def _feed_from(self, waiting: bytearray, size: int) -> list[Event]:
        data = bytes(waiting[:size])
        del waiting[:size]
        return self.feed(data) if data else []

    def feed(self, data: bytes) -> list[Event]:
        """The events of bytes, up to the end of the request at most: what comes behind it waits for `resume`.

        Raises Refusal for what is no request, or one that could be read in two ways. Nothing can be fed after that.
        """
        if self._raw:
            return [data] if data else []
        if self._busy:
            self.pending += data
            return []
        try:
            return self._body(data, 0) if self._reading else self._next(data)
        except httptools.HttpParserError as error:
            raise Refusal(400, f"This is no HTTP/1.1: {error}") from None

    def _next(self, data: bytes) -> list[Event]:
        """The events of a head, and of what comes behind it."""
        if self.pending:
            self.pending += data
            if self.pending.find(_BLANK, self._searched) < 0:
                return self._wait()
            data = bytes(self.pending)
            self.pending.clear()
        if data.startswith(b"\r\n") and not self._forgiven:  # RFC 9112, 2.2: one empty line is
            data, self._forgiven = data[2:], True
        if self._known is not None:
            again = self._known.again(data)
            if again is not None:
                self._different = 0
                return self._complete(*again, data)
        end = data.find(_BLANK) + len(_BLANK)
        if end < len(_BLANK):
            self.pending += data
            return self._wait()
        if end > MAX_HEAD:
            raise _long_head()
        return self._begin(self._head(data[:end]), end, data)

    def _begin(self, head: Head, start: int, data: bytes) -> list[Event]:
        """The events of a head, and of what comes behind it from `start` on."""
        self._searched = 0
        self._forgiven = False
        if head.upgrade:
            self._raw = True
            rest = data[start:]
            return [head, UPGRADE, rest] if rest else [head, UPGRADE]
        if head.length is not None and len(data) - start >= head.length:  # all of it is here, as nearly always
            if head.length:
                self._llhttp.feed_data(memoryview(data)[start : start + head.length])
                self._callbacks.pieces.clear()
            self._callbacks.ends.clear()
            return self._complete(head, start, data)
        self._reading = True
        self._remaining = head.length
        self._unused = 0
        self._tail = b""
        return [head, *self._body(data, start)] if start < len(data) else [head]

    def _complete(self, head: Head, start: int, data: bytes) -> list[Event]:
        """The events of a request of known length, of which the body begins at `start` and is here."""
        self._busy = True
        self._forgiven = False
        self._searched = 0
        end = start + (head.length or 0)
        if end < len(data):
            self.pending += memoryview(data)[end:]
        return [head, data[start:end], END] if start < end else [head, END]

    def _wait(self) -> list[Event]:
        """The head is not all here. What cannot become one is refused now."""
        begun = self.pending
        if begun.startswith(b"\r\n") and not self._forgiven:
            del begun[:2]
            self._forgiven = True
        if len(begun) > MAX_HEAD:
            raise _long_head()
        self._searched = max(0, len(begun) - len(_BLANK) + 1)
        line = begun.partition(b"\n")
        if line[1]:
            heads.read_line(bytes(line[0] + b"\n"))
        elif begun and begun != b"\r":
            heads.check_beginning(begun)
        return []

    def _body(self, data: bytes, start: int) -> list[Event]:
        """The events of a body: its pieces, and its end. start: where it begins in `data`."""
        found, total = self._callbacks, len(data)
        while start < total and not found.ends:
            end = self._stop(data, start)
            self._feed(data, start, end)
            start = end
        pieces = found.pieces
        # As one: there may be a hundred thousand of a byte each.
        events: list[Event] = [pieces[0] if len(pieces) == 1 else b"".join(pieces)] if pieces else []
        pieces.clear()
        if found.ends:
            self._end(data, start)
            events.append(END)
        return events

    def _stop(self, data: bytes, start: int) -> int:
        """The next place where the request might end."""
        if self._remaining is not None:
            end = min(len(data), start + self._remaining)
            self._remaining -= end - start
            return end
        # Of a body in chunks the end is an empty line, though not every empty line is the end. It may have begun before.
        crossing = (self._tail + data[start : start + 3]).find(_BLANK)
        if crossing >= 0:
            return start + crossing + len(_BLANK) - len(self._tail)
        blank = data.find(_BLANK, start)
        return len(data) if blank < 0 else blank + len(_BLANK)

    def _feed(self, data: bytes, start: int, end: int) -> None:
        pieces = self._callbacks.pieces
        before = len(pieces)
        self._llhttp.feed_data(memoryview(data)[start:end])
        if self._remaining is not None:
            return
        self._tail = (self._tail + data[max(start, end - 3) : end])[-3:]
        self._unused = 0 if len(pieces) > before else self._unused + end - start
        if self._unused > MAX_HEAD:  # llhttp keeps, and copies, what has no end
            raise _long_head()

    def _end(self, data: bytes, end: int) -> None:
        """The request is here, up to `end`."""
        self._busy, self._reading = True, False
        self._callbacks.ends.clear()
        self._callbacks.fields = []  # with trailers: nothing that comes after the body may change what was asked
        if end < len(data):
            self.pending += memoryview(data)[end:]

    # --- heads ----------------------------------------------------------------------------------------------------------

    def _head(self, data: bytes) -> Head:
        """A whole head, which the next one may be like. Raises Refusal, or what httptools raises."""
        line = heads.first_line(data)
        head = heads.made(line, self._fields(data, line))
        self._different += 1
        self._known = Known.of(data, head) if self._different < DIFFERENT else None
        return head

    def _fields(self, data: bytes, line: heads.RequestLine) -> heads.Fields:
        try:
            self._llhttp.feed_data(data)
        except httptools.HttpParserUpgrade:
            return self._past_upgrade(data)
        except httptools.HttpParserError:
            # What it knows no better than to call invalid.
            heads.check_coding(dict(self._callbacks.fields), line.version)
            raise
        return self._callbacks.take_fields()

    def _past_upgrade(self, data: bytes) -> heads.Fields:
        """llhttp stops at an Upgrade, body unread. Most, such as Java's h2c, are an offer that may be ignored (RFC 9110,
        7.8): so it reads the head once more without it."""
        fields = self._callbacks.take_fields()
        self._callbacks.ends.clear()
        self._llhttp = httptools.HttpRequestParser(self._callbacks)
        self._llhttp.feed_data(heads.without_upgrade(data))
        self._callbacks.take_fields()
        return fields


def _long_head() -> Refusal:
    return Refusal(431, f"The request's headers are larger than {MAX_HEAD >> 10} KiB")
