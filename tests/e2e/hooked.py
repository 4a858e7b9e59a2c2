"""A gateway with two loggers that have every hook, and do in each what a test says."""

import contextlib
import sys

from tests.e2e.talk import KEY
from tests.suite.inprocess import ServedProxy, deployment

HOOKS = """
from litellm.integrations.custom_logger import CustomLogger


class Scripted(CustomLogger):
    '''Has every hook, and does in it what a test says.'''

    def __init__(self):
        super().__init__()
        self.does = {}

    async def do(self, name, otherwise=None, **given):
        return await self.does[name](**given) if name in self.does else otherwise

    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        return await self.do("pre_call", caller=user_api_key_dict, cache=cache, data=data, call_type=call_type)

    async def async_moderation_hook(self, data, user_api_key_dict, call_type):
        return await self.do("moderation", data=data, caller=user_api_key_dict, call_type=call_type)

    async def async_post_call_success_hook(self, data, user_api_key_dict, response):
        return await self.do("success", data=data, caller=user_api_key_dict, response=response)

    async def async_post_call_failure_hook(self, request_data, original_exception, user_api_key_dict, traceback_str=None):
        return await self.do("failure", data=request_data, error=original_exception, traceback=traceback_str)

    async def async_post_call_streaming_hook(self, user_api_key_dict, response):
        return await self.do("piece", text=response)

    def async_post_call_streaming_iterator_hook(self, user_api_key_dict, response, request_data):
        if "iterator" in self.does:
            return self.does["iterator"](response, request_data)
        return super().async_post_call_streaming_iterator_hook(user_api_key_dict, response, request_data)

    async def async_post_call_response_headers_hook(self, data, user_api_key_dict, response, request_headers=None):
        return await self.do("headers", data=data, response=response, headers=request_headers)

    async def async_filter_listed_models(self, models, user_api_key_dict=None):
        return await self.do("listing", models, models=models, caller=user_api_key_dict)


first, second = Scripted(), Scripted()
"""


@contextlib.contextmanager
def served(up, folder):
    """`proxy.loggers` are the two, in the order of the configuration."""
    (folder / "scripted_hooks.py").write_text(HOOKS, encoding="utf-8")
    config = {
        "model_list": [deployment(name, f"openai/{name}", api_base=up.base) for name in ("m", "n")],
        "litellm_settings": {"callbacks": ["scripted_hooks.first", "scripted_hooks.second"], "num_retries": 0},
        "general_settings": {"master_key": KEY},
    }
    with ServedProxy(config, folder=folder) as proxy:
        module = sys.modules["scripted_hooks"]
        proxy.loggers = module.first, module.second
        yield proxy


def raises(error):
    async def hook(**_):
        raise error

    return hook


def gives(value):
    async def hook(**_):
        return value

    return hook


def remembers(into):
    async def hook(**given):
        into.append(given)

    return hook
