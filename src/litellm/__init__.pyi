# Written by scripts/names --write. Do not edit.
import ssl
from typing import Any

from litellm import _logging as _logging
from litellm import caching as caching
from litellm import cost_calculator as cost_calculator
from litellm import exceptions as exceptions
from litellm import integrations as integrations
from litellm import litellm_core_utils as litellm_core_utils
from litellm import llms as llms
from litellm import main as main
from litellm import router as router
from litellm import types as types
from litellm import utils as utils
from litellm.catalog.info import ModelNotMappedError as ModelNotMappedError
from litellm.catalog.info import get_max_tokens as get_max_tokens
from litellm.catalog.info import get_model_info as get_model_info
from litellm.catalog.info import register_model as register_model
from litellm.catalog.info import supports_assistant_prefill as supports_assistant_prefill
from litellm.catalog.info import supports_audio_input as supports_audio_input
from litellm.catalog.info import supports_audio_output as supports_audio_output
from litellm.catalog.info import supports_computer_use as supports_computer_use
from litellm.catalog.info import supports_embedding_image_input as supports_embedding_image_input
from litellm.catalog.info import supports_function_calling as supports_function_calling
from litellm.catalog.info import supports_native_streaming as supports_native_streaming
from litellm.catalog.info import supports_parallel_function_calling as supports_parallel_function_calling
from litellm.catalog.info import supports_pdf_input as supports_pdf_input
from litellm.catalog.info import supports_prompt_caching as supports_prompt_caching
from litellm.catalog.info import supports_reasoning as supports_reasoning
from litellm.catalog.info import supports_response_schema as supports_response_schema
from litellm.catalog.info import supports_system_messages as supports_system_messages
from litellm.catalog.info import supports_tool_choice as supports_tool_choice
from litellm.catalog.info import supports_url_context as supports_url_context
from litellm.catalog.info import supports_video_input as supports_video_input
from litellm.catalog.info import supports_vision as supports_vision
from litellm.catalog.info import supports_web_search as supports_web_search
from litellm.catalog.prices import completion_cost as completion_cost
from litellm.catalog.prices import cost_per_token as cost_per_token
from litellm.catalog.store import model_cost as model_cost
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
from litellm.hooks.logger import CustomLogger as CustomLogger
from litellm.hooks.scratch import DualCache as DualCache
from litellm.providers.custom import CustomLLM as CustomLLM
from litellm.providers.custom import CustomLLMError as CustomLLMError
from litellm.sdk.batch import batch_completion as batch_completion
from litellm.sdk.batch import batch_completion_models as batch_completion_models
from litellm.sdk.batch import batch_completion_models_all_responses as batch_completion_models_all_responses
from litellm.sdk.chat import acompletion as acompletion
from litellm.sdk.chat import completion as completion
from litellm.sdk.completion import atext_completion as atext_completion
from litellm.sdk.completion import text_completion as text_completion
from litellm.sdk.embedding import aembedding as aembedding
from litellm.sdk.embedding import embedding as embedding
from litellm.sdk.helpers import OPENAI_CHAT_COMPLETION_PARAMS as OPENAI_CHAT_COMPLETION_PARAMS
from litellm.sdk.helpers import _turn_on_debug as _turn_on_debug
from litellm.sdk.helpers import get_llm_provider as get_llm_provider
from litellm.sdk.helpers import get_supported_openai_params as get_supported_openai_params
from litellm.sdk.helpers import provider_list as provider_list
from litellm.sdk.moderation import amoderation as amoderation
from litellm.sdk.moderation import moderation as moderation
from litellm.sdk.router import Router as Router
from litellm.tokens.count import decode as decode
from litellm.tokens.count import encode as encode
from litellm.tokens.count import token_counter as token_counter
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
from litellm.types.completion import TextChoices as TextChoices
from litellm.types.completion import TextCompletionResponse as TextCompletionResponse
from litellm.types.embedding import EmbeddingResponse as EmbeddingResponse
from litellm.types.hooks import CallTypes as CallTypes
from litellm.types.router import RouterConfig as RouterConfig
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
input_callback: list[Any]
success_callback: list[Any]
failure_callback: list[Any]
callbacks: list[Any]
turn_off_message_logging: bool
set_verbose: bool
suppress_debug_info: bool
telemetry: bool
