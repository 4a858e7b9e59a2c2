"""The two vocabularies: OpenAI's own, whole, from the package; and what happens without tiktoken."""

from __future__ import annotations

import gzip
import hashlib
import time
from pathlib import Path

import pytest
import tiktoken_ext.openai_public
from hypothesis import given
from hypothesis import strategies as st
from tests.processes import run_python

from litellm.tokens import encoders
from litellm.tokens.encoders import VOCABULARIES, count, decode, encode, estimate, vocabulary_of

MODELS = {"o200k_base": "gpt-4o", "cl100k_base": "gpt-4"}


@pytest.mark.parametrize("name", VOCABULARIES)
def test_vocabularies_are_the_published_ones(name: str, monkeypatch) -> None:
    """Pattern, special tokens and the checksum of the ranks are those that tiktoken itself would use."""
    published = {}
    monkeypatch.setattr(
        tiktoken_ext.openai_public,
        "load_tiktoken_bpe",
        lambda _url, expected_hash: published.update(hash=expected_hash) or {},
    )
    published |= getattr(tiktoken_ext.openai_public, name)()
    ranks = gzip.decompress(Path(encoders.__file__).with_name(f"{name}.tiktoken.gz").read_bytes())
    assert hashlib.sha256(ranks).hexdigest() == published["hash"]
    assert VOCABULARIES[name] == (published["pat_str"], published["special_tokens"])


@pytest.mark.parametrize(
    ("vocabulary", "models"),
    [
        (
            "o200k_base",
            "gpt-4o gpt-4o-mini gpt-4o-2024-08-06 chatgpt-4o-latest gpt-4.1 gpt-4.1-nano gpt-4.5-preview gpt-5 gpt-5.4-mini o1 o3-pro "
            "o4-mini gpt-oss-120b codex-mini-latest openai/gpt-4o azure/gpt-5 openrouter/openai/o3 ft:gpt-4o:acme::id "
            "openai/ft:gpt-4.1:acme::id",
        ),
        ("cl100k_base", "gpt-4 gpt-4-turbo gpt-3.5-turbo text-embedding-3-small claude-sonnet-4-5 ollama/llama3 o200 gpt-40 gpt-4op my-gpt-4o x"),
    ],
)  # fmt: skip
def test_which_vocabulary(vocabulary: str, models: str) -> None:
    assert {vocabulary_of(model) for model in models.split()} == {vocabulary}
    assert vocabulary_of("") == "cl100k_base"


def test_known_ids() -> None:
    assert encode("gpt-4o", "Hello world") == [13225, 2375]
    assert encode("gpt-4", "Hello world") == [9906, 1917]
    assert (encode("gpt-4", ""), decode("gpt-4", []), count("gpt-4", "")) == ([], "", 0)


@pytest.mark.parametrize("model", MODELS.values())
@given(text=st.text())
def test_what_is_encoded_can_be_decoded(model: str, text: str) -> None:
    tokens = encode(model, text)
    assert decode(model, tokens) == text
    assert len(tokens) == count(model, text)
    assert all(type(token) is int for token in tokens)
    assert (len(tokens) > 0) == (text != "")


def test_special_tokens_in_a_text_are_text() -> None:
    """A user who writes <|endoftext|> ends nothing, and nothing raises."""
    assert decode("gpt-4o", encode("gpt-4o", "<|endoftext|>")) == "<|endoftext|>"
    assert len(encode("gpt-4o", "<|endoftext|>")) > 1


def test_half_of_a_surrogate_pair_is_counted() -> None:
    """JSON may carry one, UTF-8 not."""
    assert count("gpt-4o", "\ud83d") > 0
    assert estimate("\ud83d") == 1


def test_an_id_that_no_vocabulary_has() -> None:
    with pytest.raises(KeyError):
        decode("gpt-4o", [10**6])


@pytest.mark.alone
@pytest.mark.parametrize("model", MODELS.values())
@pytest.mark.parametrize("unit", ["a", " ", "\n", "!", "漢", "the quick brown fox "])
def test_a_million_characters_take_a_second(model: str, unit: str) -> None:
    """A megabyte of the same letter is not quadratic; of spaces, it does not overflow the regular expression's stack."""
    text = (unit * 1_000_000)[:1_000_000]
    count(model, "warm")
    before = time.perf_counter()
    counted = count(model, text)
    assert time.perf_counter() - before < 3.0
    assert 1_000_000 / 200 < counted <= 2_000_000


def test_cutting_a_long_text_adds_next_to_nothing() -> None:
    text = "The quick brown fox jumps over the lazy dog. " * 10_000
    whole = encoders._encoding("o200k_base").encode_ordinary(text)
    assert 0 <= count("gpt-4o", text) - len(whole) <= 2 * (len(text) // 100_000)
    assert decode("gpt-4o", encode("gpt-4o", text)) == text


# --- without tiktoken ---------------------------------------------------------------------------------------------------


@given(st.text(min_size=1))
def test_the_estimate_is_never_0_for_a_text(text: str) -> None:
    assert 1 <= estimate(text) <= len(text)
    assert estimate(text + text) >= estimate(text)


def test_without_tiktoken_texts_are_estimated() -> None:
    """Counting goes on, and token ids are refused in words."""
    code = """
import sys
sys.modules["tiktoken"] = None  # what makes `import tiktoken` raise ImportError
from litellm.tokens.count import encode, token_counter
print(token_counter("gpt-4o", text="Hello world"), token_counter("gpt-4o", messages=[{"role": "user", "content": "Hello world"}]))
try: encode("gpt-4o", "Hello world")
except ImportError as error: print(error)
"""
    done = run_python(code)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "3 10\ntoken ids need the package tiktoken: pip install tiktoken\n"


def test_nothing_is_loaded_before_the_first_count_and_nothing_downloaded() -> None:
    """P7: no tiktoken at import, no socket ever, no cache directory."""
    code = """
import sys
seen = []
sys.addaudithook(lambda event, args: seen.append(event) if event.startswith(("socket.", "urllib.", "os.mkdir")) else None)
import litellm.tokens.count, litellm.tokens.encoders
assert "tiktoken" not in sys.modules
assert litellm.tokens.count.token_counter("gpt-4o", text="Hello world") == 2
assert litellm.tokens.count.token_counter("gpt-4", text="Hello world") == 2
assert "tiktoken" in sys.modules and "requests" not in sys.modules
assert seen == [], seen
"""
    done = run_python(code)
    assert (done.returncode, done.stderr) == (0, "")
