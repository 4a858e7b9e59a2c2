"""The import lines of LiteLLM's documentation and of its users, literally: each works, and finds our one object of the kind."""

import ast
import importlib
import textwrap

import pytest
from tests.e2e.talk import HI, KEY, Talk
from tests.processes import run_python
from tests.suite.inprocess import ServedProxy, deployment

# The line → where the objects live, in the order of the line.
LINES = {
    "from litellm.proxy.proxy_server import UserAPIKeyAuth, DualCache": "types.hooks hooks.scratch",
    "from litellm.proxy._types import UserAPIKeyAuth, ProxyException": "types.hooks types.hooks",
    "from litellm.caching import DualCache": "hooks.scratch",
    "from litellm.caching.caching import DualCache": "hooks.scratch",
    "from litellm.caching.dual_cache import DualCache": "hooks.scratch",
    "from litellm.router import Router": "sdk.router",
    "from litellm.router import RetryPolicy, AllowedFailsPolicy": "types.router types.router",
    "from litellm.router import Deployment, LiteLLM_Params": "types.router types.router",
    "from litellm.router import CustomRoutingStrategyBase": "types.router",
    "from litellm.types.router import DeploymentTypedDict, LiteLLM_Params": "types.router types.router",
    "from litellm.types.router import RouterRateLimitError": "exceptions",
    "from litellm._logging import verbose_logger, verbose_proxy_logger, verbose_router_logger": "_log _log _log",
    "from litellm.types.llms.openai import AllMessageValues, ChatCompletionAnnotation": "types.llms.openai types.llms.openai",
}
OUR_NAMES = dict.fromkeys(("verbose_logger", "verbose_proxy_logger", "verbose_router_logger"), "log")


@pytest.mark.parametrize(("line", "homes"), LINES.items())
def test_the_line_works(line, homes):
    found = {}
    exec(line, found)
    names = [alias.name for alias in ast.parse(line).body[0].names]
    for name, home in zip(names, homes.split(), strict=True):
        assert found[name] is getattr(importlib.import_module(f"litellm.{home}"), OUR_NAMES.get(name, name))


@pytest.mark.parametrize("line", LINES)
def test_the_line_works_first(line):
    """In a process of its own: an import that came before may hide a cycle."""
    done = run_python(line)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("before", ["", "litellm.completion('mock/echo', [{'role': 'user', 'content': 'hi'}])"])
@pytest.mark.parametrize(
    "path",
    [
        "caching.DualCache",
        "caching.caching.DualCache",
        "router.RetryPolicy",
        "types.utils.Message",
        "types.llms.openai",
    ],
)
def test_reachable_whatever_was_used_before(before, path):
    """Our own imports put `litellm.types` in place, without what people expect to find in it."""
    done = run_python(f"import litellm\n{before}\nlitellm.{path}")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("module", ["router", "types"])
def test_what_is_not_there(module):
    """Users ask with hasattr, and copy and inspect with names of their own."""
    assert not hasattr(importlib.import_module(f"litellm.{module}"), "no_such_name")


# The hook file of LiteLLM's documentation: its imports, its annotations, and the logger without super().__init__().
HOOKS = """
from litellm.integrations.custom_logger import CustomLogger
import litellm
from litellm._logging import verbose_proxy_logger
from litellm.proxy.proxy_server import UserAPIKeyAuth, DualCache
from litellm.proxy._types import ProxyException
from litellm.types.utils import ModelResponseStream
from typing import Any, AsyncGenerator, Literal, Optional


class MyCustomHandler(CustomLogger):
    def __init__(self):
        pass

    async def async_pre_call_hook(
        self,
        user_api_key_dict: UserAPIKeyAuth,
        cache: DualCache,
        data: dict,
        call_type: Literal["completion", "text_completion", "embeddings", "moderation"],
    ):
        verbose_proxy_logger.debug("asked for %s", data["model"])
        if isinstance(user_api_key_dict, UserAPIKeyAuth) and isinstance(cache, DualCache):
            data["model"] = "my-new-model"
        if data["messages"][0]["content"] == "refuse":
            raise ProxyException(message="No.", type="rule", param="messages", code=451, headers={"x-rule": "7"})
        return data

    async def async_post_call_failure_hook(
        self, request_data: dict, original_exception: Exception, user_api_key_dict: UserAPIKeyAuth,
        traceback_str: Optional[str] = None,
    ):
        pass

    async def async_post_call_success_hook(self, data: dict, user_api_key_dict: UserAPIKeyAuth, response):
        response.choices[0].message.content += "!"

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict: UserAPIKeyAuth, response: Any, request_data: dict
    ) -> AsyncGenerator[ModelResponseStream, None]:
        async for item in response:
            yield item


proxy_handler_instance = MyCustomHandler()
"""


def test_the_hook_file_of_the_documentation(tmp_path):
    """A gateway starts with it, and every hook of it does what it says."""
    (tmp_path / "documented_hooks.py").write_text(textwrap.dedent(HOOKS), encoding="utf-8")
    config = {
        "model_list": [deployment("my-new-model", "mock/echo")],
        "litellm_settings": {"callbacks": "documented_hooks.proxy_handler_instance"},
        "general_settings": {"master_key": KEY},
    }
    with ServedProxy(config, folder=tmp_path) as proxy:
        talk = Talk(proxy)
        assert talk.chat(model="anything").json()["choices"][0]["message"]["content"] == f"{HI[0]['content']}!"
        assert talk.chat(stream=True).streamed_text == HI[0]["content"]
        refused = talk.chat(messages=[{"role": "user", "content": "refuse"}])
    assert (refused.status, refused.headers["x-rule"]) == (451, "7")
    assert refused.error == {"message": "No.", "type": "rule", "param": "messages", "code": "451"}
