"""What observers of a call get: the engine's record of it, the log payload, and the gateway's caller. And what hooks
raise."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, TypedDict

import msgspec
from pydantic import BaseModel, ConfigDict, Field, model_validator


class CallRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in one call, as the engine saw it. Times are in seconds since 1970.

    Printing one shows neither the prompt nor what steered the call: records end up in logs by accident.

    >>> CallRecord(id="1", operation="chat", is_async=False, model="openai/m", body={}, stream=False,
    ...            metadata={}, params={})
    CallRecord(id='1', operation='chat', model='openai/m', status='pending')
    """

    id: str
    operation: str  # the name of a row of litellm.operations
    is_async: bool
    model: str  # as asked for: a group's name or provider/model
    body: Mapping[str, Any]  # OpenAI-shaped parameters, the messages or input included, the model not
    stream: bool
    metadata: Mapping[str, Any]
    params: Mapping[str, Any]  # the control words that concern callbacks: no-log, tags, litellm_trace_id …
    provider: str = ""
    target_model: str = ""
    api_base: str | None = None
    model_id: str = ""
    model_group: str = ""
    deployment: str = ""  # the deployment's model, as it is configured
    model_info: Mapping[str, Any] = {}  # of the deployment
    headers: Mapping[str, str] = {}  # of the upstream's answer
    started: float = 0.0
    first_chunk: float | None = None
    ended: float = 0.0
    response: Any = None  # the public object, or a function that makes it; of a stream, rebuilt from its chunks
    usage: Mapping[str, Any] | None = None
    cost: float | None = None  # US dollars
    error: Exception | None = None
    status: str = "pending"  # "success" | "failure" | "cancelled"
    retries: int = 0
    fallbacks: int = 0
    cache_hit: bool = False
    caller: Any = None  # the gateway's client, a UserAPIKeyAuth; in the SDK None
    size: int = 0  # bytes that it keeps in memory, about

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in ("id", "operation", "model", "status"))
        return f"CallRecord({shown})"


class CallTypes(StrEnum):
    """The kinds of calls, as callbacks, hooks and logs get them."""

    completion = "completion"
    acompletion = "acompletion"
    text_completion = "text_completion"
    atext_completion = "atext_completion"
    embedding = "embedding"
    aembedding = "aembedding"
    embeddings = "embeddings"
    moderation = "moderation"
    amoderation = "amoderation"
    image_generation = "image_generation"
    aimage_generation = "aimage_generation"
    transcription = "transcription"
    atranscription = "atranscription"
    audio_transcription = "audio_transcription"
    speech = "speech"
    aspeech = "aspeech"
    rerank = "rerank"
    arerank = "arerank"
    responses = "responses"
    aresponses = "aresponses"
    anthropic_messages = "anthropic_messages"
    pass_through = "pass_through_endpoint"
    call_mcp_tool = "call_mcp_tool"


class LitellmUserRoles(StrEnum):
    """What the owner of a key may do at the gateway."""

    PROXY_ADMIN = "proxy_admin"
    PROXY_ADMIN_VIEW_ONLY = "proxy_admin_viewer"
    ORG_ADMIN = "org_admin"
    INTERNAL_USER = "internal_user"
    INTERNAL_USER_VIEW_ONLY = "internal_user_viewer"
    TEAM = "team"
    CUSTOMER = "customer"


class UserAPIKeyAuth(BaseModel):
    """Who calls the gateway. Custom auth returns one, and the gateway's hooks are given one.

    A key that is passed in clear is kept only as its SHA-256 digest. Fields that are not listed are kept too.

    >>> caller = UserAPIKeyAuth(api_key="sk-1234", user_id="ada", team="blue")
    >>> caller.api_key == caller.token == "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b"
    True
    >>> caller.user_id, caller.team, caller.models
    ('ada', 'blue', [])
    """

    model_config = ConfigDict(extra="allow", protected_namespaces=(), arbitrary_types_allowed=True)

    api_key: str | None = None
    token: str | None = None
    key_name: str | None = None
    key_alias: str | None = None
    user_id: str | None = None
    user_role: LitellmUserRoles | None = None
    user_email: str | None = None
    team_id: str | None = None
    team_alias: str | None = None
    org_id: str | None = None
    end_user_id: str | None = None
    models: list[str] = Field(default_factory=list)
    aliases: dict[str, Any] = Field(default_factory=dict)
    config: dict[str, Any] = Field(default_factory=dict)
    permissions: dict[str, Any] = Field(default_factory=dict)
    metadata: dict[str, Any] = Field(default_factory=dict)
    team_metadata: dict[str, Any] | None = None
    spend: float = 0.0  # US dollars
    max_budget: float | None = None  # US dollars
    soft_budget: float | None = None
    budget_duration: str | None = None
    expires: str | datetime | None = None
    blocked: bool | None = None
    tpm_limit: int | None = None  # tokens per minute
    rpm_limit: int | None = None  # requests per minute
    max_parallel_requests: int | None = None
    allowed_model_region: str | None = None
    request_route: str | None = None
    parent_otel_span: Any = Field(default=None, exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _digest_key(cls, values: Any) -> Any:
        key = values.get("api_key") if isinstance(values, Mapping) else None
        if not isinstance(key, str):
            return values
        if key.startswith("sk-"):
            key = hashlib.sha256(key.encode()).hexdigest()
        return {"token": key, **values, "api_key": key}


class ProxyException(Exception):  # noqa: N818 - LiteLLM's name
    """What a hook or custom auth raises to refuse a request. The client gets it as OpenAI's error object.

    type: what kind of error, for programs. param: the parameter that is wrong. code: the HTTP status, 400 to 599.
    headers: for the answer.

    >>> ProxyException("No more today.", type="quota_error", param=None, code=429, headers={"Retry-After": "3600"}).code
    '429'
    """

    def __init__(
        self,
        message: str,
        type: str,  # noqa: A002 - LiteLLM's name
        param: str | None,
        code: int | str | None = None,
        headers: dict[str, str] | None = None,
        **_: Any,
    ) -> None:
        super().__init__(message)
        self.message = str(message)
        self.type = type
        self.param = param
        self.code = str(code)
        self.headers = headers or {}


class StandardLoggingPayload(TypedDict, total=False):
    """`kwargs["standard_logging_object"]`: one call as plain JSON values, the same for every kind of call."""

    id: str
    trace_id: str
    call_type: str
    stream: bool
    response_cost: float | None  # US dollars; None when the price is not known
    saved_cache_cost: float
    status: str  # "success" | "failure"
    custom_llm_provider: str
    total_tokens: int
    prompt_tokens: int
    completion_tokens: int
    startTime: float  # seconds since 1970, as the two below
    endTime: float
    completionStartTime: float
    response_time: float  # seconds
    model: str
    model_id: str | None
    model_group: str | None
    api_base: str
    metadata: dict[str, Any]
    cache_hit: bool
    cache_key: str | None
    request_tags: list[str]
    end_user: str
    requester_ip_address: str | None
    messages: Any
    response: Any
    error_str: str | None
    error_information: dict[str, Any]
    model_parameters: dict[str, Any]
    hidden_params: dict[str, Any]
    guardrail_information: Any
