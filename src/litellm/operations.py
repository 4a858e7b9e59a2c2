"""What can be asked of a model: one row for each, and all that differs between them is a column.

No other module spells the name of an operation (tests/unit/test_operations.py looks); code that means one takes its row,
`CHAT` say, and code that is given one reads its columns. Another endpoint of OpenAI's kind is another row.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import msgspec


class Subject(msgspec.Struct, frozen=True):
    """What an operation is about: the one parameter without which nothing is asked.

    name: the parameter. types: what it may be in JSON; words: the same for people. advice: what to do about its absence.
    item: what each item has to be, where it must be a list of objects.
    """

    name: str
    types: type | tuple[type, ...]
    words: str
    advice: str
    item: str = ""


class Operation(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One row. There is one object for each, also after copying and pickling: compare them with `is`.

    name: ours. label: what it is called in sentences. method, path: where OpenAI has it, and so do we.
    call_type: LiteLLM's name, as callbacks get it; hook_call_type: as the gateway's own hooks get it, where that differs.
    subject: see there. streams: it can be answered in pieces. generates: the answer is written text, so that quirks of a
    provider's chat apply to its body, and a hook may answer with a text of its own. many_models: `model="a,b"` asks
    several. model_optional: upstreams have a model of their own choice. default_provider: of a model that is not
    configured.
    dialects: the formats (modules in litellm.wire) in which it can be said to an upstream; dialect, the first of them, is
    what it looks like inside. via: by the name of which other operation it can be asked of an upstream or of a handler
    that has no better. split_prompts: several subjects in one body have to be asked apart there.
    answer, chunk: the classes that callers get, as "module:name". sdk: the function, whose asynchronous sibling is named
    a….  handler: a CustomLLM's methods for a whole answer and for a stream, with the like siblings.
    request_type, params: get_supported_openai_params' word for it, and where its answer is listed.
    """

    name: str
    label: str = ""
    method: str = "POST"
    path: str
    call_type: str
    hook_call_type: str = ""
    subject: Subject
    streams: bool = False
    generates: bool = False
    many_models: bool = False
    model_optional: bool = False
    default_provider: str = ""
    dialects: tuple[str, ...]
    dialect: str = ""
    via: str = ""
    split_prompts: bool = False
    answer: str
    chunk: str = ""
    sdk: str
    handler: tuple[str, ...] = ()
    request_type: str = ""
    params: str = ""

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "dialect", self.dialects[0])
        for column, default in (("label", self.name), ("hook_call_type", self.call_type)):
            if not getattr(self, column):
                msgspec.structs.force_setattr(self, column, default)

    def call_type_of(self, *, is_async: bool) -> str:
        """LiteLLM's name for a call of this kind; those of asynchronous calls begin with an "a"."""
        return f"a{self.call_type}" if is_async else self.call_type

    def __copy__(self) -> Operation:
        return self

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return of_name, (self.name,)

    def __repr__(self) -> str:
        return f"<operation {self.name}>"


_TEXTS = (str, list)

CHAT = Operation(
    name="chat",
    label="chat completions",
    path="/chat/completions",
    call_type="completion",
    subject=Subject(
        "messages", list, "a list of messages", "send the conversation as a list of messages",
        item="every message must be an object with role and content",
    ),
    streams=True,
    generates=True,
    many_models=True,
    dialects=("openai_chat",),
    via="text",
    answer="litellm.types.chat:ModelResponse",
    chunk="litellm.types.chat:ModelResponseStream",
    sdk="litellm.sdk.chat:completion",
    handler=("completion", "streaming"),
    request_type="chat_completion",
    params="litellm.types.params:OPENAI_CHAT_PARAMS",
)  # fmt: skip
TEXT = Operation(
    name="text",
    label="completions",
    path="/completions",
    call_type="text_completion",
    subject=Subject("prompt", _TEXTS, "text, tokens, or a list of these", "send the text to be continued"),
    streams=True,
    generates=True,
    dialects=("openai_text",),
    via="chat",
    split_prompts=True,
    answer="litellm.types.completion:TextCompletionResponse",
    chunk="litellm.types.completion:TextCompletionResponse",
    sdk="litellm.sdk.completion:text_completion",
)
EMBEDDINGS = Operation(
    name="embeddings",
    path="/embeddings",
    call_type="embedding",
    hook_call_type="embeddings",
    subject=Subject("input", _TEXTS, "text, tokens, or a list of these", "send the text to be embedded, or a list"),
    dialects=("openai_embeddings",),
    answer="litellm.types.embedding:EmbeddingResponse",
    sdk="litellm.sdk.embedding:embedding",
    handler=("embedding",),
    request_type="embeddings",
    params="litellm.types.params:OPENAI_EMBEDDING_PARAMS",
)
MODERATIONS = Operation(
    name="moderations",
    path="/moderations",
    call_type="moderation",
    subject=Subject("input", _TEXTS, "text or a list", "send the text to be looked at, or a list"),
    model_optional=True,
    default_provider="openai",
    dialects=("openai_moderations",),
    answer="litellm.types.moderation:ModerationCreateResponse",
    sdk="litellm.sdk.moderation:moderation",
)

OPERATIONS: tuple[Operation, ...] = (CHAT, TEXT, EMBEDDINGS, MODERATIONS)

BY_NAME = {row.name: row for row in OPERATIONS}


def of_name(name: str) -> Operation:
    """The operation of that name. Raises KeyError.

    >>> of_name("chat").path
    '/chat/completions'
    """
    return BY_NAME[name]


@cache
def load(address: str) -> Any:
    """What a column names as "module:name", imported when it is first asked for: pydantic builds a class in
    milliseconds, and most processes use one of them.

    >>> load("litellm.types.params:is_ours")("num_retries")
    True
    """
    module, _, name = address.partition(":")
    return getattr(import_module(module), name)
