"""token_counter, encode and decode."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from litellm.tokens import encoders
from litellm.tokens.images import UNSEEN, image_tokens
from litellm.tokens.prompt import ANSWER_BEGINS, FRAMINGS, Count, count_prompt


def token_counter(
    model: str = "",
    text: str | Sequence[str] | None = None,
    messages: Sequence[Any] | None = None,
    tools: Sequence[Any] | None = None,
    tool_choice: Any = None,
    count_response_tokens: bool = False,
    use_default_image_token_count: bool = False,
    custom_tokenizer: Any = None,
    default_token_count: int | None = None,
) -> int:
    """The number of tokens of `text`, or of a prompt made of `messages` and `tools`.

    count_response_tokens: the messages are an answer, after which no other begins. use_default_image_token_count: each
    picture is 250, whatever its size. custom_tokenizer: an object with `encode`, or a dict with it under "tokenizer".
    default_token_count: what to return for messages that cannot be counted. Audio and files in messages count nothing.

    Raises ValueError when there is neither text nor messages, or both, or messages are no messages.

    >>> token_counter("gpt-4o", text="Hello world")
    2
    >>> token_counter("gpt-4o", messages=[{"role": "user", "content": "Hello world"}])
    9
    """
    if (text is None) == (messages is None):
        raise ValueError("token_counter needs text or messages, and not both")
    count = _counter(model, custom_tokenizer)
    if text is not None:
        return sum(map(count, [text] if isinstance(text, str) else text))
    picture = _unseen if use_default_image_token_count else image_tokens
    try:
        counted = count_prompt(messages, tools, tool_choice, count, picture, FRAMINGS[encoders.vocabulary_of(model)])
    except ValueError:
        if default_token_count is None:
            raise
        return default_token_count
    return counted if count_response_tokens else counted + ANSWER_BEGINS


def longest(messages: Any) -> int:
    """The most tokens that messages can be, for any model of OpenAI's vocabularies: a byte for each. 0 for what cannot be
    counted. Much faster than counting.

    >>> longest([{"role": "user", "content": "Hello world"}])
    21
    """
    try:
        return ANSWER_BEGINS + count_prompt(messages, None, None, _bytes, image_tokens, FRAMINGS["o200k_base"])
    except ValueError:
        return 0


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def encode(model: str = "", text: str = "", custom_tokenizer: Any = None) -> list[int]:
    """The token ids of `text`. Raises ImportError without tiktoken.

    >>> encode("gpt-4o", "Hello world")
    [13225, 2375]
    """
    return encoders.encode(model, text) if custom_tokenizer is None else _ids(_tokenizer(custom_tokenizer), text)


def decode(model: str = "", tokens: Sequence[int] = (), custom_tokenizer: Any = None) -> str:
    """The text of token ids. Raises KeyError for an unknown id, ImportError without tiktoken.

    >>> decode("gpt-4o", [13225, 2375])
    'Hello world'
    """
    if custom_tokenizer is None:
        return encoders.decode(model, tokens)
    return str(_tokenizer(custom_tokenizer).decode(tokens))


def _unseen(_url: str, _detail: str | None) -> int:
    return UNSEEN


def _tokenizer(custom: Any) -> Any:
    return custom["tokenizer"] if isinstance(custom, dict) else custom


def _ids(tokenizer: Any, text: str) -> list[int]:
    encoded = tokenizer.encode(text)
    return list(getattr(encoded, "ids", encoded))  # Hugging Face's tokenizers return an object


def _counter(model: str, custom_tokenizer: Any) -> Count:
    if custom_tokenizer is None:
        return partial(encoders.count, model)
    tokenizer = _tokenizer(custom_tokenizer)
    return lambda text: len(_ids(tokenizer, text))
