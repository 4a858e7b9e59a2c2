"""Server-sent events: bytes to payloads.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html. Only `data` matters to LLM streams in OpenAI's
dialect; `event`, `id`, `retry` and comments (heartbeats) are read over.
"""

from __future__ import annotations

DONE = b"[DONE]"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MAX_EVENT = 16 << 20  # bytes; far above any real event, so that a runaway upstream cannot fill the memory


class Parser:
    """Feed it bytes as they arrive, however they were cut; it gives the payloads that are complete.

    >>> parser = Parser()
    >>> parser.feed(b'data: {"a"'), parser.feed(b': 1}\\n\\ndata: [DONE]\\n\\n')
    ([], [b'{"a": 1}', b'[DONE]'])
    """

    __slots__ = ("_at_start", "_buffered", "_data", "_pending", "_pieces")

    def __init__(self) -> None:
        self._pending = b""  # of a line: how it begins
        self._pieces: list[bytes] = []  # and how it goes on; joined once, where it ends
        self._data: list[bytes] = []
        self._buffered = 0  # bytes of the event that is not complete, and some of the one before at the most
        self._at_start = True

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads completed by `data`. Lines may end in LF, CRLF or CR; several `data` lines are joined by LF.

        Raises ValueError for an event that is too long.
        """
        if self._at_start and data:
            self._at_start = False
            data = data.removeprefix(BYTE_ORDER_MARK)
        # What nearly every server sends: whole events of one line each. Two C calls instead of a loop in Python.
        if not self._pending and not self._data and data.startswith(b"data: ") and data.endswith(b"\n\n"):
            body = data[6:-2]
            if b"\r" not in body:
                if b"\n" not in body:
                    return [body]
                payloads = body.split(b"\n\ndata: ")
                if not any(b"\n" in payload for payload in payloads):
                    return payloads
        size = len(data)
        self._buffered += size
        if self._buffered > MAX_EVENT:
            raise ValueError(f"an event of the stream is longer than {MAX_EVENT >> 20} MiB")
        if self._pending:
            if b"\n" not in data and b"\r" not in data and not self._pending.endswith(b"\r"):
                self._pieces.append(data)
                return []
            data = self._taken() + data
        payloads = self._lines(data)
        if payloads or not self._data:  # what is left came with this piece
            self._buffered = size
        return payloads

    def _taken(self) -> bytes:
        """The line that has begun."""
        line = b"".join((self._pending, *self._pieces)) if self._pieces else self._pending
        self._pending = b""
        self._pieces.clear()
        return line

    def end(self) -> list[bytes]:
        """The stream is over. An event that was not closed by a blank line still counts: some servers omit the last."""
        return self._lines(self._taken() + b"\n\n")

    def _lines(self, data: bytes) -> list[bytes]:
        payloads: list[bytes] = []
        if b"\r" in data:
            # A CR at the very end may be half of a CRLF: it waits for the next bytes.
            ends_in_cr = data.endswith(b"\r")
            data = (data[:-1] if ends_in_cr else data).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        else:
            ends_in_cr = False
        *lines, rest = data.split(b"\n")
        self._pending = rest + b"\r" if ends_in_cr else rest
        for line in lines:
            if not line:
                if self._data:
                    payloads.append(b"\n".join(self._data))
                    self._data = []
            elif line.startswith(b"data:"):
                value = line[5:]
                self._data.append(value.removeprefix(b" "))
        return payloads


def event(payload: bytes) -> bytes:
    """One event that carries `payload`.

    >>> event(b'{"a": 1}')
    b'data: {"a": 1}\\n\\n'
    """
    if b"\n" in payload:
        return b"".join(b"data: %b\n" % line for line in payload.split(b"\n")) + b"\n"
    return b"data: %b\n\n" % payload
