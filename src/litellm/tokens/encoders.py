"""Texts to token ids, with the two vocabularies that OpenAI publishes. They are in the package; nothing is downloaded.

Other vendors keep their tokenizers elsewhere or to themselves. Their texts are counted with cl100k_base, which is near
enough to choose a model or to cut a conversation by.

Without tiktoken a text is estimated as one token for each four bytes of UTF-8, rounded up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import tiktoken

_O200K = re.compile(r"(?:.*/)?(?:ft:)?(?:chatgpt-4o|gpt-(?:4o|4\.1|4\.5|[5-9]|oss)|o[1-9]|codex)(?![a-z0-9]).*")

# A text is encoded in pieces of so many characters: the regular expression of o200k_base fails on a million spaces. Each
# cut can add a token or two.
_PIECE = 100_000

_WORD_ENDING = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"


class Vocabulary(NamedTuple):
    """What openai/tiktoken publishes about an encoding, besides the ranks in NAME.tiktoken.gz."""

    pattern: str
    special: Mapping[str, int]


VOCABULARIES: Mapping[str, Vocabulary] = {
    "cl100k_base": Vocabulary(
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
        r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
        {
            "<|endoftext|>": 100257,
            "<|fim_prefix|>": 100258,
            "<|fim_middle|>": 100259,
            "<|fim_suffix|>": 100260,
            "<|endofprompt|>": 100276,
        },
    ),
    "o200k_base": Vocabulary(
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" + _WORD_ENDING + "|"
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + _WORD_ENDING + "|"
        r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        {"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
    ),
}


def vocabulary_of(model: str) -> str:
    """The name of the vocabulary to count with.

    >>> vocabulary_of("azure/gpt-4o-mini"), vocabulary_of("claude-sonnet-4-5")
    ('o200k_base', 'cl100k_base')
    """
    return "o200k_base" if _O200K.fullmatch(model) else "cl100k_base"


def encode(model: str, text: str) -> list[int]:
    """The token ids of `text`. Text that looks like a special token is text. Raises ImportError without tiktoken."""
    encoding = _needed(model)
    return [token for piece in _pieces(text) for token in encoding.encode_ordinary(piece)]


def decode(model: str, tokens: Sequence[int]) -> str:
    """The text of token ids. Raises KeyError for an id that the vocabulary has not, ImportError without tiktoken."""
    return _needed(model).decode(tokens)


def count(model: str, text: str) -> int:
    """How many tokens `text` is: exactly, or estimated where tiktoken is not installed."""
    encoding = _encoding(vocabulary_of(model))
    if encoding is None:
        return estimate(text)
    return sum(len(encoding.encode_ordinary(piece)) for piece in _pieces(text))


def estimate(text: str) -> int:
    """A guess that needs no vocabulary: one token for each four bytes of UTF-8, rounded up.

    >>> estimate(""), estimate("a"), estimate("Hello world")
    (0, 1, 3)
    """
    return -(-len(text.encode("utf-8", "surrogatepass")) // 4)


def _pieces(text: str) -> Iterator[str]:
    return (text[start : start + _PIECE] for start in range(0, len(text), _PIECE))


def _needed(model: str) -> tiktoken.Encoding:
    encoding = _encoding(vocabulary_of(model))
    if encoding is None:
        raise ImportError("token ids need the package tiktoken: pip install tiktoken")
    return encoding


@lru_cache
def _encoding(name: str) -> tiktoken.Encoding | None:
    """None without tiktoken. Making one takes 0.1 to 0.3 s and 30 to 55 MB."""
    import base64
    import gzip

    try:
        import tiktoken
    except ImportError:
        return None

    pattern, special = VOCABULARIES[name]
    with gzip.open(Path(__file__).with_name(f"{name}.tiktoken.gz")) as lines:
        ranks = {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, lines)}
    made = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens=dict(special))
    ranks.clear()  # the encoding works with a copy outside of Python; this one is another 16 to 30 MB
    return made
