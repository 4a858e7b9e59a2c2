"""The answers that are no chat: built as LiteLLM's users build them, and read as they read them."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.suite.examples import examples

from litellm.types.categories import CATEGORIES
from litellm.types.chat import Usage
from litellm.types.completion import TextCompletionResponse
from litellm.types.embedding import Embedding, EmbeddingResponse
from litellm.types.moderation import Categories, ModerationCreateResponse

ANSWERS = [
    TextCompletionResponse(choices=[{"text": "a", "vendor": 1}], usage={"total_tokens": 3}, service_tier="x"),
    EmbeddingResponse(model="m", data=[{"embedding": [0.5]}], usage=Usage(prompt_tokens=1), extra={"a": None}),
    ModerationCreateResponse.read({"id": "1", "results": [{"flagged": True, "categories": {"hate": True}}], "more": 1}),
]
each = pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: type(answer).__name__)


@each
def test_copies_are_equal(answer):
    assert pickle.loads(pickle.dumps(answer)) == copy.deepcopy(answer) == answer
    assert type(answer).read(answer.model_dump()) == answer


@each
def test_they_read_like_mappings(answer):
    assert set(answer.keys()) == set(answer.model_dump())
    assert answer["id" if hasattr(answer, "id") else "model"] == answer.get("id", answer.get("model"))
    assert "nothing" not in answer
    with pytest.raises(AttributeError):
        answer["nothing"]


@each
def test_hidden_parameters_are_ones_own(answer):
    assert answer._hidden_params == {}
    assert answer.response_ms is answer._response_ms is None
    assert type(answer)()._hidden_params is not type(answer)()._hidden_params


def test_empty_ones():
    """What a handler is given to fill."""
    assert TextCompletionResponse().choices[0].text is None
    assert TextCompletionResponse().id.startswith("cmpl-")
    empty = EmbeddingResponse()
    assert (empty.data, empty.object, empty.usage.completion_tokens) == ([], "list", 0)
    assert empty.data is not EmbeddingResponse().data
    assert Embedding(embedding=[1], index=3)["index"] == 3


@examples(50)
@given(st.dictionaries(st.sampled_from([*CATEGORIES, "new/kind"]), st.booleans() | st.none() | st.floats(0, 1)))
def test_categories(sent):
    """Every category can be read, by item and by attribute; those that we do not know as well."""
    found = Categories.read(sent)
    for name in CATEGORIES:
        attribute = name.replace("/", "_").replace("-", "_")
        assert found[name] == getattr(found, attribute) == sent.get(name)
    assert dict(found.items()) == {**dict.fromkeys(CATEGORIES), **sent}
