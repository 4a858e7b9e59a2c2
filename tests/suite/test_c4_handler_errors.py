"""Must C4: what a handler raises is its status, with retries and fallbacks like anybody's."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tests.suite.doors import KEY, Failure, ProxyRaw, text_of
from tests.suite.handlers import Everything, answer, generic
from tests.suite.inprocess import ServedProxy, deployment

import litellm
from litellm import CustomLLM, CustomLLMError
from litellm import exceptions as errors


class Failing(CustomLLM):
    """Raises what it is told to, the first `times` times; `after` chunks into a stream."""

    def __init__(self, error: Exception, times: int = 1000, after: int = 0) -> None:
        super().__init__()
        self.error, self.times, self.after, self.calls = error, times, after, 0

    def completion(self, **_: Any) -> Any:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error
        return answer()

    def streaming(self, **_: Any) -> Any:
        self.calls += 1
        for _turn in range(self.after):
            yield generic("so far ")
        if self.calls <= self.times:
            raise self.error
        yield generic("Hello from a handler.", finish="stop")


class AsyncFailing(Failing):
    completion, streaming = CustomLLM.completion, CustomLLM.streaming

    async def acompletion(self, **given: Any) -> Any:
        return Failing.completion(self, **given)

    async def astreaming(self, **given: Any) -> Any:
        for chunk in Failing.streaming(self, **given):
            yield chunk


KINDS = pytest.mark.parametrize("kind", [Failing, AsyncFailing])


@KINDS
@pytest.mark.parametrize("status", [400, 401, 408, 422, 429, 500, 529])
def test_c4_status_and_retries(handlers, kind, status, streamed):
    """C4, R3: the exception's status_code is the HTTP status, and says whether another try is worth it."""
    handler = kind(CustomLLMError(status, "out of cheese"))
    with pytest.raises(Failure, match="out of cheese") as told:
        handlers.ask(handler, streamed=streamed, num_retries=1)
    assert told.value.status == status
    assert handler.calls == (2 if status in (408, 429) or status >= 500 else 1)


@KINDS
def test_c4_it_may_work_the_second_time(handlers, kind, streamed):
    """C4, R1: a retry helps a handler too, streamed or not."""
    handler = kind(CustomLLMError(503, "busy"), times=1)
    assert text_of(handlers.ask(handler, streamed=streamed)) == "Hello from a handler."
    assert handler.calls == 2


class WithStatus(Exception):
    """As other libraries have them."""

    status_code = 418


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ZeroDivisionError("by zero"), 500),
        (KeyError("nothing there"), 500),
        (TimeoutError("too slow"), 408),
        (WithStatus("teapot"), 418),
        (CustomLLMError(200, "no error at all"), 500),
        (CustomLLMError("many", "no number"), 500),  # type: ignore[arg-type]
        (StopIteration("odd"), 500),
        (errors.RateLimitError("slow down", "theirs", "x"), 429),
        (errors.ContextWindowExceededError("too long", "x", "theirs"), 400),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
@KINDS
def test_c4_other_exceptions(handlers, kind, error, status, streamed):
    """C4: what has no status is a 500; what has one keeps it, and our own classes stay what they are."""
    with pytest.raises(Failure) as told:
        handlers.ask(kind(error), streamed=streamed, num_retries=0)
    assert told.value.status == status
    if told.value.kind and isinstance(error, errors.LiteLLMError):
        assert told.value.kind is type(error)


@KINDS
def test_c4_after_the_first_chunk(handlers, kind):
    """C4: then it is told in-band, by its status, and never retried (LiteLLM: always HTTP 200 and silence, #11236)."""
    handler = kind(CustomLLMError(429, "out of cheese"), after=2)
    with pytest.raises(Failure, match="out of cheese") as told:
        handlers.ask(handler, streamed=True)
    assert told.value.status == 429
    assert text_of(told.value.chunks) == "so far so far "
    assert handler.calls == 1
    if handlers.name != "proxy":
        assert told.value.partial == "so far so far "


@KINDS
def test_c4_fallbacks_from_a_handler(up, kind, streamed):
    """C4, R1: fallbacks fire for handlers, streamed too (LiteLLM: #10972), in the proxy and in the SDK."""
    config = {
        "model_list": [deployment("m", "mine/x"), deployment("b", "openai/b", api_base=up.base, api_key=KEY)],
        "litellm_settings": {"fallbacks": [{"m": ["b"]}], "num_retries": 0},
    }
    handler = kind(CustomLLMError(401, "no entry"))
    with ServedProxy(config, handlers={"mine": handler}) as proxy:
        assert text_of(ProxyRaw(proxy).ask(streamed=streamed)) == "Hello from upstream."
    assert handler.calls == 1


@pytest.mark.parametrize("sync", [True, False])
async def test_c4_fallback_to_a_handler(up, monkeypatch, sync):
    """C4: and a handler can be the fallback."""
    handler = Everything()
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "mine", "custom_handler": handler}])
    place = {"model": "openai/m", "messages": [{"role": "user", "content": "hi"}], "api_base": "http://127.0.0.1:1",
             "num_retries": 0, "fallbacks": ["mine/x"]}  # fmt: skip
    made = litellm.completion(**place) if sync else await litellm.acompletion(**place)
    assert made.choices[0].message.content == "Hello from a handler."
    assert handler.given[0]["api_base"] is None, "the address was another provider's"


def test_c4_a_shadowed_provider_is_warned_of(up, monkeypatch, caplog):
    """C4: a name of a built-in may be taken, and a warning says so (LiteLLM ignored the handler, #6937)."""
    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "groq", "custom_handler": Everything()}])
    with caplog.at_level(logging.WARNING, "LiteLLM"):
        made = litellm.completion("groq/llama", [{"role": "user", "content": "hi"}])
    assert made.choices[0].message.content == "Hello from a handler."
    assert ["groq" in record.getMessage() and "shadows" in record.getMessage() for record in caplog.records] == [True]
    caplog.clear()
    with ServedProxy({"model_list": [deployment("m", "groq/llama")]}, handlers={"groq": Everything()}) as proxy:
        assert text_of(ProxyRaw(proxy).chat()) == "Hello from a handler."
    assert any("shadows" in record.getMessage() for record in caplog.records)


def test_c4_a_file_beside_the_configuration(tmp_path, streamed):
    """C1, C4: registered in YAML, from a file next to it, as the documentation shows it."""
    (tmp_path / "handler_of_the_suite.py").write_text(
        "import litellm\n"
        "class Mine(litellm.CustomLLM):\n"
        "    def completion(self, *args, **kwargs):\n"
        "        if kwargs['messages'][0]['content'] == 'fail':\n"
        "            raise litellm.CustomLLMError(status_code=418, message='I am a teapot')\n"
        "        return litellm.completion(model='gpt-3.5-turbo', messages=[], mock_response='Hi!')\n"
        "mine = Mine()\n"
    )
    config = """
model_list:
  - {model_name: m, litellm_params: {model: my-custom-llm/x}}
litellm_settings:
  custom_provider_map:
    - {provider: my-custom-llm, custom_handler: handler_of_the_suite.mine}
"""
    with ServedProxy(config, folder=tmp_path) as proxy:
        door = ProxyRaw(proxy)
        assert text_of(door.ask(streamed=streamed)) == "Hi!"
        with pytest.raises(Failure, match="I am a teapot") as told:
            door.ask([{"role": "user", "content": "fail"}], streamed=streamed)
        assert told.value.status == 418
