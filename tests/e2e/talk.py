"""Talking to a gateway as a client does, by bare HTTP: nothing is corrected, retried or hidden on the way."""

import contextlib
import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any

KEY = "sk-master-key-of-the-e2e-tests"  # strong, so it counts as one
CHAT = "/v1/chat/completions"
HI = [{"role": "user", "content": "hi"}]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """What the model said."""
        return self.json()["choices"][0]["message"]["content"]

    @property
    def error(self) -> dict[str, Any]:
        """The error object, which has to have OpenAI's shape."""
        assert self.headers["content-type"] == "application/json"
        (name,) = body = self.json()
        assert name == "error", body
        error = body["error"]
        assert error.keys() >= {"message", "type", "param", "code"}, error
        assert isinstance(error["message"], str)
        assert error["message"]
        assert isinstance(error["type"], str)
        assert error["param"] is None or isinstance(error["param"], str)
        assert error["code"] == str(self.status)
        assert "Traceback" not in error["message"]
        assert 'File "' not in error["message"]
        return error

    @property
    def events(self) -> list[Any]:
        """The payloads of a stream; the last one has to be [DONE]."""
        assert self.headers["content-type"].startswith("text/event-stream"), self.body
        *events, done, rest = self.body.decode().split("\n\n")
        assert (done, rest) == ("data: [DONE]", "")
        return [json.loads(event.removeprefix("data: ")) for event in events]

    @property
    def streamed_text(self) -> str:
        return text_of(self.events)


def text_of(chunks: list[Any]) -> str:
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])


class Talk:
    """A client of one gateway. Every request has a connection of its own."""

    def __init__(self, gateway: Any, key: str | None = KEY) -> None:
        self.gateway = gateway
        self.key = key

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        *,
        patience: float = 15.0,
        chunked: bool = False,
    ) -> Answer:
        """headers: a None in it leaves out one that we would send."""
        usual = {"content-type": "application/json"}
        if self.key is not None:
            usual["authorization"] = f"Bearer {self.key}"
        sent = {name: value for name, value in (usual | (headers or {})).items() if value is not None}
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=patience)) as line:
            line.request(method, path, body, sent, encode_chunked=chunked)
            response = line.getresponse()
            seen = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, seen, response.read())

    def get(self, path: str, **options: Any) -> Answer:
        return self.send("GET", path, **options)

    def post(self, body: bytes | str, *, path: str = CHAT, **options: Any) -> Answer:
        return self.send("POST", path, body.encode() if isinstance(body, str) else body, **options)

    def chat(
        self, *, path: str = CHAT, headers: dict[str, str] | None = None, patience: float = 15.0, **fields: Any
    ) -> Answer:
        """A request that is fine unless `fields` make it otherwise; a field that is ... is left out."""
        about = {"model": "m", "messages": HI, **fields}
        about = {name: value for name, value in about.items() if value is not ...}
        return self.post(json.dumps(about), path=path, headers=headers, patience=patience)

    def dial(self) -> contextlib.closing[socket.socket]:
        """A bare connection."""
        return contextlib.closing(socket.create_connection(("127.0.0.1", self.gateway.port), timeout=5.0))

    def raw(self, data: bytes, *, half_close: bool = False) -> bytes:
        """All that comes back for these bytes until the gateway hangs up."""
        with self.dial() as sock:
            sock.sendall(data)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
            return until_eof(sock)

    def request_bytes(self, *, extra: str = "", **fields: Any) -> bytes:
        body = json.dumps({"model": "m", "messages": HI, **fields})
        return (
            f"POST {CHAT} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{extra}\r\n{body}"
        ).encode()


def until_eof(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(65536), b""))


def deployment(name: str, up: Any, *, model: str = "", info: dict[str, Any] | None = None, **params: Any) -> str:
    """One entry of model_list, in YAML's flow style, which JSON is part of."""
    params = {"model": model or f"openai/{name}", "api_base": up.base, "api_key": "sk-key-of-the-upstream", **params}
    entry = {"model_name": name, "litellm_params": params, **({"model_info": info} if info else {})}
    return f"- {json.dumps(entry)}\n"
