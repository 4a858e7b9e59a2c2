"""Calls to tell callbacks of."""

from litellm.types.chat import ModelResponse
from litellm.types.hooks import CallRecord


def record(**fields):
    """A call of the chat kind that succeeded."""
    given = {
        "id": "call-1",
        "operation": "chat",
        "is_async": False,
        "model": "openai/gpt-x",
        "body": {"messages": [{"role": "user", "content": "Hello"}], "temperature": 0.5, "user": "ada"},
        "stream": False,
        "metadata": {},
        "params": {},
        "provider": "openai",
        "target_model": "gpt-x",
        "api_base": "http://127.0.0.1:1/v1",
        "started": 1_700_000_000.0,
        "ended": 1_700_000_002.5,
        "response": answer(),
        "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
        "cost": 0.25,
        "status": "success",
    }
    return CallRecord(**{**given, **fields})


def answer(text="Good morning"):
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    return ModelResponse(id="chatcmpl-1", model="gpt-x", created=1, choices=[choice], usage=usage)
