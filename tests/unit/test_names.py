"""The public surface: every name resolves and is found once, the stub says the same as the table, type checkers accept what
users write. G4: mypy --strict on a user's program, with the overloads of `stream`."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import litellm
from litellm import _names

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "litellm"

# Settings that users of LiteLLM assign to, as its documentation has them.
SETTINGS = """
api_key openai_key api_base organization headers model_alias_map custom_provider_map drop_params num_retries request_timeout
fallbacks ssl_verify ssl_certificate force_ipv4 set_verbose suppress_debug_info telemetry
""".split()

# The errors that aider knows (its litellm wrapper refuses to start when dir(litellm) shows another *Error).
AIDER_KNOWS = """
APIConnectionError APIError APIResponseValidationError AuthenticationError AzureOpenAIError BadGatewayError BadRequestError
BudgetExceededError ContentPolicyViolationError ContextWindowExceededError ImageFetchError InternalServerError
InvalidRequestError JSONSchemaValidationError NotFoundError OpenAIError PermissionDeniedError RateLimitError
RejectedRequestError RouterRateLimitError ServiceUnavailableError UnprocessableEntityError UnsupportedParamsError
""".split()


def test_the_table_resolves():
    """Each name to one object, at the address in the table and on the package."""
    for name, module in _names.NAMES.items():
        value = getattr(litellm, name)
        assert value is getattr(importlib.import_module(module), name), name
        assert value is getattr(litellm, name), f"{name}, the second time"
        if isinstance(value, type):
            assert value.__module__ == module, f"{name}: pickles and restricted unpicklers go by it"


def test_modules_after_a_bare_import():
    """`import litellm; litellm.utils.x` works."""
    checks = [f"assert litellm.{name}.__name__ == 'litellm.{name}'" for name in sorted(_names.MODULES)]
    script = "\n".join(["import litellm", *checks])
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="has no attribute 'complet'"):
        litellm.complet  # noqa: B018
    assert not hasattr(litellm, "Router_")
    with pytest.raises(ImportError):
        exec("from litellm import no_such_name")


def test_dir():
    """Everything that is to be seen, sorted, and no error that aider does not know."""
    shown = dir(litellm)
    assert shown == sorted(set(shown))
    assert set(SETTINGS) | {"completion", "acompletion", "ModelResponse", "__version__"} <= set(shown)
    assert set(shown) >= set(_names.NAMES) - _names.HIDDEN
    assert not set(shown) & _names.HIDDEN
    assert [name for name in shown if name.endswith("Error") and name not in AIDER_KNOWS] == []


def test_old_addresses_are_the_same_objects():
    """isinstance and except depend on it."""
    pairs = {
        "litellm.main": ["completion", "acompletion"],
        "litellm.utils": ["ModelResponse", "Usage", "Message", "Choices", "CustomStreamWrapper"],
        "litellm.types.utils": [
            "ModelResponse",
            "ModelResponseStream",
            "Delta",
            "StreamingChoices",
            "Message",
            "Usage",
        ],
        "litellm.exceptions": ["RateLimitError", "Timeout", "APIConnectionError", "BadRequestError"],
        "litellm.llms.custom_llm": ["CustomLLM", "CustomLLMError"],
        "litellm.litellm_core_utils.streaming_handler": ["CustomStreamWrapper"],
        "litellm.litellm_core_utils.get_supported_openai_params": ["get_supported_openai_params"],
    }
    for module, names in pairs.items():
        for name in names:
            assert getattr(importlib.import_module(module), name) is getattr(litellm, name), f"{module}.{name}"


def annotated(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.target.id: node for node in tree.body if isinstance(node, ast.AnnAssign)}


def test_settings():
    """Plain annotated variables, read in one place; all that are read exist, and all that exist are there."""
    variables = annotated(PACKAGE / "__init__.py")
    assert set(variables) >= set(SETTINGS)
    assert all(node.value is not None for node in variables.values()), "each has a value"
    for name in variables:
        assert hasattr(litellm, name)
    reader = (PACKAGE / "sdk" / "_settings.py").read_text(encoding="utf-8")
    read = {
        node.slice.value
        for node in ast.walk(ast.parse(reader))
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == "now"
        and isinstance(node.slice, ast.Constant)
    }
    assert read, "read_settings reads them as now[…]"
    assert read <= set(variables)
    inert = {"suppress_debug_info", "telemetry"}  # accepted so that code written for LiteLLM runs
    assert set(variables) - read == inert, "a setting that nobody reads has no effect"


def test_the_stub_says_what_is_there():
    """Every name and every setting, and no other."""
    tree = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    imported = {
        alias.asname: f"{node.module}.{alias.name}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module.startswith("litellm")
        for alias in node.names
    }
    names = {name: f"{module}.{name}" for name, module in _names.NAMES.items()}
    modules = {name: f"litellm.{name}" for name in _names.MODULES}
    assert imported == names | modules
    assert set(annotated(PACKAGE / "__init__.pyi")) == set(annotated(PACKAGE / "__init__.py")) | {"__version__"}


PROGRAM = """
import asyncio
from collections.abc import Iterator
from typing import Any, assert_type

import litellm
from litellm import CustomLLM, CustomLLMError, ModelResponse, ModelResponseStream, acompletion, completion
from litellm.types.utils import Delta
from litellm.utils import CustomStreamWrapper

messages = [{"role": "user", "content": "hi"}]
litellm.drop_params = True
litellm.ssl_verify = "/etc/ca.pem"
litellm.custom_provider_map = [{"provider": "mine", "custom_handler": CustomLLM()}]

whole = completion("mock/echo", messages, temperature=0.5, top_k=3)
assert_type(whole, ModelResponse)
text: str | None = whole.choices[0].message.content
tokens: int = whole.usage.total_tokens if whole.usage else 0
assert_type(completion("mock/echo", messages, stream=False), ModelResponse)
assert_type(completion(model="mock/echo", messages=messages, stream=None), ModelResponse)

stream = completion("mock/echo", messages, stream=True)
assert_type(stream, CustomStreamWrapper)
for chunk in stream:
    assert_type(chunk, ModelResponseStream)
    delta: Delta = chunk.choices[0].delta
    piece: str | None = delta.content


def either(wanted: bool) -> ModelResponse | CustomStreamWrapper:
    return completion("mock/echo", messages, stream=wanted)


async def main() -> None:
    assert_type(await acompletion("mock/echo", messages), ModelResponse)
    astream = await acompletion("mock/echo", messages, stream=True)
    assert_type(astream, CustomStreamWrapper)
    async for chunk in astream:
        assert_type(chunk, ModelResponseStream)
    await astream.aclose()


class Mine(CustomLLM):
    def completion(self, *args: Any, **kwargs: Any) -> ModelResponse:
        raise CustomLLMError(status_code=429, message="slow down")


try:
    asyncio.run(main())
except litellm.RateLimitError as error:
    print(error.status_code, error.message, error.llm_provider, error.response_headers.get("retry-after"))
except litellm.exceptions.Timeout:
    pass
rebuilt = litellm.stream_chunk_builder([])
version: str = litellm.__version__
name, provider, key, base = litellm.get_llm_provider("openai/gpt-4o")
supported: list[str] | None = litellm.get_supported_openai_params("groq/llama3")
"""

WRONG = {  # line → mypy's error code
    "completion(5, [])": "call-overload",
    'completion("m", "hi")': "call-overload",
    'completion("m", [], stream="yes")': "call-overload",
    'completion("m", [], stream=True).choices': "attr-defined",
    'completion("m", []).delta': "attr-defined",
    "litellm.no_such_name": "attr-defined",
    'litellm.drop_params = "yes"': "assignment",
    'litellm.num_retries = "3"': "assignment",
}  # fmt: skip


def test_a_typed_program(tmp_path):
    """G4: accepted by mypy --strict as it stands; and what is wrong is found."""
    (tmp_path / "good.py").write_text(PROGRAM)
    wrong = "import litellm\nfrom litellm import completion\n" + "\n".join(WRONG) + "\n"
    (tmp_path / "wrong.py").write_text(wrong)
    command = [
        sys.executable, "-m", "mypy", "--strict", "--config-file", "", "--no-error-summary", "--hide-error-context",
        "--cache-dir", str(ROOT / ".mypy_cache" / "users"), "good.py", "wrong.py",
    ]  # fmt: skip
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    complaints = result.stdout.splitlines()
    assert [line for line in complaints if not line.startswith("wrong.py")] == []
    for number, (line, code) in enumerate(WRONG.items(), 3):
        found = [text for text in complaints if text.startswith(f"wrong.py:{number}: error: ")]
        assert found, f"{line} is accepted\n{result.stdout}"
        assert any(f"[{code}]" in text for text in found), (line, found)
