"""All that can be asked of a gateway: the four operations, and streams of those that have them. For tests of what holds for
each of them."""

from typing import Any

from tests.e2e.talk import HI, Answer, Talk

ASKED = {
    "chat": ("/v1/chat/completions", {"messages": HI}),
    "chat streamed": ("/v1/chat/completions", {"messages": HI, "stream": True}),
    "text": ("/v1/completions", {"prompt": "hi"}),
    "text streamed": ("/v1/completions", {"prompt": "hi", "stream": True}),
    "embeddings": ("/v1/embeddings", {"input": "hi"}),
    "moderations": ("/v1/moderations", {"input": "hi"}),
}


def ask(
    talk: Talk, what: str = "chat", *, path: str = "", headers: dict[str, str] | None = None, **fields: Any
) -> Answer:
    """A request that is fine unless `fields` make it otherwise. path: what to add to the usual one."""
    where, body = ASKED[what]
    return talk.chat(path=where + path, headers=headers, **{"messages": ..., **body, **fields})
