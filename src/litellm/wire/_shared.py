"""What several formats need: reading errors by their code field, and by their text where there is no code."""

from __future__ import annotations

import re

from litellm.exceptions import (
    AuthenticationError,
    ContentPolicyViolationError,
    ContextWindowExceededError,
    LiteLLMError,
    NotFoundError,
    RateLimitError,
)

_BY_CODE: dict[str, type[LiteLLMError]] = {
    "context_length_exceeded": ContextWindowExceededError,
    "string_above_max_length": ContextWindowExceededError,
    "content_policy_violation": ContentPolicyViolationError,
    "content_filter": ContentPolicyViolationError,
    "moderation_blocked": ContentPolicyViolationError,
    "model_not_found": NotFoundError,
    "invalid_api_key": AuthenticationError,
    "rate_limit_exceeded": RateLimitError,
    "insufficient_quota": RateLimitError,
}

# How servers without a code say that a prompt is too long: OpenAI, vLLM, TGI, llama.cpp, SGLang, Mistral, Groq.
_TOO_LONG = re.compile(
    r"maximum context length is|exceed(?:s|ed)? (?:the )?(?:available )?context (?:size|limit|length|window)"
    r"|longer than the model'?s context length|context_length_exceeded|prompt is too long"
    r"|`inputs` tokens \+ `max_new_tokens` must be|current length is \d+ while (?:the )?limit is"
    r"|input (?:is|token count|length).{0,40}exceeds|too large for model with \d+ maximum context length"
    r"|reduce the length of the messages",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"content_policy_violation|violating our usage policy|rejected.{0,40}safety system", re.IGNORECASE
)


def by_code(code: object) -> type[LiteLLMError] | None:
    """The class that an error code stands for by itself, where there is no status to go by."""
    return _BY_CODE.get(code) if isinstance(code, str) else None


def refine(status: int, code: str | None, message: str) -> type[LiteLLMError] | None:
    """A more telling class than the status alone gives, or None. Status first, code second, text last.

    Only a 4xx about the request itself (400, 413, 422) can mean that the prompt is too long or refused; a code never
    turns one status into the class of another, except where servers are known to answer 400 for it.
    """
    if status in (400, 413, 422):
        kind = _BY_CODE.get(code or "")
        if kind is not None:
            return kind
        if _TOO_LONG.search(message):
            return ContextWindowExceededError
        if _REFUSED.search(message):
            return ContentPolicyViolationError
    return None
