"""A chain of users' hooks: who is asked, in which order, and what is made of what they give."""

import asyncio

import pytest
from pydantic import BaseModel

from litellm.engine.drivers import arun, run
from litellm.hooks.chain import Chain, HookSpec
from litellm.hooks.logger import CustomLogger
from litellm.net.async_io import AsyncTransport
from litellm.net.sync_io import SyncTransport

SUCCESS = HookSpec("async_post_call_success_hook", "response", (BaseModel, dict, type(None)), "an answer or None")
BEFORE = HookSpec("async_pre_call_hook", "data", (dict, str, type(None)), final=(str,), lenient=True)
CHECK = HookSpec("pre_call_check", is_async=False)


def gives(spec, value):
    """A logger whose one hook gives a value, or what a function makes of its arguments."""

    async def hook(self, **words):
        return value(words) if callable(value) else value

    def check(self, **words):
        return value(words) if callable(value) else value

    return type("Gives", (CustomLogger,), {spec.name: hook if spec.is_async else check})()


def result_of(spec, values, **words):
    chain = Chain.of([gives(spec, value) for value in values], [spec])
    return asyncio.run(arun(chain.run(spec, words), AsyncTransport()))


@pytest.mark.parametrize("nobody", [[], [CustomLogger()], ["langfuse", print, None]])
def test_a_chain_of_nobody_is_none(nobody):
    assert Chain.of(nobody, [SUCCESS, BEFORE, CHECK]) is None


def test_the_next_hook_gets_what_the_one_before_it_gave():
    appended = [lambda words, each=each: {"seen": [*words["response"]["seen"], each]} for each in "abc"]
    assert result_of(SUCCESS, [appended[0], None, *appended[1:]], response={"seen": []}) == {"seen": ["a", "b", "c"]}


@pytest.mark.parametrize("value", [False, 0, 7, "text", ["a list"]])
def test_what_means_nothing_is_an_error_that_names_the_hook(value):
    with pytest.raises(TypeError, match=rf"gives.*hook gave {type(value).__name__}, but must give an answer or None"):
        result_of(SUCCESS, [value], response={})


@pytest.mark.parametrize("spec", [SUCCESS, BEFORE, CHECK], ids=lambda spec: spec.name)
def test_an_exception_that_is_returned_is_raised(spec):
    with pytest.raises(KeyError):
        result_of(spec, [lambda words: KeyError("no"), lambda words: pytest.fail("nobody is asked any more")])


def test_what_is_final_ends_the_chain():
    assert result_of(BEFORE, ["enough", lambda words: pytest.fail("nobody is asked any more")], data={}) == "enough"


def test_a_lenient_hook_is_warned_of_what_means_nothing(caplog):
    assert result_of(BEFORE, [False, {"a": 1}], data={}) == {"a": 1}
    assert "gave bool, which means nothing: to refuse, raise" in caplog.text


@pytest.mark.parametrize("spec", [SUCCESS, CHECK], ids=lambda spec: spec.name)
def test_both_drivers_run_a_chain(spec):
    seen = []
    chain = Chain.of([gives(spec, lambda words: seen.append(words["response"]))], [spec])
    run(chain.run(spec, {"response": {}}), SyncTransport())
    asyncio.run(arun(chain.run(spec, {"response": {}}), AsyncTransport()))
    assert seen == [{}, {}]
