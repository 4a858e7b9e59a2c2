"""Faults as the exceptions that callers see. One place for all providers, streamed or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litellm import exceptions as errors
from litellm._credentials import mask
from litellm.exceptions import LiteLLMError
from litellm.net.faults import TransportFault
from litellm.net.messages import Reply
from litellm.net.url import redacted_url, with_v1
from litellm.providers.target import Target
from litellm.wire.protocol import Dialect, Fault, StreamFault, WrongShape

MAX_DEPTH = 64  # levels of an upstream's error object; what lies deeper would hurt whoever reads, copies or pickles it


class StreamOptionsRefused(Exception):  # noqa: N818 - never leaves the engine
    """The upstream does not take stream_options: worth one more request without."""

    def __init__(self, error: LiteLLMError) -> None:
        super().__init__(str(error))
        self.error = error


def answer_error(reply: Reply, target: Target, dialect: Dialect) -> LiteLLMError:
    """The exception for an answer with an error status. Status first, the vendor's code second, text last."""
    if reply.status < 400:
        where = redacted_url(reply.headers.get("location", "nowhere"))
        text = f"{redacted_url(target.url)} redirects to {where}; redirects are not followed, so use that as api_base"
        return _make(502, Fault(text), target, reply.headers)
    fault = dialect.error(reply.status, reply.body)
    hint = ""
    if reply.status == 404 and fault.code != "model_not_found":
        hint = f" (POST {redacted_url(target.url)} answered 404"
        better = None if target.provider.address else with_v1(target.url, dialect.PATH)
        hint += f"; did you mean api_base={better}?)" if better else ")"
    elif reply.status == 401 and target.api_key is None:
        hint = " (no API key was sent: pass api_key=… or set the provider's variable)"
    return _make(reply.status, fault, target, reply.headers, hint)


def stream_error(error: StreamFault, target: Target, headers: Mapping[str, str]) -> LiteLLMError:
    """The exception for an error that came inside a 200 answer."""
    return _make(error.status, error.fault, target, headers)


def wrong_shape(error: WrongShape, target: Target, headers: Mapping[str, str]) -> LiteLLMError:
    """The exception for a 200 that is no answer."""
    text = f"{redacted_url(target.url) or target.provider.name} sent no usable answer: {error}"
    return errors.APIResponseValidationError(error_text(target, text), target.provider.name, target.model,
                                             response_headers=_masked(target, dict(headers)),
                                             request_url=redacted_url(target.url) or None)  # fmt: skip


_BROKEN: dict[str, type[LiteLLMError]] = {"timeout": errors.Timeout, "busy": errors.ServiceUnavailableError}


def transport_error(fault: TransportFault, target: Target) -> LiteLLMError:
    """The exception for an exchange that broke: Timeout for the clocks, 503 without room, else APIConnectionError."""
    if fault.kind in ("url", "blocked"):  # nobody's outage: an address that cannot, or may not, be called
        return errors.BadRequestError(mask(str(fault), *target.secrets), target.model, target.provider.name,
                                      param="api_base")  # fmt: skip
    kind = _BROKEN.get(fault.kind, errors.APIConnectionError)
    return kind(error_text(target, str(fault), kind), llm_provider=target.provider.name, model=target.model,
                request_url=redacted_url(target.url) or None)  # fmt: skip


def incomplete_stream(target: Target, headers: Mapping[str, str], why: str = "") -> errors.IncompleteStream:
    """The exception for a stream that ended too early."""
    text = "the stream ended before it was complete: no finish_reason and no [DONE]" + (f" ({why})" if why else "")
    return errors.IncompleteStream(error_text(target, text), target.provider.name, target.model,
                                   response_headers=_masked(target, dict(headers)),
                                   request_url=redacted_url(target.url) or None)  # fmt: skip


def _make(status: int, fault: Fault, target: Target, headers: Mapping[str, str], hint: str = "") -> LiteLLMError:
    kind = fault.kind or errors.BY_STATUS.get(status)
    return errors.of_status(
        status, error_text(target, fault.message, kind) + hint, target.provider.name, target.model,
        kind=fault.kind, body=_masked(target, fault.body), code=_masked(target, fault.code),
        param=_masked(target, fault.param), type=_masked(target, fault.type),
        response_headers=_masked(target, dict(headers)), request_url=redacted_url(target.url) or None,
    )  # fmt: skip


def error_text(target: Target, text: str, kind: type[LiteLLMError] | None = None) -> str:
    """LiteLLM's wording, "RateLimitError: OpenAIException - slow down"; bad requests do without the first part."""
    name = target.provider.name
    text = mask(text, *target.secrets)
    text = f"{target.provider.display_name or name.capitalize()}Exception - {text}"
    if kind is None or issubclass(kind, errors.BadRequestError):
        return text
    return f"{kind.__name__}: {text}"


def _masked(target: Target, value: Any, depth: int = MAX_DEPTH) -> Any:
    """`value` without our credentials, should the upstream have repeated them."""
    if isinstance(value, str):
        return mask(value, *target.secrets)
    if isinstance(value, dict | list) and not depth:
        return "…"
    if isinstance(value, dict):
        return {_masked(target, name): _masked(target, item, depth - 1) for name, item in value.items()}
    if isinstance(value, list):
        return [_masked(target, item, depth - 1) for item in value]
    return value
