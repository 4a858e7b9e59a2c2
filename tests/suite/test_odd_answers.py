"""Upstreams whose JSON is JSON and still no answer: told as such, retried, never an exception of Python's own."""

from __future__ import annotations

import json

import pytest
from tests.fakes import behaviour as act
from tests.fakes.upstream import Upstream
from tests.suite.doors import request

import litellm

HI = [{"role": "user", "content": "hi"}]
HEAD = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}

CHUNKS = [
    {"choices": [{"index": 0, "delta": "hi", "finish_reason": None}]},
    {"choices": 5},
    {"choices": ["text"]},
    {"choices": [{"index": [1], "delta": {"content": "x"}, "finish_reason": None}]},
    {"choices": [{"index": 0, "delta": {"tool_calls": 5}, "finish_reason": None}]},
    {"choices": [{"index": 0, "delta": {"tool_calls": [{"function": 5}]}, "finish_reason": None}]},
]


@pytest.mark.parametrize("chunk", CHUNKS, ids=str)
def test_a_chunk_of_another_shape(chunk: dict) -> None:
    """R1, G3: before anything was seen it is tried again, like everything else."""
    with Upstream() as up:
        up.next(act.events([HEAD | chunk]), act.answer("second"))
        stream = litellm.completion("openai/m", HI, api_base=up.base, stream=True, num_retries=1)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == "second"
        up.next(act.events([HEAD | chunk]))
        with pytest.raises(litellm.APIResponseValidationError):
            list(litellm.completion("openai/m", HI, api_base=up.base, stream=True, num_retries=0))


@pytest.mark.parametrize("message", [{"tool_calls": 5}, {"tool_calls": ["x", 5]}, "text", 5], ids=str)
def test_a_message_of_another_shape(message: object) -> None:
    """G3: the same for whole answers."""
    answer = {"id": "c", "created": 1, "model": "m", "choices": [{"index": 0, "message": message}]}
    with Upstream() as up:
        up.next(act.verbatim(200, json.dumps(answer).encode()))
        with pytest.raises(litellm.exceptions.LiteLLMError):
            litellm.completion("openai/m", HI, api_base=up.base, num_retries=0)


@pytest.mark.parametrize("stream", [False, True])
def test_a_retry_after_without_end(house, up, stream):
    """G3: the client of the proxy is answered, whatever number an upstream asks it to wait."""
    up.next(act.error(429, retry_after="9" * 400))
    body = json.dumps({"model": "m", "messages": HI, "stream": stream, "num_retries": 0})
    answer = request(house.proxy, "POST", "/v1/chat/completions", body)
    assert answer.status == 429
    assert "retry-after" not in answer.headers


async def test_a_redirected_stream_lets_go_of_its_connection() -> None:
    """P5: a 3xx is an answer like an error: read to its end, and the connection is free again."""
    with Upstream() as up:
        for _ in range(3):
            up.next(act.redirect("http://127.0.0.1:1/v1"))
            with pytest.raises(litellm.BadGatewayError):
                await litellm.acompletion("openai/m", HI, api_base=up.base, stream=True, num_retries=0)
            up.next(act.redirect("http://127.0.0.1:1/v1"))
            with pytest.raises(litellm.BadGatewayError):
                litellm.completion("openai/m", HI, api_base=up.base, stream=True, num_retries=0)
        assert up.connections_made <= 2
