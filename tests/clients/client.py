"""What the tests of all clients know of a client: four things to do with it, and what it makes of the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel

KEY = "sk-the-master-key-of-these-tests"
UPSTREAM_KEY = "key-of-the-upstream"
MODEL, THEIRS = "team/small", "qwen3-4b"  # as clients call it; as the upstream calls it

Messages = Sequence[dict[str, Any]]  # as OpenAI writes them
Vectors = list[list[float]]


@dataclass(frozen=True)
class Said:
    """An answer, as a client shows it to its application."""

    text: str
    calls: list[tuple[str, dict[str, Any]]]  # of tools: name and arguments
    usage: tuple[int, int, int]  # tokens: prompt, completion, total
    pieces: int = 1  # in which the text came


class Client:
    """`params` are those of openai's `chat.completions.create`; every client takes them for one call.

    All methods are coroutines, so that one test holds for clients that block and for clients that await.
    """

    name: ClassVar[str]

    def __init__(self, base: str, key: str, model: str) -> None:
        raise NotImplementedError

    async def whole(self, messages: Messages, tools: Sequence[type[BaseModel]] = (), **params: Any) -> Said:
        raise NotImplementedError

    async def streamed(self, messages: Messages, tools: Sequence[type[BaseModel]] = (), **params: Any) -> Said:
        """Asks for the usage too."""
        raise NotImplementedError

    async def parse(self, messages: Messages, kind: type[BaseModel]) -> BaseModel:
        """An answer that follows a schema."""
        raise NotImplementedError

    async def embed(self, texts: list[str]) -> Vectors:
        raise NotImplementedError

    async def close(self) -> None:
        """Ends its connections, if it has any of its own."""
