# Written by scripts/names --write. Do not edit.
import ssl
from typing import Any

from litellm import _logging as _logging
from litellm import exceptions as exceptions
from litellm import litellm_core_utils as litellm_core_utils
from litellm import llms as llms
from litellm import main as main
from litellm import types as types
from litellm import utils as utils
from litellm.engine.assemble import stream_chunk_builder as stream_chunk_builder
from litellm.engine.stream import CustomStreamWrapper as CustomStreamWrapper
from litellm.exceptions import APIConnectionError as APIConnectionError
from litellm.exceptions import APIError as APIError
from litellm.exceptions import APIResponseValidationError as APIResponseValidationError
from litellm.exceptions import AuthenticationError as AuthenticationError
from litellm.exceptions import AzureOpenAIError as AzureOpenAIError
from litellm.exceptions import BadGatewayError as BadGatewayError
from litellm.exceptions import BadRequestError as BadRequestError
from litellm.exceptions import BudgetExceededError as BudgetExceededError
from litellm.exceptions import ContentPolicyViolationError as ContentPolicyViolationError
from litellm.exceptions import ContextWindowExceededError as ContextWindowExceededError
from litellm.exceptions import ImageFetchError as ImageFetchError
from litellm.exceptions import IncompleteStream as IncompleteStream
from litellm.exceptions import InternalServerError as InternalServerError
from litellm.exceptions import InvalidRequestError as InvalidRequestError
from litellm.exceptions import JSONSchemaValidationError as JSONSchemaValidationError
from litellm.exceptions import LiteLLMUnknownProvider as LiteLLMUnknownProvider
from litellm.exceptions import NotFoundError as NotFoundError
from litellm.exceptions import OpenAIError as OpenAIError
from litellm.exceptions import PaymentRequiredError as PaymentRequiredError
from litellm.exceptions import PermissionDeniedError as PermissionDeniedError
from litellm.exceptions import RateLimitError as RateLimitError
from litellm.exceptions import RejectedRequestError as RejectedRequestError
from litellm.exceptions import RouterRateLimitError as RouterRateLimitError
from litellm.exceptions import ServiceUnavailableError as ServiceUnavailableError
from litellm.exceptions import Timeout as Timeout
from litellm.exceptions import UnprocessableEntityError as UnprocessableEntityError
from litellm.exceptions import UnsupportedParamsError as UnsupportedParamsError
from litellm.providers.custom import CustomLLM as CustomLLM
from litellm.providers.custom import CustomLLMError as CustomLLMError
from litellm.sdk.chat import acompletion as acompletion
from litellm.sdk.chat import completion as completion
from litellm.sdk.helpers import OPENAI_CHAT_COMPLETION_PARAMS as OPENAI_CHAT_COMPLETION_PARAMS
from litellm.sdk.helpers import _turn_on_debug as _turn_on_debug
from litellm.sdk.helpers import get_llm_provider as get_llm_provider
from litellm.sdk.helpers import get_supported_openai_params as get_supported_openai_params
from litellm.sdk.helpers import provider_list as provider_list
from litellm.types.chat import ChatCompletionDeltaToolCall as ChatCompletionDeltaToolCall
from litellm.types.chat import ChatCompletionMessageToolCall as ChatCompletionMessageToolCall
from litellm.types.chat import Choices as Choices
from litellm.types.chat import Delta as Delta
from litellm.types.chat import FunctionCall as FunctionCall
from litellm.types.chat import Message as Message
from litellm.types.chat import ModelResponse as ModelResponse
from litellm.types.chat import ModelResponseStream as ModelResponseStream
from litellm.types.chat import StreamingChoices as StreamingChoices
from litellm.types.chat import Usage as Usage
from litellm.types.streaming import GenericStreamingChunk as GenericStreamingChunk

__version__: str
api_key: str | None
openai_key: str | None
api_base: str | None
organization: str | None
headers: dict[str, str] | None
model_alias_map: dict[str, str]
custom_provider_map: list[dict[str, Any]]
drop_params: bool
num_retries: int | None
request_timeout: float | None
fallbacks: list[Any] | None
ssl_verify: bool | str | ssl.SSLContext | None
ssl_certificate: str | None
force_ipv4: bool
set_verbose: bool
suppress_debug_info: bool
telemetry: bool
