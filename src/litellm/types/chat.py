"""Chat completions: the answer, its parts, and the chunks of a stream. The shapes are OpenAI's.

Source of the format: https://platform.openai.com/docs/api-reference/chat. Which fields exist when unset, and which are
absent until set, follows LiteLLM: callers branch on `hasattr`.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from litellm.types.answer import Answered
from litellm.types.base import Integer, Number, OpenAIObject, Text

# The same thought under two names: vLLM and OpenRouter say `reasoning`, DeepSeek and LiteLLM `reasoning_content`.
_REASONING = {"reasoning_content": "reasoning", "reasoning": "reasoning_content"}
# Fields that exist only when they say something (an upstream's null counts as silence).
_ABSENT_WHEN_NULL = ("reasoning_content", "thinking_blocks", "audio", "images", "annotations")


class Function(OpenAIObject):
    arguments: Text = ""
    name: Text | None = None


class ChatCompletionMessageToolCall(OpenAIObject):
    function: Function = Field(default_factory=Function)
    id: Text | None = None
    type: Text | None = "function"


class ChatCompletionDeltaToolCall(OpenAIObject):
    id: Text | None = None
    function: Function = Field(default_factory=Function)
    type: Text | None = None
    index: Integer = 0


class FunctionCall(OpenAIObject):
    arguments: Text = ""
    name: Text | None = None


class PromptTokensDetailsWrapper(OpenAIObject):
    audio_tokens: Integer | None = None
    cached_tokens: Integer | None = None


class CompletionTokensDetailsWrapper(OpenAIObject):
    accepted_prediction_tokens: Integer | None = None
    audio_tokens: Integer | None = None
    reasoning_tokens: Integer | None = None
    rejected_prediction_tokens: Integer | None = None


class Usage(OpenAIObject):
    """Tokens of one call. Providers add fields of their own (`cost`, `cache_read_input_tokens`, …); they are kept."""

    completion_tokens: Integer = 0
    prompt_tokens: Integer = 0
    total_tokens: Integer = 0
    completion_tokens_details: CompletionTokensDetailsWrapper | None = None
    prompt_tokens_details: PromptTokensDetailsWrapper | None = None


class _Spoken(OpenAIObject):
    """What Message and Delta share: reasoning under both of its names, and no empty optional fields."""

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, data: Any) -> Any:
        if isinstance(data, dict) and None in data.values():
            empty = [name for name in _ABSENT_WHEN_NULL if name in data and data[name] is None]
            if empty:
                return {key: value for key, value in data.items() if key not in empty}
        return data

    def __getattr__(self, name: str) -> Any:
        other = _REASONING.get(name)
        extra = object.__getattribute__(self, "__pydantic_extra__")
        if other is not None and extra and name not in extra and other in extra:
            return extra[other]
        return super().__getattr__(name)  # type: ignore[misc]  # pydantic hides it from type checkers


class Message(_Spoken):
    content: Text | None = None
    role: Text = "assistant"
    tool_calls: list[ChatCompletionMessageToolCall] | None = None
    function_call: FunctionCall | None = None
    provider_specific_fields: dict[str, Any] | None = None

    def __init__(self, /, content: Any = None, role: str | None = "assistant", **fields: Any) -> None:
        super().__init__(**{"content": content, "role": role or "assistant", **fields})


class Delta(_Spoken):
    content: Text | None = None
    role: Text | None = None
    function_call: FunctionCall | None = None
    tool_calls: list[ChatCompletionDeltaToolCall] | None = None
    audio: Any = None
    provider_specific_fields: dict[str, Any] | None = None


class _Choice(OpenAIObject):
    @model_serializer(mode="wrap")
    def _without_empty_extras(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """LiteLLM shows an empty provider_specific_fields only on a message that is dumped by itself."""
        data: dict[str, Any] = handler(self)
        for name in ("message", "delta"):
            inner = data.get(name)
            if isinstance(inner, dict) and inner.get("provider_specific_fields", ...) is None:
                del inner["provider_specific_fields"]
        return data


class Choices(_Choice):
    finish_reason: Text | None = "stop"
    index: Integer = 0
    message: Message = Field(default_factory=Message)


class StreamingChoices(_Choice):
    finish_reason: Text | None = None
    index: Integer = 0
    delta: Delta = Field(default_factory=Delta)
    logprobs: Any = None


class ModelResponseBase(Answered):
    id: Text = Field(default_factory=lambda: f"chatcmpl-{uuid.uuid4()}")
    created: Number = Field(default_factory=lambda: int(time.time()))
    model: Text | None = None
    object: Text = "chat.completion"
    system_fingerprint: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _usage_as_object(cls, data: Any) -> Any:
        """`usage` is no declared field (callers look for it in model_extra), so its type is seen to here."""
        if isinstance(data, dict) and "usage" in data and not isinstance(data["usage"], Usage):
            data = dict(data)
            if data["usage"] is None:
                del data["usage"]
            elif isinstance(data["usage"], dict):
                data["usage"] = Usage.model_validate(data["usage"])
        return data


class ModelResponse(ModelResponseBase):
    """A whole answer. `usage` is there when the upstream sent it (then it is a Usage).

    >>> ModelResponse(choices=[{"message": {"content": "Hi!"}}]).choices[0].message.content
    'Hi!'
    """

    choices: list[Choices] = Field(default_factory=lambda: [Choices()])
    if TYPE_CHECKING:
        usage: Usage  # not a declared field: it is there when the upstream sent it, and callers look in model_extra

    def __init__(self, /, **fields: Any) -> None:
        fields.pop("stream", None)  # LiteLLM's constructor has it; a stream's chunks are ModelResponseStream
        hidden = fields.pop("_hidden_params", None)
        super().__init__(**fields)
        if hidden:
            self._hidden_params = hidden


class ModelResponseStream(ModelResponseBase):
    """One chunk of a stream. `usage` exists only on the chunk that carries it."""

    object: Text = "chat.completion.chunk"
    choices: list[StreamingChoices] = Field(default_factory=lambda: [StreamingChoices()])
    provider_specific_fields: dict[str, Any] | None = None
