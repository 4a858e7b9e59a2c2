"""What is known about a model, and under which names it is found."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.processes import run_python

from litellm.catalog import info, store
from litellm.catalog.facts import ABILITIES, Facts, facts
from litellm.catalog.info import ModelNotMappedError, get_max_tokens, get_model_info, register_model
from litellm.catalog.store import Catalog, model_cost

FILE = Path(store.__file__).with_name("models.json")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from([
    "litellm_provider", "mode", "max_input_tokens", "max_output_tokens", "max_tokens", "tiered_pricing",
    "input_cost_per_token", "input_cost_per_token_above_200k_tokens", "supports_vision",
])  # fmt: skip


@pytest.fixture
def registered():
    """Names that a test may register; they are gone afterwards."""
    before = set(model_cost)
    yield
    for name in set(model_cost) - before:
        del model_cost[name]


# --- which entry --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "provider", "key"),
    [
        ("gpt-4o", None, "gpt-4o"),
        ("openai/gpt-4o", None, "gpt-4o"),
        ("gpt-4o", "openai", "gpt-4o"),
        ("openai/gpt-4o", "openai", "gpt-4o"),
        ("gpt-4o", "azure", "azure/gpt-4o"),
        ("gemini-2.5-pro", "gemini", "gemini/gemini-2.5-pro"),
        ("vertex_ai/gemini-2.5-pro", None, "gemini-2.5-pro"),  # vertex_ai-language-models'
        ("openai/gpt-3.5-turbo-instruct", None, "gpt-3.5-turbo-instruct"),  # text-completion-openai's
        ("gpt-5.4-2031-01-02", None, "gpt-5.4"),
        ("openai/gpt-4o-20310102", None, "gpt-4o"),
        ("gpt-4o-2024-08-06", None, "gpt-4o-2024-08-06"),  # what is there under its full name is not shortened
        ("ft:gpt-4o-2024-08-06:acme::id", None, "ft:gpt-4o-2024-08-06"),
        # Not the provider's: some server that speaks OpenAI's format, at an unknown price.
        ("openai/claude-sonnet-4-5", None, None),
        ("claude-sonnet-4-5", "openai", None),
        ("gpt-4o", "openai_like", None),
        ("anthropic/claude-sonnet-4-5", "openrouter", None),
        ("nobody/knows", None, None),
        ("", None, None),
        ("/", "", None),
    ],
)
def test_the_order_of_names(model: str, provider: str | None, key: str | None) -> None:
    found = facts(model, provider)
    assert (found and found.key) == key


def test_every_entry_is_found_under_its_own_name() -> None:
    assert [name for name in model_cost if (found := facts(name)) is None or found.key != name] == []


@given(st.text(max_size=40), st.none() | st.text(max_size=10))
def test_no_name_is_too_strange(model: str, provider: str | None) -> None:
    facts(model, provider)


# --- what it says -------------------------------------------------------------------------------------------------------


def test_facts_of_a_model() -> None:
    found = facts("gpt-5.4")
    assert found is not None
    assert (found.litellm_provider, found.mode, found.max_input_tokens) == ("openai", "chat", 1050000)
    assert (found.input_cost_per_token, found.output_cost_per_token, found.steps) == (2.5e-06, 1.5e-05, (272,))
    assert found.rates["cache_read_input_token_cost"] == 2.5e-07
    assert {"vision", "reasoning"} <= found.supports


def test_ranges_of_prices_are_steps() -> None:
    found = facts("dashscope/qwen-flash")
    assert found is not None
    assert (found.steps, found.input_cost_per_token) == ((256,), 5e-08)
    assert found.rates["input_cost_per_token_above_256k_tokens"] == 2.5e-07


def test_what_is_denied_and_what_is_unknown() -> None:
    found = facts("gpt-audio"), facts("gpt-4")
    assert [each is not None and "response_schema" in each.supports for each in found] == [False, False]
    assert [each is not None and "response_schema" in each.lacks for each in found] == [True, False]


def test_limits_of_0_are_unknown() -> None:
    found = facts("vercel_ai_gateway/mistral/mistral-embed")
    assert found is not None
    assert (found.max_input_tokens, found.max_output_tokens) == (None, None)


def test_numbers_may_be_text() -> None:
    """YAML reads 1e-6 as a string."""
    found = Facts.of("mine", {"input_cost_per_token": "1e-6", "max_input_tokens": "8192", "output_cost_per_token": "?"})
    assert (found.input_cost_per_token, found.output_cost_per_token, found.max_input_tokens) == (1e-6, None, 8192)


@given(st.dictionaries(FIELDS, JSON))
def test_any_entry_can_be_read(entry: dict) -> None:
    found = Facts.of("any", entry)
    assert all(isinstance(rate, float) for rate in found.rates.values())
    assert found.max_input_tokens is None or found.max_input_tokens > 0


def test_get_model_info() -> None:
    told = get_model_info("openai/gpt-4o")
    assert told == {**dict.fromkeys(told), **json.loads(FILE.read_text(encoding="utf-8"))["gpt-4o"], "key": "gpt-4o"}
    assert type(told) is dict
    assert told["supports_audio_input"] is None  # asked for without `get` by those who use it
    told["max_tokens"] = 1
    assert get_model_info("openai/gpt-4o")["max_tokens"] == 16384


def test_get_max_tokens() -> None:
    assert (get_max_tokens("gpt-4o"), get_max_tokens("gpt-3.5-turbo")) == (16384, 4096)


def test_unknown_models() -> None:
    with pytest.raises(
        ModelNotMappedError, match=r"^This model isn't mapped yet\. model=nobody/knows, custom_llm_provider=x"
    ):
        get_model_info("nobody/knows", "x")
    with pytest.raises(ModelNotMappedError, match=r"^Model nobody/knows isn't mapped yet\."):
        get_max_tokens("nobody/knows")


@pytest.mark.parametrize("ability", ABILITIES)
def test_supports(ability: str) -> None:
    """Each of the family says True for a model that has the field, False for one without and for an unknown one."""
    supports = getattr(info, f"supports_{ability}")
    able = next(name for name in model_cost if model_cost.read(name).get(f"supports_{ability}") is True)
    assert supports.__name__ == f"supports_{ability}"
    assert supports(able) is True
    assert supports(model=able, custom_llm_provider=None) is True
    assert supports("text-embedding-ada-002") is False
    assert supports("nobody/knows") is False
    assert supports("nobody/knows", custom_llm_provider="nobody") is False


# --- what callers add ---------------------------------------------------------------------------------------------------


def test_register_model_takes_effect_at_once(registered) -> None:
    assert facts("house/llama") is None
    register_model({"house/llama": {"max_input_tokens": 8192, "supports_vision": True}})
    assert info.supports_vision("llama", "house")
    register_model({"house/llama": {"max_input_tokens": 4096}})
    assert get_model_info("house/llama")["max_input_tokens"] == 4096
    assert info.supports_vision("house/llama")


def test_register_model_adds_to_what_is_known(registered) -> None:
    given = {"input_cost_per_token": 1.0}
    assert "openai/gpt-4o" in register_model({"openai/gpt-4o": given})
    told = get_model_info("gpt-4o", "openai")
    assert (told["input_cost_per_token"], told["max_output_tokens"]) == (1.0, 16384)
    assert get_model_info("gpt-4o")["input_cost_per_token"] == 2.5e-06
    assert given == {"input_cost_per_token": 1.0}


@pytest.mark.parametrize("wrong", ["https://example.com/models.json", {"a-fine-one": {}, "a-wrong-one": 1}])
def test_register_model_refuses_what_is_no_dict_of_dicts(wrong) -> None:
    with pytest.raises(TypeError, match="register_model"):
        register_model(wrong)
    assert facts("a-fine-one") is None


def test_model_cost_is_changed_in_place(registered) -> None:
    model_cost["house/mistral"] = {"max_tokens": 100, "litellm_provider": "house"}
    assert get_max_tokens("house/mistral") == 100
    model_cost["house/mistral"]["max_tokens"] = 200
    assert get_max_tokens("house/mistral") == 200
    assert model_cost.pop("house/mistral")["max_tokens"] == 200
    assert facts("house/mistral") is None


def test_what_was_found_once_is_not_held_on_to(registered) -> None:
    """Neither that there is nothing, nor an entry that a better name goes before, nor what stood inside of one."""
    assert facts("gpt-4o", "house") is None
    assert facts("gpt-4o", "openai").input_cost_per_token == 2.5e-06
    model_cost["house/gpt-4o"] = entry = {"input_cost_per_token": 1.0}
    assert facts("gpt-4o", "house").input_cost_per_token == 1.0
    entry["input_cost_per_token"] = 2.0
    assert facts("gpt-4o", "house").input_cost_per_token == 2.0
    model_cost["openai/gpt-4o"] = {"input_cost_per_token": 3.0, "litellm_provider": "openai"}
    assert facts("gpt-4o", "openai").input_cost_per_token == 3.0
    del model_cost["openai/gpt-4o"], model_cost["house/gpt-4o"]
    assert facts("gpt-4o", "openai").input_cost_per_token == 2.5e-06
    assert facts("gpt-4o", "house") is None


def test_a_catalog_behaves_as_a_dict() -> None:
    catalog, plain = Catalog(FILE), json.loads(FILE.read_text(encoding="utf-8"))
    assert list(catalog) == list(plain)
    assert len(catalog) == len(plain)
    assert "gpt-4o" in catalog
    assert "nobody/knows" not in catalog
    assert 3 not in catalog
    assert catalog.get("nobody/knows") is None
    assert catalog.get("nobody/knows", {}) == {}
    assert catalog == plain
    assert catalog.copy() == dict(catalog.items()) == {**catalog} == plain
    with pytest.raises(KeyError):
        catalog["nobody/knows"]
    catalog["gpt-4o"]["max_tokens"] = 1
    catalog["gpt-4o"] |= {"mode": "none"}
    del catalog["gpt-4"]
    assert (catalog["gpt-4o"]["max_tokens"], catalog["gpt-4o"]["mode"], "gpt-4" in catalog) == (1, "none", False)
    assert repr(catalog) == f"<{len(plain) - 1} models>"


def test_threads_that_ask_first_at_the_same_time_lose_nothing() -> None:
    """Each assigns an entry to a catalog that nobody has read yet."""
    for _ in range(5):
        catalog, together = Catalog(FILE), threading.Barrier(8)

        def assign(number: int, catalog: Catalog = catalog, together: threading.Barrier = together) -> None:
            together.wait()
            catalog[f"mine-{number}"] = {}

        threads = [threading.Thread(target=assign, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len([name for name in catalog if name.startswith("mine-")]) == 8


# --- what it costs ------------------------------------------------------------------------------------------------------


def test_nothing_is_read_before_the_first_question() -> None:
    """P7: importing opens no file of facts; asking opens one, no socket and no thread."""
    code = """
import sys, threading
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event in ("open", "socket.connect") else None)
from litellm.catalog import facts, info, prices, store, usage
assert not [name for name in opened if name.endswith(".json")], opened
assert facts.facts("gpt-4o") and info.supports_vision("gpt-4o")
assert [name.rpartition("/")[2] for name in opened if name.endswith(".json")] == ["models.json"]
assert threading.active_count() == 1
"""
    done = run_python(code)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_catalog_is_small_in_memory() -> None:
    """What the gateway's 80 MB have to bear: the lines of the file, and the models that it was asked about, at most 512."""
    code = """
import resource
from pathlib import Path
from litellm.catalog.facts import facts
from litellm.catalog.store import model_cost
def resident(): return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * resource.getpagesize()
before = resident()
assert all(facts(name) for name in model_cost)
print(resident() - before)
"""
    done = run_python(code)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) < 6_000_000


def test_the_documented_abilities_are_all_there_are() -> None:
    page = (Path(__file__).parents[3] / "docs" / "costs-and-tokens.md").read_text(encoding="utf-8")
    listed = page.partition("functions never raise:")[2].partition("\n\n")[0]
    assert tuple(re.findall(r"`(\w+)`", listed)) == ABILITIES
