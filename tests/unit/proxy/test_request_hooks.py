"""The hooks as values: who has which, what an exception of theirs becomes, what they can keep, what they are told."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException

from litellm.exceptions import RateLimitError
from litellm.hooks.logger import CustomLogger
from litellm.hooks.scratch import ScratchCache
from litellm.operations import CHAT
from litellm.proxy.auth.authenticator import ANONYMOUS
from litellm.proxy.calls.overrides import read_overrides
from litellm.proxy.errors import RequestError, body_of
from litellm.proxy.hooks import hook_data
from litellm.proxy.hooks.refusals import as_answer
from litellm.proxy.hooks.request_hooks import HOOKS, HookedRequest, RequestHooks
from litellm.proxy.http import Exchange
from litellm.server.head import Head
from litellm.types.hooks import UserAPIKeyAuth


def with_hook(name):
    """A logger that has one hook of its own, and all the others of its base class."""

    async def hook(self, *args, **kwargs):
        return None

    return type("Has", (CustomLogger,), {name: hook})()


@pytest.mark.parametrize(
    "nobody", [[], [CustomLogger()], ["langfuse"], [print], [with_hook("async_log_success_event")]]
)
def test_nobody_has_a_hook(nobody):
    """P3: then there are no RequestHooks."""
    assert RequestHooks.of(nobody) is None


@pytest.mark.parametrize("spec", HOOKS, ids=lambda spec: spec.name)
def test_who_has_which(spec):
    first, second = with_hook(spec.name), with_hook(spec.name)
    hooks = RequestHooks.of([first, "langfuse", CustomLogger(), second])
    assert {spec: len(hooks.chain[spec]) for spec in HOOKS if hooks.chain[spec]} == {spec: 2}
    assert [hook.__self__ for hook in hooks.chain[spec]] == [first, second]


@pytest.mark.parametrize(
    ("name", "answers", "streams"),
    [
        ("async_pre_call_hook", False, False),
        ("async_moderation_hook", False, False),
        ("async_post_call_failure_hook", False, False),
        ("async_filter_listed_models", False, False),
        ("async_post_call_success_hook", True, False),
        ("async_post_call_response_headers_hook", True, False),
        ("async_post_call_streaming_hook", False, True),
        ("async_post_call_streaming_iterator_hook", False, True),
    ],
)
def test_what_is_made_an_object_for_them(name, answers, streams):
    """S1: an answer that nobody wants to see is relayed."""
    hooks = RequestHooks.of([with_hook(name)])
    assert (hooks.sees_answers, hooks.sees_streams) == (answers, streams)


def test_a_logger_without_the_base_class():
    class Plain:
        async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
            return "no"

    hooks = RequestHooks.of([Plain()])
    hooked = HookedRequest(hooks=hooks, caller=UserAPIKeyAuth(), operation=CHAT, data={})
    assert asyncio.run(hooked.before()) == "no"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    status=st.integers(-1000, 1000), detail=JSON, headers=st.none() | st.dictionaries(st.text(), st.text(), max_size=3)
)
def test_whatever_is_raised_is_an_answer(status, detail, headers):
    """A refusal has a status of 400 to 599 and a text, and its headers are single lines; whatever else is a 500."""
    error = HTTPException(400, detail, headers)
    error.status_code = status
    told = as_answer(error)
    if not 400 <= status < 600:
        assert told is error
        return
    assert isinstance(told, RequestError)
    assert told.status == status
    assert isinstance(body_of(told)["error"]["message"], str)
    for name, value in told.headers:
        assert not set(name + value) & set(b"\r\n")


def test_a_detail_that_is_no_json():
    told = as_answer(HTTPException(400, {"a": {1, 2}, "b": print}))
    assert isinstance(told, RequestError)
    assert "built-in function print" in told.message


def test_errors_of_ours_stay_what_they_are():
    for error in (RequestError(400, "x"), RateLimitError("slow down", "openai", "m"), ValueError("x")):
        assert as_answer(error) is error


def test_moderation_that_is_cancelled_lets_the_call_go():
    """R6: nothing is left running behind a request that has gone."""
    ended = []

    class Moderator(CustomLogger):
        async def async_moderation_hook(self, data, user_api_key_dict, call_type):
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("hook")

    async def call():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("call")

    async def main():
        hooks = RequestHooks.of([Moderator()])
        hooked = HookedRequest(hooks=hooks, caller=UserAPIKeyAuth(), operation=CHAT, data={})
        request = asyncio.create_task(hooked.beside(call()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        return len(asyncio.all_tasks())

    assert asyncio.run(main()) == 1
    assert sorted(ended) == ["call", "hook"]


def test_a_moderation_hook_that_cannot_be_called():
    """R6: the call that has begun is cancelled with it."""

    class Moderator(CustomLogger):
        async def async_moderation_hook(self, data):
            raise AssertionError("it takes too little to be called")

    async def main():
        hooked = HookedRequest(hooks=RequestHooks.of([Moderator()]), caller=UserAPIKeyAuth(), operation=CHAT, data={})
        with pytest.raises(TypeError):
            await hooked.beside(asyncio.Event().wait())
        return len(asyncio.all_tasks())

    assert asyncio.run(main()) == 1


def test_a_stream_that_was_opened_for_a_refused_request_is_closed():
    closed = []

    class Opened:
        def abort(self):
            closed.append(True)

    class Moderator(CustomLogger):
        async def async_moderation_hook(self, data, user_api_key_dict, call_type):
            for _ in range(3):  # the call is done first
                await asyncio.sleep(0)
            raise HTTPException(403, "no")

    async def call():
        return Opened()

    hooked = HookedRequest(hooks=RequestHooks.of([Moderator()]), caller=UserAPIKeyAuth(), operation=CHAT, data={})
    with pytest.raises(HTTPException):
        asyncio.run(hooked.beside(call()))
    assert closed == [True]


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


STEPS = st.lists(
    st.tuples(st.just("set"), st.sampled_from("abc"), st.integers(-(10**9), 10**9), st.none() | st.integers(1, 5))
    | st.tuples(st.just("add"), st.sampled_from("abc"), st.integers(-5, 5), st.none() | st.integers(1, 5))
    | st.tuples(st.just("delete"), st.sampled_from("abc"))
    | st.tuples(st.just("pass"), st.integers(1, 3)),
    max_size=30,
)


@given(steps=STEPS)
def test_the_cache_is_a_dict_that_forgets(steps):
    clock, model = Clock(), {}
    cache = ScratchCache(clock=clock)

    def known(key):
        value, until = model.get(key, (None, None))
        return None if until is not None and until <= clock.now else value

    for step in steps:
        match step:
            case ("set", key, value, ttl):
                cache.set_cache(key, value, ttl=ttl)
                model[key] = value, None if ttl is None else clock.now + ttl
            case ("add", key, value, ttl):
                if known(key) is None:
                    model[key] = 0, None if ttl is None else clock.now + ttl
                model[key] = model[key][0] + value, model[key][1]
                assert cache.increment_cache(key, value, ttl=ttl) == model[key][0]
            case ("delete", key):
                cache.delete_cache(key)
                model.pop(key, None)
            case ("pass", seconds):
                clock.now += seconds
        assert [cache.get_cache(key) for key in "abc"] == [known(key) for key in "abc"]


def test_the_cache_is_bounded():
    """The entry that was used longest ago is forgotten."""
    cache = ScratchCache(maximum=2)
    cache.set_cache("a", 1)
    cache.set_cache("b", 2)
    assert cache.get_cache("a") == 1
    cache.set_cache("c", 3)
    assert [cache.get_cache(key) for key in "abc"] == [1, None, 3]


PATH = "/v1/chat/completions"


class Line:
    closing = False
    peer = ("10.0.0.7", 4321)


def test_what_is_told_has_no_secrets():
    """F5: of headers that are or may be credentials; and what hooks get, no upstream gets."""
    secret = [b"authorization", b"x-api-key", b"cookie", b"x-my-token", b"x-secret-thing", b"proxy-authorization"]
    headers = {**dict.fromkeys(secret, b"canary"), b"x-team": b"blue"}
    http = Exchange(Line(), Head("POST", PATH, PATH, b"", headers, []))
    body = {"model": "m", "messages": [], "metadata": {"a": 1}}
    for_hooks = hook_data.to_hook_data(http, ANONYMOUS, body)
    for_callbacks = hook_data.request_info(http, ANONYMOUS, body, {"tags": ["x"]})
    assert "canary" not in repr(for_hooks) + repr(for_callbacks)
    assert for_hooks["metadata"]["headers"] == {"x-team": "blue"}
    assert for_callbacks["requester_ip_address"] == "10.0.0.7"
    assert for_callbacks["tags"] == ["x"]
    assert hook_data.from_hook_data(for_hooks).keys() == {"model", "messages", "metadata"}
    assert body == {"model": "m", "messages": [], "metadata": {"a": 1}}


def test_a_clients_own_credentials_are_not_in_the_copy_of_its_request():
    """F5: it is for logs. The body itself has them: hooks may change them."""
    http = Exchange(Line(), Head("POST", PATH, PATH, b"", {}, []))
    own = {"api_key": "canary", "user_config": {"model_list": ["canary"]}, "api_base": "https://canary"}
    told = hook_data.to_hook_data(
        http, ANONYMOUS, {"model": "m", **own, "extra_body": {"api_key": "canary", "top_k": 1}}
    )
    assert told["api_key"] == "canary"
    assert told["proxy_server_request"]["body"] == {"model": "m", "extra_body": {"top_k": 1}}


def test_hooks_are_told_who_calls_by_nobody_else():
    """O14: a client's metadata does not say it, in the body or beside it."""
    http = Exchange(Line(), Head("POST", PATH, PATH, b"", {}, []))
    forged = {"user_api_key_user_id": "the-ceo", "user_api_key": "other", "colour": "blue"}
    told = hook_data.to_hook_data(http, ANONYMOUS, {"model": "m", "metadata": forged})
    assert told["metadata"] == {"colour": "blue", "user_api_key": ANONYMOUS.key_hash, "headers": {}}
    for name in ("metadata", "litellm_metadata"):
        assert read_overrides({name: dict(forged)}, {}).metadata == {"colour": "blue"}
