"""OpenAI's chat completions: what most of the world speaks, and what we speak inside.

Source: https://platform.openai.com/docs/api-reference/chat. Since both sides are the same format, this module mostly
passes through; what it adds is the checks that make an answer trustworthy (is it one? is the stream complete?).
"""

from __future__ import annotations

from functools import partial
from typing import Any

from litellm import _json
from litellm.wire import openai_stream
from litellm.wire.openai_client import accept, encoder, present, present_error, relabel
from litellm.wire.openai_format import SHAPE_ERRORS, error, excerpt, peek_choices, read_choices, request
from litellm.wire.openai_stream import framing
from litellm.wire.protocol import Body, Outgoing, WrongShape
from litellm.wire.texts import texts

__all__ = [
    "NAME", "PATH", "Rules", "accept", "decode", "encoder", "error", "framing", "peek", "present", "present_error",
    "relabel", "request", "rules", "texts",
]  # fmt: skip

NAME = "openai_chat"
PATH = "/chat/completions"
MAX_PROMPTS = None


def decode(data: bytes, out: Outgoing) -> Body:
    """An answer, with id and created where the upstream left them out. Raises WrongShape, StreamFault."""
    answer = read_choices(data, out, Rules.PREFIX)
    try:
        for choice in answer["choices"]:
            message = choice.get("message")
            if message and message.get("tool_calls"):
                for call in message["tool_calls"]:
                    _stringify_arguments(call)
                if choice.get("finish_reason") == "stop":  # some servers forget; agents go by it
                    choice["finish_reason"] = "tool_calls"
    except SHAPE_ERRORS as error:
        raise WrongShape(f"the answer is not shaped as one ({error}): {excerpt(data)}") from None
    return answer


# Tool calls are looked at, by decode().
peek = partial(peek_choices, unless=b'"tool_calls"')


def _stringify_arguments(call: Any) -> bool:
    """Make a tool call's arguments the string that OpenAI's format has there; some servers send an object."""
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or isinstance(function.get("arguments", ""), str | None):
        return False
    function["arguments"] = _json.encode(function["arguments"]).decode()
    return True


def rules(out: Outgoing) -> Rules:
    """What the events of one stream mean."""
    return Rules(out)


class Rules(openai_stream.Rules):
    """Chat's: besides, tool calls get a stable index, one id and name each, and arguments that are strings."""

    OBJECT = "chat.completion.chunk"
    PREFIX = "chatcmpl-"

    __slots__ = ("_tools",)

    def __init__(self, out: Outgoing) -> None:
        super().__init__(out)
        self._tools: dict[tuple[int, int], tuple[str | None, str | None]] = {}

    def _note(self, choices: list[Any]) -> bool:
        """Follow which choices have begun and ended. Says whether a tool call had to be changed."""
        changed = False
        for choice in choices:
            if not isinstance(choice, dict):
                raise WrongShape("a choice of the stream is not an object")
            index = choice.get("index", 0)
            self._begun.add(index)
            delta = choice.get("delta")
            if delta is None:
                choice["delta"] = {}
                changed = True
            if delta and delta.get("tool_calls"):
                changed = self._settle_tools(index, delta["tool_calls"]) or changed
            reason = choice.get("finish_reason")
            if reason:
                self._ended.add(index)
                if reason == "stop" and self._tools and any(owner == index for owner, _ in self._tools):
                    choice["finish_reason"] = "tool_calls"
                    changed = True
        return changed

    def _settle_tools(self, choice: int, calls: list[Any]) -> bool:
        """Tool calls as OpenAI streams them: a stable index; id and name once, on the first delta of an index."""
        changed = False
        for call in calls:
            if not isinstance(call, dict):
                continue
            changed = _stringify_arguments(call) or changed
            function = call.get("function") or {}
            sent = (call.get("id") or None, function.get("name") or None)
            known = self._tools.get((choice, call.get("index", -1)))
            if known is None or (sent[1] and sent[0] and sent[0] != known[0]):
                if known is not None or not isinstance(call.get("index"), int):
                    call["index"] = self._index_for(choice, sent[0])
                    changed = True
                known = self._tools.get((choice, call["index"]))
            if known is None:
                self._tools[choice, call["index"]] = sent
                continue
            for holder, name, value in ((call, "id", known[0]), (function, "name", known[1])):
                if name in holder and (value or not holder[name]):
                    del holder[name]
                    changed = True
        return changed

    def _index_for(self, choice: int, call_id: str | None) -> int:
        mine = {index: known[0] for (owner, index), known in self._tools.items() if owner == choice}
        for index, known_id in mine.items():
            if call_id is not None and known_id == call_id:
                return index
        if call_id is None and mine:
            return max(mine)
        return max(mine, default=-1) + 1
