"""The exceptions: parents, arguments and attributes that programs written for LiteLLM and for openai rely on."""

import copy
import itertools
import json
import pickle

import httpx2
import pytest
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream
from tests.processes import run_python

import litellm

HI = [{"role": "user", "content": "hi"}]

# exception → (openai's class that it is one of, default status)
PARENTS = {
    "APIConnectionError": ("APIConnectionError", 500),
    "APIError": ("APIError", 500),
    "APIResponseValidationError": ("APIResponseValidationError", 500),
    "AuthenticationError": ("AuthenticationError", 401),
    "BadGatewayError": ("APIStatusError", 502),
    "BadRequestError": ("BadRequestError", 400),
    "ContentPolicyViolationError": ("BadRequestError", 400),
    "ContextWindowExceededError": ("BadRequestError", 400),
    "ImageFetchError": ("BadRequestError", 400),
    "InternalServerError": ("InternalServerError", 500),
    "InvalidRequestError": ("BadRequestError", 400),
    "NotFoundError": ("NotFoundError", 404),
    "PaymentRequiredError": ("BadRequestError", 402),
    "PermissionDeniedError": ("PermissionDeniedError", 403),
    "RateLimitError": ("RateLimitError", 429),
    "ServiceUnavailableError": ("APIStatusError", 503),
    "Timeout": ("APITimeoutError", 408),
    "UnprocessableEntityError": ("UnprocessableEntityError", 422),
    "UnsupportedParamsError": ("BadRequestError", 400),
}
PROVIDER_FIRST = (
    "APIConnectionError APIResponseValidationError AuthenticationError BadGatewayError InternalServerError "
    "PermissionDeniedError RateLimitError ServiceUnavailableError UnsupportedParamsError"
).split()
MODEL_FIRST = sorted(PARENTS.keys() - {*PROVIDER_FIRST, "APIError"})


def made(name: str, **more) -> litellm.exceptions.LiteLLMError:
    status = {"status_code": 500} if name == "APIError" else {}
    return getattr(litellm, name)(message="No.", llm_provider="groq", model="llama3", **status, **more)


# --- building -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PARENTS)
def test_the_order_of_arguments(name):
    """It differs from class to class, and people pass them by position."""
    cls = getattr(litellm, name)
    if name == "APIError":
        errors = [cls(500, "No.", "groq", "llama3"), made(name)]
    elif name in PROVIDER_FIRST:
        errors = [cls("No.", "groq", "llama3"), made(name)]
    else:
        errors = [cls("No.", "llama3", "groq"), made(name)]
    for error in errors:
        assert (error.llm_provider, error.model) == ("groq", "llama3")
        assert error.message == str(error) == f"litellm.{name}: No."
        assert error.status_code == PARENTS[name][1]
        assert type(error).__module__ == "litellm.exceptions"  # crewai looks at its beginning


def test_there_are_both_orders():
    assert len(PROVIDER_FIRST) + len(MODEL_FIRST) + 1 == len(PARENTS)
    assert {"BadRequestError", "NotFoundError", "Timeout", "UnprocessableEntityError"} < set(MODEL_FIRST)


@pytest.mark.parametrize("name", ["PermissionDeniedError", "UnprocessableEntityError"])
def test_a_response_as_fourth_argument(name):
    response = httpx2.Response(418, headers={"x-request-id": "r-1"}, request=httpx2.Request("POST", "http://there/v1"))
    error = getattr(litellm, name)("No.", "a", "b", response)
    assert error.response is response
    assert error.request is response.request
    assert (error.headers["x-request-id"], error.request_id) == ("r-1", "r-1")


@pytest.mark.parametrize("name", PARENTS)
def test_further_arguments(name):
    error = made(name, litellm_debug_info="info", max_retries=3, num_retries=2)
    assert (error.litellm_debug_info, error.max_retries, error.num_retries) == ("info", 3, 2)
    assert str(error) == f"litellm.{name}: No. LiteLLM Retried: 2 times, LiteLLM Max Retries: 3"
    plain = made(name)
    for attribute in ("body", "code", "param", "type", "litellm_debug_info", "max_retries", "num_retries"):
        assert getattr(plain, attribute) is None
    plain.message += " And more."  # mini-swe-agent
    assert str(plain) == f"litellm.{name}: No. And more."


def test_arguments_of_single_classes():
    assert litellm.APIError(409, "No.", "groq", "llama3").status_code == 409
    assert litellm.UnsupportedParamsError("No.", status_code=422).status_code == 422
    assert litellm.OpenAIError(original_exception=ValueError("inner")).message.endswith("inner")
    schema = litellm.JSONSchemaValidationError("gpt-4o", "openai", '{"a":', '{"type": "object"}')
    assert (schema.model, schema.llm_provider, schema.raw_response) == ("gpt-4o", "openai", '{"a":')
    budget = litellm.BudgetExceededError(current_cost=2.0, max_budget=1.0)
    assert (budget.current_cost, budget.max_budget) == (2.0, 1.0)
    assert not isinstance(budget, litellm.OpenAIError)


@pytest.mark.parametrize("name", ["RateLimitError", "Timeout"])
def test_headers_as_an_argument(name):
    error = made(name, headers={"retry-after": "3"})
    assert error.headers["retry-after"] == error.response.headers["retry-after"] == "3"


def test_a_timeout_with_another_status():
    assert litellm.Timeout("No.", "llama3", "groq", exception_status_code=504).status_code == 504


@pytest.mark.parametrize("name", PARENTS)
def test_there_is_a_response_even_if_none_was_given(name):
    error = made(name, body={"error": {"message": "No."}})
    assert isinstance(error.response, httpx2.Response)
    assert error.response.status_code == error.status_code
    assert error.response.json() == error.body
    assert error.request.method == "POST"


def test_who_is_whose_parent():
    for name in (
        "ContextWindowExceededError",
        "ContentPolicyViolationError",
        "UnsupportedParamsError",
        "ImageFetchError",
    ):
        assert issubclass(getattr(litellm, name), litellm.BadRequestError)
    assert issubclass(litellm.JSONSchemaValidationError, litellm.APIResponseValidationError)
    servers = [litellm.InternalServerError, litellm.ServiceUnavailableError, litellm.BadGatewayError]
    for one, other in itertools.permutations(servers, 2):
        assert not issubclass(one, other)
    assert not issubclass(litellm.RateLimitError, litellm.BadRequestError)
    assert litellm.BudgetExceededError.__mro__[1] is Exception


@pytest.mark.parametrize("name", PARENTS)
@pytest.mark.parametrize("way", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy])
def test_errors_survive_being_copied(name, way):
    """Process pools pickle them; celery, ray and joblib lose the whole task when that fails."""
    other = way(made(name, body={"error": 1}, code="c", num_retries=1))
    assert type(other) is getattr(litellm, name)
    assert (other.message, other.model, other.code, other.num_retries) == (f"litellm.{name}: No.", "llama3", "c", 1)
    assert (other.status_code, other.body) == (PARENTS[name][1], {"error": 1})


# --- being openai's -----------------------------------------------------------------------------------------------------

CATCHING = """
for name, (parent, status) in PARENTS.items():
    assert issubclass(getattr(litellm, name), getattr(openai, parent)), name
    for kind in (getattr(openai, parent), openai.APIError, openai.OpenAIError, getattr(litellm, name)):
        try:
            litellm.completion("openai/gpt-4o", [{"role": "user", "content": "hi"}], num_retries=0,
                               mock_response=f"litellm.{name}")
        except kind as error:
            assert type(error) is getattr(litellm, name)
            assert error.status_code == status == error.response.status_code
            error.body, error.code, error.param, error.type, error.request, error.message, error.request_id
        else:
            raise AssertionError(name)
assert issubclass(litellm.Timeout, openai.APIConnectionError)
assert not issubclass(litellm.Timeout, litellm.APIConnectionError)
assert not issubclass(litellm.BudgetExceededError, openai.OpenAIError)
assert issubclass(litellm.OpenAIError, openai.OpenAIError)
print("caught")
"""


@pytest.mark.parametrize(
    "imports",
    [
        "import openai, litellm",
        "import litellm, openai",
        "from litellm.exceptions import *; from litellm import completion; import openai, litellm",
        # Used for long before anybody imported openai.
        "import litellm; litellm.completion('mock/echo', []); litellm.Timeout('t', 'm', 'p'); import openai",
    ],
)
def test_openais_except_clauses_catch_ours(imports):
    done = run_python(f"{imports}\nPARENTS = {PARENTS!r}\n{CATCHING}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "caught\n", "")


def test_a_name_taken_before_openai_was_imported_is_the_same_class():
    """`except RateLimitError` of a program must go on working when a library imports openai later."""
    done = run_python("""
from litellm import RateLimitError, completion
import openai
try:
    completion("mock/error-429", [], num_retries=0)
except RateLimitError as error:
    print(isinstance(error, openai.RateLimitError), isinstance(error, openai.APIStatusError))
""")
    assert (done.stdout, done.stderr) == ("True True\n", "")


def test_openai_is_not_imported_by_failing():
    done = run_python("""
import sys, litellm
try:
    litellm.completion("mock/error-429", [], num_retries=0)
except litellm.RateLimitError as error:
    error.response, str(error)
print("openai" in sys.modules)
""")
    assert (done.stdout, done.stderr) == ("False\n", "")


# --- raised by calls ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["RateLimitError", "InternalServerError", "ContextWindowExceededError"])
async def test_errors_by_name(name):
    params = {"model": "openai/gpt-4o", "messages": HI, "mock_response": f"litellm.{name}", "num_retries": 0}
    with pytest.raises(getattr(litellm, name)) as caught:
        litellm.completion(**params)
    with pytest.raises(getattr(litellm, name)):
        await litellm.acompletion(**params)
    assert caught.value.message.startswith(f"litellm.{name}: ")
    assert (caught.value.llm_provider, caught.value.model) == ("openai", "gpt-4o")


def test_an_exception_as_mock_response():
    """A plain one is what an upstream's failure is; one of ours is raised as it is."""
    with pytest.raises(litellm.InternalServerError) as caught:
        litellm.completion("openai/gpt-4o", HI, mock_response=Exception("boom"), num_retries=0)
    assert str(caught.value).startswith("litellm.InternalServerError: ")
    assert "OpenAIException - litellm.MockException: boom" in str(caught.value)
    ours = litellm.NotFoundError("gone", "m", "p")
    with pytest.raises(litellm.NotFoundError) as caught:
        litellm.completion("openai/gpt-4o", HI, mock_response=ours, num_retries=0)
    assert caught.value is ours


def test_what_an_upstreams_error_tells():
    with Upstream() as up:
        up.next(
            act.error(429, "Slow down.", code="c", param="p", type="t", retry_after=90, headers={"x-request-id": "r"})
        )
        with pytest.raises(litellm.RateLimitError) as caught:
            litellm.completion("openai/m", HI, api_base=up.base, api_key="k", num_retries=0)
        error = caught.value
        assert str(error) == "litellm.RateLimitError: RateLimitError: OpenAIException - Slow down."
        assert (error.code, error.param, error.type, error.request_id) == ("c", "p", "t", "r")
        assert (error.status_code, error.llm_provider, error.model) == (429, "openai", "m")
        assert error.headers["retry-after"] == error.response.headers["retry-after"] == "90"
        assert error.body == error.response.json() == json.loads(error.response.text)
        assert error.body["error"]["message"] == "Slow down."
        assert str(error.request.url) == up.base + "/chat/completions"


@pytest.mark.parametrize("text", ["slow down", "wrong: 5: really", "litellm.Other: x", ""])
def test_what_an_error_says_by_itself(text):
    """Without the name of its class, which its message begins with, and whichever of the two it was made of."""
    for given in (text, f"litellm.RateLimitError: {text}"):
        error = litellm.exceptions.RateLimitError(given, llm_provider="openai", model="m")
        assert error.text == text
        assert str(error) == error.message == f"litellm.RateLimitError: {text}"
        assert pickle.loads(pickle.dumps(error)).text == text
