"""The module `litellm` as its users' programs take it for granted: names, addresses, settings, small questions.

Source: what 44 published packages do with it. Who relies on a thing is named where it is tested. What is measured about
answers stands in test_surface_responses.py, about errors in test_surface_exceptions.py.
"""

import importlib
import inspect
from unittest import mock

import pytest
from tests.processes import run_python

import litellm

HI = [{"role": "user", "content": "hi"}]

# The exceptions that aider 0.86 knows. It refuses to start when it finds another *Error in dir(litellm), and when one of
# these is missing.
AIDER = set(
    "APIConnectionError APIError APIResponseValidationError AuthenticationError AzureOpenAIError BadGatewayError "
    "BadRequestError BudgetExceededError ContentPolicyViolationError ContextWindowExceededError ImageFetchError "
    "InternalServerError InvalidRequestError JSONSchemaValidationError NotFoundError OpenAIError PermissionDeniedError "
    "RateLimitError RouterRateLimitError ServiceUnavailableError Timeout UnprocessableEntityError "
    "UnsupportedParamsError".split()
)
ELSEWHERE = {"AzureOpenAIError", "RouterRateLimitError"}  # LiteLLM defines them outside litellm.exceptions


def found(path: str):
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


# --- names --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "modules"),
    [
        ("ModelResponse", "types.utils main utils"),
        ("ModelResponseStream", "types.utils"),
        ("Message", "types.utils utils"),
        ("Usage", "types.utils utils"),
        ("Choices", "types.utils utils"),
        ("StreamingChoices", "types.utils litellm_core_utils.streaming_handler"),
        ("Delta", "types.utils"),
        ("ChatCompletionMessageToolCall", "types.utils"),
        ("ChatCompletionDeltaToolCall", "types.utils"),
        ("GenericStreamingChunk", "types.utils"),
        ("CustomStreamWrapper", "main utils litellm_core_utils.streaming_handler"),
        ("CustomLLM", "llms.custom_llm"),
        ("CustomLLMError", "llms.custom_llm"),
        ("completion", "main"),
        ("acompletion", "main"),
        ("stream_chunk_builder", "main"),
        ("get_llm_provider", "utils"),
        ("get_supported_openai_params", "utils litellm_core_utils.get_supported_openai_params"),
        *((name, "exceptions") for name in sorted(AIDER - ELSEWHERE)),
    ],
)
def test_one_object_whichever_path_it_comes_by(name, modules):
    """isinstance and except work only if they are the same."""
    for module in modules.split():
        assert getattr(litellm, name) is found(f"litellm.{module}.{name}")


@pytest.mark.parametrize(
    "path",
    [
        "types.utils.ModelResponse",  # openai-agents, opik, swe-agent
        "utils.get_llm_provider",
        "main.completion",  # ddtrace, langchain-litellm
        "exceptions.RateLimitError",  # mini-swe-agent, opik
        "_logging",
        "litellm_core_utils",
        "llms",
        "_version.version",  # ddtrace
    ],
)
def test_reachable_after_a_bare_import(path):
    """Each in a process of its own, for another import may bring it along."""
    done = run_python(f"import litellm\nlitellm.{path}")
    assert (done.returncode, done.stderr) == (0, "")


def test_aider_starts():
    done = run_python("import litellm\nprint(*(name for name in dir(litellm) if name.endswith('Error')))")
    assert set(done.stdout.split()) - AIDER == set()
    assert "RateLimitError" in done.stdout


def test_aider_starts_whatever_was_used_before():
    """Which errors dir() shows does not depend on which lazy names somebody has touched."""
    done = run_python("""
import litellm
before = dir(litellm)
litellm.RateLimitError, litellm.PaymentRequiredError, litellm.CustomLLMError
from litellm.exceptions import *
print(sorted(name for name in set(dir(litellm)) ^ set(before) if name.endswith("Error")))
""")
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize("name", sorted(AIDER))
def test_aiders_exceptions_exist(name):
    assert issubclass(getattr(litellm, name), Exception)


def test_dir_shows_what_there_is():
    shown = dir(litellm)
    assert shown == sorted(shown)
    for name in ("completion", "acompletion", "ModelResponse", "Timeout", "drop_params", "provider_list"):
        assert name in shown
    for name in shown:
        getattr(litellm, name)


def test_what_does_not_exist_is_an_attribute_error():
    """Users test with hasattr and getattr(litellm, name, default)."""
    assert not hasattr(litellm, "no_such_name")
    with pytest.raises(AttributeError, match="module 'litellm' has no attribute 'no_such_name'"):
        litellm.no_such_name  # noqa: B018
    with pytest.raises(ImportError):
        from litellm import no_such_name  # noqa: F401


# --- functions ----------------------------------------------------------------------------------------------------------


def test_completion_is_a_plain_function_and_acompletion_a_coroutine_function():
    """ragas decides by iscoroutinefunction; instrumentations name their spans by __name__."""
    assert (litellm.completion.__name__, litellm.acompletion.__name__) == ("completion", "acompletion")
    assert not inspect.iscoroutinefunction(litellm.completion)
    assert inspect.iscoroutinefunction(litellm.acompletion)


def test_signatures_show_the_parameters():
    shown = inspect.signature(litellm.completion)
    assert list(shown.parameters)[:2] == ["model", "messages"]
    for name in (
        "stream temperature top_p n stop max_tokens max_completion_tokens tools tool_choice response_format user seed "
        "timeout api_key api_base base_url api_version num_retries fallbacks extra_headers mock_response drop_params"
    ).split():
        assert name in shown.parameters
        assert shown.parameters[name].default is None
    assert list(shown.parameters.values())[-1].kind is inspect.Parameter.VAR_KEYWORD  # what nobody knows is sent on
    assert shown.parameters.keys() == inspect.signature(litellm.acompletion).parameters.keys()


async def test_acompletion_does_not_go_through_completion(monkeypatch):
    """Or tracers, which replace both, would count a call twice."""
    monkeypatch.setattr(litellm, "completion", mock.Mock(side_effect=AssertionError))
    answer = await litellm.acompletion("mock/echo", HI)
    assert answer.choices[0].message.content == "hi"


@pytest.mark.parametrize("name", ["completion", "acompletion"])
def test_functions_can_be_patched(name):
    """openinference, opentelemetry and everybody's tests do."""
    original = getattr(litellm, name)
    with mock.patch(f"litellm.{name}") as patched:
        assert getattr(litellm, name) is patched
    assert getattr(litellm, name) is original


def test_a_function_can_be_patched_before_it_was_ever_used():
    done = run_python("""
from unittest import mock
import litellm
with mock.patch("litellm.completion") as patched, mock.patch.object(litellm, "RateLimitError"):
    assert litellm.completion is patched
from litellm.sdk.chat import completion
from litellm.exceptions import RateLimitError
print(litellm.completion is completion, litellm.RateLimitError is RateLimitError)
""")
    assert (done.stdout, done.stderr) == ("True True\n", "")


# --- settings -----------------------------------------------------------------------------------------------------------


def ask_groq(**params):
    """A call with a parameter that this provider refuses."""
    return litellm.completion("groq/llama3", HI, logit_bias={"1": 1}, mock_response="ok", **params)


def test_settings_are_read_at_the_time_of_the_call():
    with pytest.raises(litellm.UnsupportedParamsError, match="logit_bias"):
        ask_groq()
    with mock.patch.object(litellm, "drop_params", True):
        assert ask_groq().choices[0].message.content == "ok"
        with pytest.raises(litellm.UnsupportedParamsError):
            ask_groq(drop_params=False)  # the argument wins
    assert litellm.drop_params is False
    with pytest.raises(litellm.UnsupportedParamsError):
        ask_groq()


def test_anything_can_be_set(monkeypatch):
    """aider sets client_session, lm-eval and others flags that are long gone."""
    for name in ("verbose", "client_session", "aclient_session", "modify_params", "suppress_debug_info", "telemetry"):
        monkeypatch.setattr(litellm, name, "mine", raising=False)
        assert getattr(litellm, name) == "mine"
    assert litellm.completion("mock/echo", HI).choices[0].message.content == "hi"


def test_lazy_loader():
    """dspy imports us like this; what is set before the module is executed has to count as well."""
    done = run_python("""
import importlib.util, sys
spec = importlib.util.find_spec("litellm")
spec.loader = importlib.util.LazyLoader(spec.loader)
litellm = importlib.util.module_from_spec(spec)
sys.modules["litellm"] = litellm
spec.loader.exec_module(litellm)
litellm.drop_params = True
hi = [{"role": "user", "content": "hi"}]
print(litellm.completion("groq/llama3", hi, logit_bias={"1": 1}, mock_response="ok").choices[0].message.content)
from litellm import ModelResponse
import litellm.exceptions
print(litellm.drop_params, litellm.ModelResponse is ModelResponse)
""")
    assert (done.stdout, done.stderr) == ("ok\nTrue True\n", "")


# --- small questions ----------------------------------------------------------------------------------------------------


def test_provider_list():
    assert "openai" in litellm.provider_list
    assert "groq" in ", ".join(litellm.provider_list).split(", ")


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ({"model": "openai/gpt-4o"}, ("gpt-4o", "openai")),
        ({"model": "gpt-4o"}, ("gpt-4o", "openai")),
        ({"model": "groq/llama3"}, ("llama3", "groq")),
        # C7: only the first segment is a provider; with an api_base any name is one of an OpenAI-compatible server.
        ({"model": "openai/google/gemma"}, ("google/gemma", "openai")),
        ({"model": "openrouter/openai/gpt-4o"}, ("openai/gpt-4o", "openrouter")),
        ({"model": "my/model", "api_base": "http://localhost:8000/v1"}, ("my/model", "openai")),
        ({"model": "command-nightly", "custom_llm_provider": "openai"}, ("command-nightly", "openai")),
        ({"model": "openai/x", "custom_llm_provider": "openai", "litellm_params": None}, ("x", "openai")),
    ],
)
def test_get_llm_provider(asked, answer):
    model, provider, _key, base = litellm.get_llm_provider(**asked)
    assert (model, provider) == answer
    assert base == asked.get("api_base", base)


def test_get_llm_provider_hands_back_what_was_given(monkeypatch):
    assert litellm.get_llm_provider("groq/llama3", None, "http://here/v1", "k") == (
        "llama3",
        "groq",
        "k",
        "http://here/v1",
    )
    monkeypatch.setenv("GROQ_API_KEY", "from-the-environment")
    monkeypatch.delenv("GROQ_API_BASE", raising=False)
    assert litellm.get_llm_provider("groq/llama3") == (
        "llama3",
        "groq",
        "from-the-environment",
        "https://api.groq.com/openai/v1",
    )


@pytest.mark.parametrize("model", ["no-such-model", "nobody/model"])
def test_get_llm_provider_of_an_unknown_model(model):
    with pytest.raises(litellm.BadRequestError, match="LLM Provider NOT provided") as caught:
        litellm.get_llm_provider(model)
    assert model in str(caught.value)
    assert caught.value.model == model


def test_get_supported_openai_params(monkeypatch):
    supported = litellm.get_supported_openai_params(model="gpt-4o", custom_llm_provider="openai")
    assert {"temperature", "tools", "tool_choice", "response_format", "stream", "max_tokens"} <= set(supported)
    assert litellm.get_supported_openai_params("openai/gpt-4o") == supported
    assert "logit_bias" not in litellm.get_supported_openai_params("groq/llama3")
    assert litellm.get_supported_openai_params("x", custom_llm_provider="nobody") is None
    assert litellm.get_supported_openai_params("no-such-model") is None
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "mine", "custom_handler": litellm.CustomLLM()}])
    assert litellm.get_supported_openai_params("mine/x") == supported
