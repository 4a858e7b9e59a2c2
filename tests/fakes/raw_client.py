"""A client that hides nothing: for tests that want to see what really comes over the wire."""

import contextlib
import http.client
import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .server import Server

CHAT = "/v1/chat/completions"
HI = [{"role": "user", "content": "hi"}]


@dataclass(frozen=True)
class Response:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    server: Server, path: str = CHAT, *, method: str = "POST", headers: Mapping[str, str] | None = None, **fields: Any
) -> Response:
    """One request by http.client on a connection of its own."""
    body = json.dumps({"model": "m", "messages": HI, **fields}) if method == "POST" else None
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=2)) as connection:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return Response(response.status, response.headers, response.read())


def request(path: str = CHAT, *, headers: Sequence[str] = (), **fields: Any) -> bytes:
    body = json.dumps({"model": "m", "messages": HI, **fields}).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def dial(server: Server) -> contextlib.closing[socket.socket]:
    return contextlib.closing(socket.create_connection(("127.0.0.1", server.port), timeout=2))


def until_eof(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(65536), b""))


def ask_raw(server: Server, **fields: Any) -> bytes:
    """Everything the server sends for one request, to the last byte."""
    with dial(server) as sock:
        sock.sendall(request(headers=["Connection: close"], **fields))
        return until_eof(sock)
