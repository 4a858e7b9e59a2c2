"""The class that LiteLLM's users derive their loggers and the gateway's hooks from. Every method does nothing."""

# ruff: noqa: ARG002 - these methods take what their overrides need

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any


class CustomLogger:
    """Base for observers of calls; override what you need.

    message_logging: whether this logger is told prompts and answers; turn_off_message_logging is its opposite.
    Without them their places hold "redacted-by-litellm". Other keywords are kept as attributes of no meaning to us.

    >>> class Counter(CustomLogger):
    ...     calls = 0
    ...     def log_success_event(self, kwargs, response_obj, start_time, end_time):
    ...         self.calls += 1
    >>> overrides(Counter(), "log_success_event"), overrides(Counter(), "log_failure_event")
    (True, False)
    """

    def __init__(self, message_logging: bool = True, turn_off_message_logging: bool = False, **kwargs: Any) -> None:
        self.message_logging = message_logging
        self.turn_off_message_logging = turn_off_message_logging
        self.optional_params = kwargs

    # --- told of calls, off their path. `kwargs` is described in docs/callbacks.md --------------------------------------

    def log_pre_api_call(self, model: str, messages: Any, kwargs: dict[str, Any]) -> None:
        """Before the first attempt."""

    def log_post_api_call(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: datetime
    ) -> None:
        """When the upstream has answered, before log_success_event."""

    def log_stream_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: datetime
    ) -> None:
        """For every chunk of a sync stream."""

    def log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: datetime
    ) -> None:
        """Once for every sync call that succeeded; for a stream at its end, with the whole answer."""

    def log_failure_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: datetime
    ) -> None:
        """Once for every sync call that failed; the exception is `kwargs["exception"]`."""

    async def async_log_pre_api_call(self, model: str, messages: Any, kwargs: dict[str, Any]) -> None:
        """Before the first attempt of an async call."""

    async def async_log_stream_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: datetime
    ) -> None:
        """For every chunk of an async stream."""

    async def async_log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: datetime
    ) -> None:
        """Once for every async call that succeeded."""

    async def async_log_failure_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: datetime
    ) -> None:
        """Once for every async call that failed."""

    def logging_hook(self, kwargs: dict[str, Any], result: Any, call_type: str) -> tuple[dict[str, Any], Any]:
        """What is logged of a sync call, by this and all other loggers, instead of `kwargs` and `result`."""
        return kwargs, result

    async def async_logging_hook(
        self, kwargs: dict[str, Any], result: Any, call_type: str
    ) -> tuple[dict[str, Any], Any]:
        """The same for an async call."""
        return kwargs, result

    # --- the gateway's hooks, on the way of a request --------------------------------------------------------------------

    async def async_pre_call_hook(
        self, user_api_key_dict: Any, cache: Any, data: dict[str, Any], call_type: str
    ) -> Exception | str | dict[str, Any] | None:
        """Before the call. Returns the request to make, a str to answer with, or None; raises to reject."""
        return None

    async def async_moderation_hook(self, data: dict[str, Any], user_api_key_dict: Any, call_type: str) -> Any:
        """Beside the call; raises to reject."""

    async def async_post_call_success_hook(self, data: dict[str, Any], user_api_key_dict: Any, response: Any) -> Any:
        """After the call. Returns another answer, or None for the one that it was given."""

    async def async_post_call_failure_hook(
        self,
        request_data: dict[str, Any],
        original_exception: Exception,
        user_api_key_dict: Any,
        traceback_str: str | None = None,
    ) -> Any:
        """After a failure. Returns an HTTPException to answer with, or None."""

    async def async_post_call_streaming_hook(self, user_api_key_dict: Any, response: str) -> Any:
        """For every piece of a streamed answer's text."""

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: Any, response: Any, request_data: dict[str, Any]
    ) -> AsyncGenerator[Any, None]:
        """Around a streamed answer: yields the chunks that the client gets."""
        async for chunk in response:
            yield chunk

    async def async_post_call_response_headers_hook(
        self, data: dict[str, Any], user_api_key_dict: Any, response: Any, request_headers: dict[str, str] | None = None
    ) -> dict[str, str] | None:
        """Headers to add to the answer."""
        return None

    async def async_filter_listed_models(self, models: list[Any], user_api_key_dict: Any = None) -> list[Any]:
        """Of the models that GET /models lists, those that this caller sees."""
        return models

    async def async_post_mcp_tool_call_hook(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: datetime
    ) -> Any:
        """After an MCP tool was called. Not called by this release."""

    # --- on the way to a deployment; the call waits for them -------------------------------------------------------------

    async def async_pre_request_hook(self, model: str, messages: Any, kwargs: dict[str, Any]) -> dict[str, Any] | None:
        """Before a request is made. Returns other kwargs, or None. Not called by this release."""
        return None

    async def async_pre_routing_hook(
        self,
        model: str,
        request_kwargs: dict[str, Any],
        messages: list[dict[str, Any]] | None = None,
        input: Any = None,  # noqa: A002 - LiteLLM's name
        specific_deployment: bool | None = False,
    ) -> Any:
        """Once for a call of a Router or the gateway, before it chooses. Returns an object or a dict with the `model` and
        the `messages` to ask for instead, or None. A Router's caller may name a model that only this method knows."""

    async def async_filter_deployments(
        self,
        model: str,
        healthy_deployments: list[Any],
        messages: list[Any] | None,
        request_kwargs: dict[str, Any] | None = None,
        parent_otel_span: Any = None,
    ) -> list[dict[str, Any]]:
        """Once for each group that a call goes to: of its available deployments, entries of a model_list, those that
        may be used. Without any the call has failed, with a 400."""
        return healthy_deployments

    def pre_call_check(self, deployment: dict[str, Any]) -> dict[str, Any] | None:
        """When a deployment was picked for a try of a sync call; raises to refuse it, which is a failure of that try. What
        it returns means nothing."""
        return deployment

    async def async_pre_call_check(
        self, deployment: dict[str, Any], parent_otel_span: Any = None
    ) -> dict[str, Any] | None:
        """The same for an async call."""
        return deployment

    async def async_pre_call_deployment_hook(
        self, kwargs: dict[str, Any], call_type: Any = None
    ) -> dict[str, Any] | None:
        """Before a try. Returns other kwargs for it, or None for those that it was given, changed or not. What of them
        would steer the call does nothing."""
        return None

    async def async_post_call_success_deployment_hook(
        self, request_data: dict[str, Any], response: Any, call_type: Any = None
    ) -> Any:
        """After a try with a whole answer. Returns another answer, or None for the one that it was given. request_data: the
        kwargs of the method before."""

    async def log_success_fallback_event(
        self, original_model_group: str, kwargs: dict[str, Any], original_exception: Exception
    ) -> None:
        """Once for a call that a fallback answered, before its success is told; of a stream, when it has begun.

        original_model_group: what was asked for first; original_exception: why that failed. Here and in the two below,
        `kwargs` has neither "exception" nor "standard_logging_object" yet. Sync calls are told as well.
        """

    async def log_failure_fallback_event(
        self, original_model_group: str, kwargs: dict[str, Any], original_exception: Exception
    ) -> None:
        """Once for a call whose fallbacks have all failed too, before its failure is told."""

    async def log_model_group_rate_limit_error(
        self, exception: Exception, original_model_group: str | None, kwargs: dict[str, Any]
    ) -> None:
        """Once for a call that found all deployments of a group cooling down or at a limit, whatever came of it. Of several
        such groups the first is told: it is `exception.model`, and original_model_group is what was asked for first.
        """

    # --- prompt management -----------------------------------------------------------------------------------------------

    def get_chat_completion_prompt(
        self,
        model: str,
        messages: list[Any],
        non_default_params: dict[str, Any],
        prompt_id: str | None = None,
        prompt_variables: dict[str, Any] | None = None,
        dynamic_callback_params: Any = None,
        **kwargs: Any,
    ) -> tuple[str, list[Any], dict[str, Any]]:
        """The model, messages and parameters that a stored prompt stands for. Not called by this release."""
        return model, messages, non_default_params

    async def async_get_chat_completion_prompt(
        self,
        model: str,
        messages: list[Any],
        non_default_params: dict[str, Any],
        prompt_id: str | None = None,
        prompt_variables: dict[str, Any] | None = None,
        dynamic_callback_params: Any = None,
        **kwargs: Any,
    ) -> tuple[str, list[Any], dict[str, Any]]:
        """The same for an async call. Not called by this release."""
        return model, messages, non_default_params


# Methods that this release never calls.
NOT_CALLED = (
    "async_pre_request_hook", "get_chat_completion_prompt", "async_get_chat_completion_prompt",
    "async_post_mcp_tool_call_hook",
)  # fmt: skip


def overrides(logger: object, name: str) -> bool:
    """Whether `logger` does something of its own in the method `name`. It need not be a CustomLogger.

    >>> overrides(CustomLogger(), "log_success_event"), overrides(object(), "log_success_event")
    (False, False)
    """
    method = getattr(logger, name, None)
    return callable(method) and getattr(method, "__func__", method) is not getattr(CustomLogger, name, None)
