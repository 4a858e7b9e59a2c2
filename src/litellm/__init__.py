"""Call every LLM in the OpenAI shape.

>>> import litellm
>>> litellm.completion("mock/echo", [{"role": "user", "content": "Hello"}]).choices[0].message.content
'Hello'

The variables below are the settings: assign to them, and calls made afterwards obey. They are read in one place
(sdk/_settings.py), once per call. Everything else is imported when it is first used, so that this import costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litellm._version import __version__ as __version__

if TYPE_CHECKING:
    import ssl

# --- provider and account ----------------------------------------------------------------------------------------------
api_key: str | None = None
openai_key: str | None = None
api_base: str | None = None
organization: str | None = None
headers: dict[str, str] | None = None
model_alias_map: dict[str, str] = {}
custom_provider_map: list[dict[str, Any]] = []

# --- what is sent ------------------------------------------------------------------------------------------------------
drop_params: bool = False

# --- how often, how long -----------------------------------------------------------------------------------------------
num_retries: int | None = None
request_timeout: float | None = None
fallbacks: list[Any] | None = None

# --- the network -------------------------------------------------------------------------------------------------------
ssl_verify: bool | str | ssl.SSLContext | None = None
ssl_certificate: str | None = None
force_ipv4: bool = False

# --- callbacks (docs/callbacks.md) -------------------------------------------------------------------------------------
input_callback: list[Any] = []
success_callback: list[Any] = []
failure_callback: list[Any] = []
callbacks: list[Any] = []
turn_off_message_logging: bool = False

# --- what is shown (nothing, until you ask) ----------------------------------------------------------------------------
set_verbose: bool = False
suppress_debug_info: bool = False
telemetry: bool = False


def __getattr__(name: str) -> Any:
    from litellm._names import find

    value = find(name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    from litellm._names import public_names

    # Not globals(): what was used before would show, and aider refuses to start when it meets an *Error it does not know.
    return sorted({*__annotations__, *public_names(), "__version__"})
