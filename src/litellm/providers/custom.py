"""Your own handler as a provider: the base class, its error, and the chunks that it may yield."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from litellm.wire.openai_chat import Rules
from litellm.wire.protocol import Body, Chunk, Outgoing

if TYPE_CHECKING:
    from litellm.types.chat import ModelResponse, ModelResponseStream
    from litellm.types.embedding import EmbeddingResponse
    from litellm.types.streaming import GenericStreamingChunk


class CustomLLMError(Exception):
    """Raise it in a handler: `status_code` becomes the HTTP status, and decides about retries and fallbacks."""

    def __init__(self, status_code: int, message: str) -> None:
        self.status_code = status_code
        self.message = message
        super().__init__(message)


class BaseLLM:
    """LiteLLM's base class of CustomLLM."""


def _not_implemented() -> NoReturn:
    raise CustomLLMError(status_code=500, message="Not implemented yet!")


class CustomLLM(BaseLLM):
    """Subclass it, implement what you need, and register an instance in `litellm.custom_provider_map`.

    Methods are called with keyword arguments: model, messages (for embeddings: input), optional_params, litellm_params
    (every key of the deployment's YAML, and metadata), api_base, api_key, headers, timeout, model_response (an empty one
    to fill), … Write **kwargs for those that you do not need, or leave them out. A method that is missing is made up for
    by its sync or async sibling, or by the whole answer as a stream; completions go to the methods for chat.

    >>> import litellm
    >>> class Echo(litellm.CustomLLM):
    ...     def completion(self, *, messages, model_response, **kwargs):
    ...         model_response.choices[0].message.content = messages[-1]["content"]
    ...         return model_response
    >>> litellm.custom_provider_map = [{"provider": "echo", "custom_handler": Echo()}]
    >>> litellm.completion("echo/any", [{"role": "user", "content": "Hi"}]).choices[0].message.content
    'Hi'
    """

    def __init__(self) -> None:
        super().__init__()

    def completion(self, *args: Any, **kwargs: Any) -> ModelResponse:  # noqa: ARG002
        _not_implemented()

    def streaming(self, *args: Any, **kwargs: Any) -> Iterator[GenericStreamingChunk | ModelResponseStream]:  # noqa: ARG002
        _not_implemented()

    async def acompletion(self, *args: Any, **kwargs: Any) -> ModelResponse:  # noqa: ARG002
        _not_implemented()

    async def astreaming(self, *args: Any, **kwargs: Any) -> AsyncIterator[GenericStreamingChunk | ModelResponseStream]:  # noqa: ARG002
        _not_implemented()
        yield

    def embedding(self, *args: Any, **kwargs: Any) -> EmbeddingResponse:  # noqa: ARG002
        _not_implemented()

    async def aembedding(self, *args: Any, **kwargs: Any) -> EmbeddingResponse:  # noqa: ARG002
        _not_implemented()

    # Part of LiteLLM's class, so that subclasses may call them; images are not served yet.

    def image_generation(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        _not_implemented()

    async def aimage_generation(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        _not_implemented()

    def image_edit(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        _not_implemented()

    async def aimage_edit(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        _not_implemented()


def implemented(handler: Any, *names: str) -> bool:
    """Whether the handler has one of these methods of its own."""
    for name in names:
        method = getattr(type(handler), name, None) or getattr(handler, name, None)
        if callable(method) and method is not getattr(CustomLLM, name):
            return True
    return False


class HandlerRules(Rules):
    """What a handler's chunks mean: GenericStreamingChunks, or OpenAI's. A handler that returns has said all."""

    __slots__ = ("_called_tools", "_head", "_role_sent")

    def __init__(self, out: Outgoing) -> None:
        super().__init__(out)
        self._head = {
            "id": f"{self.PREFIX}{out.new_id()}", "object": self.OBJECT, "created": int(out.now()), "model": out.model,
        }  # fmt: skip
        self._called_tools = False
        self._role_sent = False

    def take(self, value: Body, payload: bytes | None) -> list[Chunk]:
        """The chunks in one of the handler's."""
        chunks: list[Chunk] = []
        for each in [{**self._head, **value}] if "choices" in value else self._generic(value):
            for at, choice in enumerate(each["choices"]):
                choice.setdefault("index", at)
                choice.setdefault("delta", {})
            chunks += super().take(each, payload)
        return chunks

    def close(self) -> list[Chunk]:
        """An end for each choice that has none."""
        closing: list[Chunk] = []
        reason = "tool_calls" if self._called_tools else "stop"
        for index in sorted(self._begun - self._ended) or ([] if self._begun else [0]):
            closing += super().take(self._chunk({}, reason, index), None)
        return closing + super().close()

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None, index: int = 0) -> dict[str, Any]:
        if not self._role_sent:
            delta = {"role": "assistant", **delta}
            self._role_sent = True
        return {**self._head, "choices": [{"index": index, "delta": delta, "finish_reason": finish_reason}]}

    def _generic(self, data: Any) -> list[dict[str, Any]]:
        """Text and end in one chunk become two, in this order: the end carries an empty delta, as OpenAI sends it."""
        choice = 0  # GenericStreamingChunk's `index` numbers the tool call or the chunk, never a choice
        delta: dict[str, Any] = {}
        if data.get("text"):
            delta["content"] = data["text"]
        if data.get("tool_use"):
            delta["tool_calls"] = [dict(data["tool_use"])]
            self._called_tools = True
        if data.get("provider_specific_fields"):
            delta["provider_specific_fields"] = data["provider_specific_fields"]
            for name in ("reasoning_content", "thinking_blocks"):
                if name in data["provider_specific_fields"]:
                    delta[name] = data["provider_specific_fields"][name]
        chunks = [self._chunk(delta, None, choice)] if delta else []
        if data.get("is_finished"):
            reason = data.get("finish_reason") or "stop"
            if self._called_tools and reason == "stop":
                reason = "tool_calls"
            chunks.append(self._chunk({}, reason, choice))
        usage = data.get("usage")
        if usage:
            usage = usage if isinstance(usage, dict) else usage.model_dump()
            chunks.append({**self._head, "choices": [], "usage": usage})
        return chunks
