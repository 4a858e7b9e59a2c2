"""Everything that a call can raise.

    LiteLLMError                            (status, openai's class of the same meaning)
    ├── BadRequestError                     400  openai.BadRequestError
    │   ├── UnsupportedParamsError          400  a parameter that the provider does not take
    │   ├── ContextWindowExceededError      400  the prompt is too long for the model
    │   ├── ContentPolicyViolationError     400  the provider refused the content
    │   ├── ImageFetchError                 400
    │   ├── InvalidRequestError             400  old name of BadRequestError
    │   ├── RejectedRequestError            400  a hook of yours refused the request
    │   ├── LiteLLMUnknownProvider          400  no provider of that name
    │   └── PaymentRequiredError            402
    ├── AuthenticationError                 401  openai.AuthenticationError
    ├── PermissionDeniedError               403  openai.PermissionDeniedError
    ├── NotFoundError                       404  openai.NotFoundError
    ├── Timeout                             408  openai.APITimeoutError
    ├── UnprocessableEntityError            422  openai.UnprocessableEntityError
    ├── RateLimitError                      429  openai.RateLimitError
    ├── InternalServerError                 500  openai.InternalServerError
    ├── APIConnectionError                  500  openai.APIConnectionError: no answer, or half of one
    │   └── IncompleteStream                500  a stream that ended before it was complete
    ├── BadGatewayError                     502  openai.APIStatusError
    ├── ServiceUnavailableError             503  openai.APIStatusError
    ├── APIError                            any  openai.APIError
    ├── APIResponseValidationError          500  openai.APIResponseValidationError: the answer has the wrong shape
    │   └── JSONSchemaValidationError       500  the answer does not fit the response_format
    └── OpenAIError                              openai.OpenAIError

When the `openai` package has been imported, each class here is also a subclass of openai's class of the same meaning,
so `except openai.RateLimitError` works. If nobody imported it, nobody can be catching its errors, and we do not spend
the 0.4 s and 50 MB that importing it takes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, ClassVar

from litellm._credentials import mask

_NO_HEADERS: Mapping[str, str] = {}


class LiteLLMError(Exception):
    """The base of all of them.

    message: begins with "litellm.<Class>: "; secrets in it are masked. text: the same without that.
    status_code: the HTTP status it stands for.
    code, param, type, body: from the upstream's error object. response_headers, request_id: from its answer.
    """

    status_code: int | None = None
    text: str = ""
    _openai_name: ClassVar[str | None] = None

    def __init__(
        self,
        message: str = "",
        llm_provider: str | None = None,
        model: str | None = None,
        response: Any = None,
        litellm_debug_info: str | None = None,
        max_retries: int | None = None,
        num_retries: int | None = None,
        *,
        body: Any = None,
        code: str | None = None,
        param: str | None = None,
        type: str | None = None,  # noqa: A002 - OpenAI's word
        response_headers: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        status_code: int | None = None,
        request_url: str | None = None,
        **_: Any,
    ) -> None:
        prefix = f"litellm.{self.__class__.__name__}: "
        self.text = mask(message).removeprefix(prefix)
        self.message = prefix + self.text
        Exception.__init__(self, self.message)
        self.llm_provider = llm_provider
        self.model = model
        self.litellm_debug_info = litellm_debug_info
        self.max_retries = max_retries
        self.num_retries = num_retries
        self.body = body
        self.code = code
        self.param = param
        self.type = type
        known = (response_headers, headers, getattr(response, "headers", None), _NO_HEADERS)
        self.response_headers: Mapping[str, str] = next(given for given in known if given is not None)
        if status_code is not None:
            self.status_code = status_code
        self._response = response
        self._request_url = request_url

    @property
    def headers(self) -> Mapping[str, str]:
        return self.response_headers

    @property
    def litellm_response_headers(self) -> Mapping[str, str]:
        return self.response_headers

    @property
    def request_id(self) -> str | None:
        return self.response_headers.get("x-request-id")

    @property
    def request(self) -> Any:
        """An httpx request to the upstream, for code written against openai's errors."""
        return self.response.request

    @property
    def response(self) -> Any:
        """An httpx response with the upstream's status, headers and body, for code written against openai's errors."""
        if self._response is None:
            import httpx2

            from litellm import _json

            request = httpx2.Request("POST", self._request_url or "https://litellm.invalid")
            content = b"" if self.body is None else _json.encode(self.body)
            kept = {k: v for k, v in self.response_headers.items() if k.lower() not in _BODY_HEADERS}
            self._response = httpx2.Response(self.status_code or 500, headers=kept, content=content, request=request)
        return self._response

    def __str__(self) -> str:
        text = self.message
        if self.num_retries is not None:
            text += f" LiteLLM Retried: {self.num_retries} times"
            if self.max_retries is not None:
                text += f", LiteLLM Max Retries: {self.max_retries}"
        return text

    def __repr__(self) -> str:
        return str(self)

    def __new__(cls, *_args: Any, **_kwargs: Any) -> LiteLLMError:  # noqa: PYI034 - Self would be a lie for __reduce__
        # Whoever catches openai's class must have imported it before this error is made: now is the moment to adopt.
        adopt_openai()
        return super().__new__(cls)

    def __reduce__(self) -> tuple[Any, ...]:
        state = {key: value for key, value in self.__dict__.items() if key != "_response"} | {"_response": None}
        state["response_headers"] = dict(self.response_headers)
        return (_revive, (self.__class__, state))


_BODY_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def _revive(cls: type[LiteLLMError], state: dict[str, Any]) -> LiteLLMError:
    error = cls.__new__(cls)
    Exception.__init__(error, state["message"])
    error.__dict__.update(state)
    return error


class _ModelFirst(LiteLLMError):  # noqa: N818 - only orders arguments
    """Those whose arguments LiteLLM orders (message, model, llm_provider)."""

    def __init__(
        self, message: str = "", model: str | None = None, llm_provider: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(message, llm_provider, model, *args, **kwargs)


class BadRequestError(_ModelFirst):
    """400: the request is wrong; sending it again will not help."""

    status_code: int | None = 400
    _openai_name = "BadRequestError"


class UnsupportedParamsError(BadRequestError):
    """400: the provider does not take this parameter."""

    def __init__(self, message: str = "", llm_provider: str | None = None, model: str | None = None, **kw: Any) -> None:
        super().__init__(message, model, llm_provider, **kw)


class ContextWindowExceededError(BadRequestError):
    """400: the prompt is longer than the model can take."""


class ContentPolicyViolationError(BadRequestError):
    """400: the provider refuses this content."""

    provider_specific_fields: dict[str, Any] | None = None


class ImageFetchError(BadRequestError):
    """400: an image URL could not be fetched."""


class InvalidRequestError(BadRequestError):
    """400: the old name of BadRequestError."""


class RejectedRequestError(BadRequestError):
    """400: a hook of yours refused the request."""


class LiteLLMUnknownProvider(BadRequestError):  # noqa: N818 - LiteLLM's name
    """400: there is no provider of that name."""


class PaymentRequiredError(BadRequestError):
    """402: the provider wants money."""

    status_code = 402


class AuthenticationError(LiteLLMError):
    """401: the key is missing or wrong."""

    status_code = 401
    _openai_name = "AuthenticationError"


class PermissionDeniedError(LiteLLMError):
    """403: the key may not do this."""

    status_code = 403
    _openai_name = "PermissionDeniedError"


class NotFoundError(_ModelFirst):
    """404: no such model or URL."""

    status_code = 404
    _openai_name = "NotFoundError"


class Timeout(_ModelFirst):
    """408: one of the clocks ran out: connect, first byte, between chunks, or total. The message says which."""

    status_code = 408
    _openai_name = "APITimeoutError"

    def __init__(self, /, *args: Any, exception_status_code: int | None = None, **kwargs: Any) -> None:
        if exception_status_code is not None:
            kwargs["status_code"] = exception_status_code
        super().__init__(*args, **kwargs)


class UnprocessableEntityError(_ModelFirst):
    """422: the request was understood and is still wrong."""

    status_code = 422
    _openai_name = "UnprocessableEntityError"


class RateLimitError(LiteLLMError):
    """429: too many requests or tokens. `response_headers` may have `retry-after`."""

    status_code = 429
    _openai_name = "RateLimitError"


class InternalServerError(LiteLLMError):
    """500: the upstream broke."""

    status_code = 500
    _openai_name = "InternalServerError"


class APIConnectionError(LiteLLMError):
    """500: the upstream could not be reached, or went away before its answer was complete."""

    status_code = 500
    _openai_name = "APIConnectionError"


class IncompleteStream(APIConnectionError):  # noqa: N818 - aider refuses to start when it meets an *Error it does not know
    """500: the stream ended with neither a finish_reason for every choice nor [DONE]. `partial` is the text so far."""

    partial: str = ""


class BadGatewayError(LiteLLMError):
    """502."""

    status_code = 502
    _openai_name = "APIStatusError"


class ServiceUnavailableError(LiteLLMError):
    """503: overloaded or down for now."""

    status_code = 503
    _openai_name = "APIStatusError"


class APIError(LiteLLMError):
    """Any other status."""

    status_code = 500
    _openai_name = "APIError"

    def __init__(
        self,
        status_code: int = 500,
        message: str = "",
        llm_provider: str | None = None,
        model: str | None = None,
        request: Any = None,  # noqa: ARG002 - LiteLLM's position for it
        **kwargs: Any,
    ) -> None:
        super().__init__(message, llm_provider, model, status_code=status_code, **kwargs)


class APIResponseValidationError(LiteLLMError):
    """500: the upstream's answer does not have the shape of an answer."""

    status_code = 500
    _openai_name = "APIResponseValidationError"


class JSONSchemaValidationError(APIResponseValidationError):
    """500: the answer does not fit the schema in response_format. `raw_response` is what came."""

    def __init__(self, model: str, llm_provider: str, raw_response: str, schema: str, **kwargs: Any) -> None:
        text = f"the answer does not fit the schema; received={raw_response}, schema={schema}"
        super().__init__(text, llm_provider, model, **kwargs)
        self.raw_response = raw_response
        self.schema = schema


class OpenAIError(LiteLLMError):
    """What LiteLLM calls an error that it could not name better."""

    _openai_name = "OpenAIError"

    def __init__(self, original_exception: Exception | str = "", **kwargs: Any) -> None:
        super().__init__(str(original_exception), **kwargs)


class AzureOpenAIError(LiteLLMError):
    """What LiteLLM's Azure code raises; aider and others list it among what they catch."""


class RouterRateLimitError(ValueError):
    """429: every deployment of a group is cooling down. `cooldown_time`: seconds until the first one is back."""

    status_code = 429

    def __init__(
        self, model: str, cooldown_time: float, enable_pre_call_checks: bool, cooldown_list: list[Any], **_: Any
    ) -> None:
        self.model = model
        self.cooldown_time = cooldown_time
        self.enable_pre_call_checks = enable_pre_call_checks
        self.cooldown_list = cooldown_list
        super().__init__(
            f"No deployments available for selected model, Try again in {cooldown_time} seconds. Passed model={model}. "
            f"pre-call-checks={enable_pre_call_checks}, cooldown_list={cooldown_list}"
        )


class BudgetExceededError(Exception):
    """The budget is spent."""

    status_code = 422

    def __init__(self, current_cost: float, max_budget: float, message: str | None = None, **_: Any) -> None:
        self.current_cost = current_cost
        self.max_budget = max_budget
        self.message = message or f"Budget has been exceeded! Current cost: {current_cost}, Max budget: {max_budget}"
        super().__init__(self.message)


BY_STATUS: Mapping[int, type[LiteLLMError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: PaymentRequiredError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: Timeout,
    422: UnprocessableEntityError,
    429: RateLimitError,
    500: InternalServerError,
    502: BadGatewayError,
    503: ServiceUnavailableError,
    504: Timeout,
}


def text_of(error: Exception) -> str:
    """What an exception says, without the name of its class.

    >>> text_of(RateLimitError("slow down")), text_of(ValueError("wrong: 5"))
    ('slow down', 'wrong: 5')
    """
    return error.text if isinstance(error, LiteLLMError) and error.text else str(error)


def of_status(
    status: int, message: str, llm_provider: str, model: str, *, kind: type[LiteLLMError] | None = None, **details: Any
) -> LiteLLMError:
    """The error for an HTTP status; APIError for a status without a class of its own. `kind` is a more telling class.

    >>> type(of_status(429, "slow down", "groq", "llama3")).__name__
    'RateLimitError'
    """
    kind = kind or BY_STATUS.get(status)
    if kind is None:
        return APIError(status, message, llm_provider, model, **details)
    return kind(message, llm_provider=llm_provider, model=model, status_code=status, **details)


_adopted = False


def adopt_openai() -> None:
    """Make our classes subclasses of openai's, once, if openai has been imported. The one clever trick."""
    global _adopted
    if _adopted:
        return
    openai = sys.modules.get("openai")
    if openai is None or getattr(openai, "APIResponseValidationError", None) is None:  # absent, or half imported
        return
    _adopted = True
    for cls in _with_openai_name(LiteLLMError):
        theirs = getattr(openai, cls.__dict__["_openai_name"])
        cls.__bases__ = (*cls.__bases__, theirs)


def _with_openai_name(cls: type[LiteLLMError]) -> list[type[LiteLLMError]]:
    found = [cls] if cls.__dict__.get("_openai_name") else []
    for child in cls.__subclasses__():
        found += _with_openai_name(child)
    return found
