"""HTTP/1.1 as bytes: requests out of what arrived, answers into what to write. No sockets, no clock."""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from http.client import responses


@dataclass(frozen=True)
class Request:
    method: str
    target: str  # as it stands in the request line
    headers: dict[str, str]  # names in lower case; repeated ones joined with ", "
    body: bytes = b""


class RequestReader:
    """Feed it bytes as they arrive; it gives back the requests that are complete by now."""

    def __init__(self) -> None:
        self.wants_continue = False  # a client waits for "100 Continue" before it sends the body
        self._buffer = bytearray()
        self._requests = self._read()

    def feed(self, data: bytes) -> list[Request]:
        self._buffer += data
        complete = []
        while request := next(self._requests, None):
            complete.append(request)
        return complete

    def take_rest(self) -> bytes:
        """The bytes after a CONNECT, which are not HTTP any more."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    def _read(self) -> Iterator[Request | None]:
        """Yields a Request when one is complete, None when more bytes are needed."""
        while True:
            while not self._buffer:
                yield None
            if not self._buffer[:1].isalpha():
                raise ValueError("not HTTP")  # TLS on a plain port; its client waits for us to say something
            lines = (yield from self._until(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, target, _version = lines[0].split(" ")
            headers = _headers(lines[1:])
            self.wants_continue = headers.get("expect", "").lower() == "100-continue"
            if headers.get("transfer-encoding", "").lower() == "chunked":
                body = yield from self._chunked()
            else:
                body = yield from self._exactly(int(headers.get("content-length", "0")))
            self.wants_continue = False
            yield Request(method, target, headers, body)
            if method == "CONNECT":
                return

    def _chunked(self) -> Generator[None, None, bytes]:
        body = b""
        while size := int((yield from self._until(b"\r\n")).split(b";")[0], 16):
            body += (yield from self._exactly(size + 2))[:-2]
        while (yield from self._until(b"\r\n")):
            pass  # trailers
        return body

    def _until(self, mark: bytes) -> Generator[None, None, bytes]:
        while (end := self._buffer.find(mark)) < 0:
            yield
        found = yield from self._exactly(end + len(mark))
        return found[: -len(mark)]

    def _exactly(self, size: int) -> Generator[None, None, bytes]:
        while len(self._buffer) < size:
            yield
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def request_bytes(request: Request) -> bytes:
    """A request with its body in one piece, whatever way it came."""
    headers = {name: value for name, value in request.headers.items() if name not in ("transfer-encoding", "expect")}
    if request.body:
        headers["content-length"] = str(len(request.body))
    return _head(f"{request.method} {request.target} HTTP/1.1", headers) + request.body


def response_head(status: int, headers: Mapping[str, str]) -> bytes:
    return _head(f"HTTP/1.1 {status} {responses.get(status, '')}", headers)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def last_chunk(trailers: Mapping[str, str]) -> bytes:
    return _head("0", trailers)  # trailers look like headers


def _head(first_line: str, headers: Mapping[str, str]) -> bytes:
    lines = [first_line, *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
