"""What README.md and docs/ say is true of the code as it is: their blocks run, and their tables are compared.

How a block is read, by its language:

    python   runs; the blocks of a page share one namespace, in order
    sh       runs, with the command `litellm` on the path
    text     after <!-- prints -->: what the block before it prints; … stands for anything
    yaml     a config file that `litellm check` has nothing against, unless it is <!-- broken on purpose -->
    console  is for the eye

A block that begins with `# name.py` or `# name.yaml` is a file beside the others. localhost:4000 is a gateway on the
page's config.yaml, or on examples/mock.yaml. <!-- source: module.name --> says that the block is that function, and
<!-- not run: reason --> that it is not run.
"""

import ast
import importlib
import importlib.util
import inspect
import json
import os
import re
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import openai
import pytest
from tests.processes import COMMAND, Gateway, run_command, run_python

import litellm
from litellm.cli import run as command
from litellm.engine import mock_models
from litellm.engine.outgoing import outgoing
from litellm.providers.resolve import resolve
from litellm.providers.target import EndpointSpec
from litellm.proxy import errors
from litellm.proxy.auth import authenticator
from litellm.proxy.calls import overrides
from litellm.proxy.config import load_config

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "litellm"
EXAMPLES = ROOT / "examples"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("changelog.d/*.md")])

# What the pages' configurations look up. A weak master key keeps a gateway on the loopback interface.
ENVIRONMENT = {"GATEWAY_KEY": "sk-1234", "OPENAI_API_KEY": "key-of-nobody", "GPU_KEY_OF_THIS_MACHINE": "key-of-the-gpu"}


@dataclass(frozen=True)
class Block:
    page: Path
    line: int  # of the fence
    language: str
    text: str
    mark: str  # the comment right before it, if any

    @property
    def file_name(self) -> str | None:
        named = re.match(r"# ([\w-]+\.(?:py|yaml))\n", self.text)
        return named[1] if named else None

    @property
    def runs(self) -> bool:
        return self.language in ("python", "sh") and not self.mark.startswith(("not run: ", "source: "))

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    blocks, mark, lines = [], "", page.read_text(encoding="utf-8").split("\n")
    numbers = iter(range(len(lines)))
    for number in numbers:
        fence = re.fullmatch(r"( *)```(\w*)", lines[number])
        if fence:
            end = next(at for at in numbers if lines[at].strip() == "```")
            text = textwrap.dedent("\n".join(lines[number + 1 : end])) + "\n"
            blocks.append(Block(page, number + 1, fence[2], text, mark))
        comment = re.fullmatch(r"<!-- (.*) -->", lines[number])
        mark = comment[1] if comment else ""
    return blocks


BLOCKS = {page: blocks_of(page) for page in PAGES}
ALL_BLOCKS = [block for blocks in BLOCKS.values() for block in blocks]
EXECUTED = [page for page, blocks in BLOCKS.items() if any(block.runs for block in blocks)]


def named(value: object) -> str:
    return str(value.relative_to(ROOT)) if isinstance(value, Path) else str(value)


def page_text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rows(name: str, heading: str) -> list[list[str]]:
    """The cells of all tables under a heading of a page, without the tables' heads."""
    section = re.search(rf"^#+ {re.escape(heading)}$(.*?)(?=^#|\Z)", page_text(name), re.MULTILINE | re.DOTALL)
    assert section, f"{name} has no heading {heading!r}"
    tables = re.findall(r"^\|[ :|-]+\|\n((?:^\|.*\n)+)", section[1], re.MULTILINE)
    return [[cell.strip() for cell in line[1:-1].split("|")] for table in tables for line in table.splitlines()]


def code_in(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


# --- blocks -------------------------------------------------------------------------------------------------------------

RUNNER = """
import contextlib, io, json
from pathlib import Path
space, said = {"__name__": "__main__"}, []
for path, line, text in json.loads(Path("blocks.json").read_text(encoding="utf-8")):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile("\\n" * line + text, path, "exec"), space)
    said.append(printed.getvalue())
print(json.dumps(said))
"""


@pytest.mark.parametrize("page", EXECUTED, ids=named)
def test_blocks_run(page: Path, tmp_path: Path) -> None:
    blocks = BLOCKS[page]
    write_files(blocks, tmp_path)
    with the_gateway(blocks, tmp_path) as address:
        printed = {**run_python_blocks(blocks, tmp_path, address), **run_sh_blocks(blocks, tmp_path, address)}
    for before, block in zip(blocks, blocks[1:], strict=False):
        if block.mark == "prints":
            assert before in printed, f"{block}: it follows no block that runs"
            pattern = ".*".join(map(re.escape, block.text.split("…")))
            assert re.fullmatch(pattern, printed[before], re.DOTALL), f"{block}: printed was\n{printed[before]}"


def write_files(blocks: list[Block], folder: Path) -> None:
    for block in blocks:
        if block.file_name:
            (folder / block.file_name).write_text(block.text, encoding="utf-8")


@contextmanager
def the_gateway(blocks: list[Block], folder: Path) -> Iterator[str]:
    """The address that stands for localhost:4000 on this page; it is served if the page calls it."""
    if not any("localhost:4000" in block.text for block in blocks if block.runs):
        yield ""
        return
    own = folder / "config.yaml"
    config = own if own.exists() else EXAMPLES / "mock.yaml"
    with Gateway(args=("--config", str(config)), cwd=folder, env=ENVIRONMENT) as gateway:
        yield f"127.0.0.1:{gateway.port}"


def run_python_blocks(blocks: list[Block], folder: Path, address: str) -> dict[Block, str]:
    mine = [block for block in blocks if block.runs and block.language == "python"]
    texts = [(str(block.page), block.line, block.text.replace("localhost:4000", address)) for block in mine]
    (folder / "blocks.json").write_text(json.dumps(texts), encoding="utf-8")
    done = run_python(RUNNER, env=ENVIRONMENT, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    return dict(zip(mine, json.loads(done.stdout), strict=True))


def run_sh_blocks(blocks: list[Block], folder: Path, address: str) -> dict[Block, str]:
    printed = {}
    path = os.pathsep.join([str(Path(COMMAND[-1]).parent), os.environ["PATH"]])
    for at, block in enumerate(blocks):
        if not block.runs or block.language != "sh":
            continue
        text = block.text.replace("localhost:4000", address)
        env = {**ENVIRONMENT, "PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"}
        done = subprocess.run(
            ["/bin/sh", "-e", "-c", text], cwd=folder, env=env, capture_output=True, encoding="utf-8", timeout=20
        )
        compared = at + 1 < len(blocks) and blocks[at + 1].mark == "prints"
        assert compared or done.returncode == 0, f"{block}: {done.stderr}"
        printed[block] = done.stdout
    return printed


@pytest.mark.parametrize("page", [page for page in PAGES if any(b.language == "yaml" for b in BLOCKS[page])], ids=named)
def test_configurations_pass_the_check(page: Path, tmp_path: Path) -> None:
    write_files(BLOCKS[page], tmp_path)
    for block in BLOCKS[page]:
        if block.language == "yaml" and block.mark != "broken on purpose":
            assert block.file_name, f"{block}: begin it with `# name.yaml`"
            assert load_config(tmp_path / block.file_name, environ=ENVIRONMENT).warnings == (), str(block)


@pytest.mark.parametrize("block", [block for block in ALL_BLOCKS if block.mark.startswith("source: ")], ids=str)
def test_printed_source_is_the_source(block: Block) -> None:
    module, _, name = block.mark.removeprefix("source: ").rpartition(".")
    assert block.text == inspect.getsource(getattr(importlib.import_module(module), name))


def test_blocks_have_a_language_and_few_are_not_run() -> None:
    languages = {"python", "sh", "text", "json", "yaml", "console", ""}  # "": drawings
    assert [str(block) for block in ALL_BLOCKS if block.language not in languages] == []
    assert [str(block) for block in ALL_BLOCKS if block.language == "text" and block.mark != "prints"] == []
    assert len([block for block in ALL_BLOCKS if block.mark.startswith("not run: ")]) <= 3
    for block in ALL_BLOCKS:
        if block.language == "json":
            json.loads(block.text)


def test_readme_can_be_read_in_five_minutes() -> None:
    assert len(page_text("README.md").splitlines()) <= 120


# --- links and names ----------------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_files_and_functions_that_are_named_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for path in re.findall(r"`((?:[\w.]+/)+[\w.]+\.(?:py|md|yaml))`", text):
        assert (SOURCE / path).exists() or (ROOT / path).exists(), path
    for folder in re.findall(r"`((?:src|tests|docs|examples|scripts|changelog\.d)/[\w./]*/?)`", text):
        assert (ROOT / folder).exists(), folder
    for path, names in re.findall(r"`((?:\w+/)*\w+\.py)` ((?:`\w+`(?:, )?)+)", text):
        defined = {
            node.name
            for node in ast.walk(ast.parse((SOURCE / path).read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        }
        assert set(code_in(names)) <= defined, f"{path} does not define all of {names}"


def test_options_that_are_named_exist() -> None:
    known = {name for option in command.main.params for name in option.opts}
    for page in ("docs/proxy.md", "docs/compat.md"):
        for words in re.findall(r"`([^`\n]*--[^`\n]*)`", page_text(page)):
            assert set(re.findall(r"--\w+", words)) <= known, words


# --- tables against the code --------------------------------------------------------------------------------------------


def test_statuses_of_errors() -> None:
    documented = {code_in(name)[0]: status for name, status, _ in rows("docs/sdk.md", "Errors")}
    for name, status in documented.items():
        kind = getattr(litellm.exceptions, name)
        assert status == "any" or kind.status_code == int(status.split(",")[0]), name
    by_status = {kind.__name__ for kind in litellm.exceptions.BY_STATUS.values()}
    assert by_status <= documented.keys()


def test_types_of_errors() -> None:
    documented = {status: code_in(kind)[0] for status, kind, _ in rows("docs/proxy.md", "Errors")}
    others = {documented.pop("any other 4xx"): ("418", "451"), documented.pop("any other"): ("501", "529")}
    for status, kind in [*documented.items(), *((status, kind) for kind in others for status in others[kind])]:
        assert errors.body_of(errors.RequestError(int(status), "")) == {
            "error": {"message": "", "type": kind, "param": None, "code": status}
        }
    assert {str(status) for status in errors._TYPES} <= documented.keys()


def test_what_a_request_may_say() -> None:
    table = rows("docs/proxy.md", "What a request may say")
    taken = {name for row in table for name in code_in(row[0])}
    without_effect = re.search(r"\n((?:`\w[\w-]*`(?:, | and\s|,\n)?)+) are taken\nout too", page_text("docs/proxy.md"))
    assert without_effect
    assert taken | set(code_in(without_effect[1])) == overrides.STEERING
    headers = {name for row in table for name in code_in(row[1])}
    assert {name.decode() for name in overrides._STEERING_HEADERS} == headers - {"x-litellm-call-id"}


def test_key_headers() -> None:
    listed = re.search(r"the first\nof these that is present counts: ([^.]*)\.", page_text("docs/proxy.md"))
    assert listed
    assert [name.lower().encode() for name in code_in(listed[1])] == list(authenticator._HEADERS)


def test_module_settings() -> None:
    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    settings = {ast.unparse(node.target) for node in tree.body if isinstance(node, ast.AnnAssign)}
    assert {name for row in rows("docs/sdk.md", "Settings") for name in code_in(row[0])} == settings


def test_parameters_of_the_sdk_exist() -> None:
    listed = {name.partition("=")[0] for row in rows("docs/sdk.md", "Parameters") for name in code_in(row[0])}
    assert listed <= inspect.signature(litellm.completion).parameters.keys()


def test_caveats_of_the_configuration_still_hold() -> None:
    """A key that somebody has begun to read is not without effect any more: take its line out of scripts/_docs.py."""
    found = importlib.util.spec_from_file_location("_docs", ROOT / "scripts" / "_docs.py")
    assert found is not None
    assert found.loader is not None
    generator = importlib.util.module_from_spec(found)
    found.loader.exec_module(generator)
    state = (SOURCE / "proxy" / "deployments.py").read_text(encoding="utf-8")
    readers = [*SOURCE.glob("proxy/*.py"), *SOURCE.glob("cli/*.py"), *SOURCE.glob("router/**/*.py")]
    everywhere = "".join(file.read_text(encoding="utf-8") for file in readers)
    for (section, key), caveat in generator.CAVEATS.items():
        assert key in section.model_fields, key
        if caveat == generator.NOTHING:
            assert f'"{key}"' not in state, key
            assert not re.search(rf"\.{key}\b", everywhere), key


@pytest.mark.parametrize("name", ["responses", "image_generation", "rerank", "transcription"])
def test_what_is_not_there_yet(name: str) -> None:
    """Once it is there, take it out of the lists in README.md and docs/compat.md."""
    assert not hasattr(litellm, name)


# --- mock models --------------------------------------------------------------------------------------------------------

ASK = [{"role": "user", "content": "Hello, who are you?"}]
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {}}}]
DOCUMENTED = [code_in(row[0])[0] for row in rows("docs/mock.md", "`mock/…`: models to develop against")]


def whole(model: str, **params: object) -> litellm.ModelResponse:
    return litellm.completion(model, ASK, num_retries=0, timeout=0.05, **params)


def streamed(model: str, **params: object) -> list[litellm.ModelResponseStream]:
    return list(litellm.completion(model, ASK, num_retries=0, timeout=0.05, stream=True, **params))


def words_of(chunks: list[litellm.ModelResponseStream]) -> list[str]:
    return [text for chunk in chunks if (text := chunk.choices[0].delta.content)]


def script_of(model: str, *, stream: bool) -> mock_models.Script:
    target = resolve(EndpointSpec(model=model))
    return mock_models.played(target, outgoing(target.model, {"messages": ASK}, stream=stream))


def fails(kind: type[Exception], status: int, *, words: int = 0) -> object:
    """A check of a model that fails both ways: before the first chunk, or after so many words."""

    def check(model: str) -> None:
        with pytest.raises(kind) as failure:
            whole(model)
        assert failure.value.status_code == status
        with pytest.raises(kind) as failure:
            streamed(model)
        assert failure.value.status_code == status
        assert len(getattr(failure.value, "partial", "").split()) == words

    return check


def chat(model: str) -> None:
    answer = whole(model).choices[0]
    assert 9 <= len(answer.message.content.split()) <= 15
    assert answer.finish_reason == "stop"
    assert whole(model).choices[0].message.content == answer.message.content
    assert [word.strip() for word in words_of(streamed(model))] == answer.message.content.split()


def echo(model: str) -> None:
    assert whole(model).choices[0].message.content == ASK[0]["content"] == "".join(words_of(streamed(model)))


def reasoning(model: str) -> None:
    assert whole(model).choices[0].message.reasoning_content
    first, second = streamed(model)[:2]
    assert first.choices[0].delta.reasoning_content
    assert second.choices[0].delta.content


def tool_call(model: str) -> None:
    assert whole(model, tools=TOOLS).choices[0].message.tool_calls[0].function.name == "weather"
    assert whole(model, tools=TOOLS).choices[0].finish_reason == "tool_calls"
    assert streamed(model, tools=TOOLS)[0].choices[0].delta.tool_calls[0].function.name == "weather"
    assert whole(model).choices[0].message.content


def slow(model: str) -> None:
    fails(litellm.Timeout, 408)(model)
    assert script_of(model, stream=False).delay == script_of(model, stream=True).delay == 3.0


def slow_stream(model: str) -> None:
    assert script_of(model, stream=False).delay == 0.2
    script = script_of(model, stream=True)
    first, *others, done = script.parts
    assert (script.delay, first.delay, done.delay) == (0.2, 0.0, 0.0)
    assert {part.delay for part in others} == {0.2}


def error_429(model: str) -> None:
    fails(litellm.RateLimitError, 429)(model)
    with pytest.raises(litellm.RateLimitError) as failure:
        whole(model)
    assert failure.value.response_headers["retry-after"] == "1"
    for status in (400, 418, 500, 599):
        with pytest.raises(litellm.exceptions.LiteLLMError) as failure:
            whole(f"mock/error-{status}")
        assert failure.value.status_code == status


def refuse(model: str) -> None:
    with pytest.raises(litellm.APIConnectionError):
        whole(model)


def empty(model: str) -> None:
    with pytest.raises(litellm.APIResponseValidationError):
        whole(model)
    with pytest.raises(litellm.IncompleteStream):
        streamed(model)


def no_finish(model: str) -> None:
    with pytest.raises(litellm.APIResponseValidationError):
        whole(model)
    with pytest.raises(litellm.IncompleteStream) as failure:
        streamed(model)
    assert len(failure.value.partial.split()) == 4


BEHAVIOUR = {
    "mock/chat": chat,
    "mock/echo": echo,
    "mock/reasoning": reasoning,
    "mock/tool-call": tool_call,
    "mock/slow": slow,
    "mock/slow-stream": slow_stream,
    "mock/hang": fails(litellm.Timeout, 408),
    "mock/error-429": error_429,
    "mock/context-window": fails(litellm.ContextWindowExceededError, 400),
    "mock/content-filter": fails(litellm.ContentPolicyViolationError, 400),
    "mock/refuse": refuse,
    "mock/bad-json": fails(litellm.APIResponseValidationError, 500),
    "mock/empty": empty,
    "mock/cut": fails(litellm.APIConnectionError, 500, words=4),
    "mock/stall": fails(litellm.Timeout, 408, words=4),
    "mock/no-finish": no_finish,
}


@pytest.mark.parametrize("model", DOCUMENTED)
def test_mock_models_behave(model: str) -> None:
    BEHAVIOUR[model](model)


def test_mock_models_are_all_documented() -> None:
    special = {*mock_models._ERRORS, *mock_models._BREAKS}
    for node in ast.walk(ast.parse((SOURCE / "engine" / "mock_models.py").read_text(encoding="utf-8"))):
        match node:
            case ast.Compare(left=ast.Name("name"), comparators=[ast.Constant(str(name))]):
                special.add(name)
            case ast.Call(func=ast.Attribute(value=ast.Dict(keys=keys), attr="get"), args=[ast.Name("name"), *_]):
                special |= {key.value for key in keys}
    assert {f"mock/{name}" for name in special} | {"mock/chat", "mock/error-429"} == set(DOCUMENTED)


# --- examples -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("chat.py", "> And who needs one?\nAnd who needs one?\n"),
        ("stream.py", "mock/echo: What is a gateway?\nmock/cut broke off after: "),
        ("custom_handler.py", "how are you\nhow are you \n"),
    ],
)
def test_example_scripts(name: str, says: str, tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name)],
        env=env,
        capture_output=True,
        encoding="utf-8",
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert says in done.stdout


@contextmanager
def example(name: str) -> Iterator[openai.OpenAI]:
    args = ("--config", str(EXAMPLES / name))
    with (
        Gateway(args=args, env={"PYTHONDONTWRITEBYTECODE": "1"}) as gateway,
        openai.OpenAI(api_key="any", base_url=f"{gateway.url}/v1", max_retries=0) as client,
    ):
        yield client


def test_example_of_a_handler() -> None:
    question = [{"role": "user", "content": "you are how"}]
    with example("custom.yaml") as client:
        answer = client.chat.completions.create(model="backwards", messages=question)
        assert answer.choices[0].message.content == "how are you"
        chunks = list(client.chat.completions.create(model="backwards", messages=question, stream=True))
        assert [chunk.choices[0].delta.content for chunk in chunks] == ["how ", "are ", "you ", None]
        with pytest.raises(openai.BadRequestError, match="reads text only"):
            client.chat.completions.create(model="backwards", messages=[{"role": "user", "content": []}])


def test_example_of_fallbacks() -> None:
    with example("fallbacks.yaml") as client:

        def ask(model: str) -> tuple[str, str]:
            raw = client.chat.completions.with_raw_response.create(model=model, messages=ASK)
            return raw.headers["x-litellm-model-group"], raw.headers["x-litellm-attempted-fallbacks"]

        assert {ask("shared") for _ in range(10)} == {("shared", "0")}
        assert ask("flaky") == ("steady", "2")
        assert ask("small") == ("steady", "1")
        assert ask("hangs") == ("steady", "1")


def test_example_to_develop_against() -> None:
    with example("mock.yaml") as client:
        assert client.chat.completions.create(model="my-model", messages=ASK).model == "my-model"
        assert (
            client.chat.completions.create(model="mock/echo", messages=ASK).choices[0].message.content
            == ASK[0]["content"]
        )


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=named)
def test_example_configurations_pass_the_check(file: Path) -> None:
    done = run_command("check", str(file), env={"PYTHONDONTWRITEBYTECODE": "1"})
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1  # no warnings


# --- what the pages say about starting ----------------------------------------------------------------------------------


def test_liveness_needs_no_key() -> None:
    config = f"{{model_list: [], general_settings: {{master_key: {'k' * 20}}}}}"
    with Gateway(config, args=("--host", "127.0.0.1")) as gateway:
        for path in ("/health/liveliness", "/health/liveness", "/health/readiness"):
            with urllib.request.urlopen(gateway.url + path) as answer:
                assert answer.status == 200


def test_an_open_door_is_refused_without_a_strong_key() -> None:
    done = run_command("--model", "mock/chat", "--host", "0.0.0.0", "--port", "0")
    assert done.returncode == 1
    assert re.search(
        r"refusing to listen on 0\.0\.0\.0: .* \n  sk-\S{32}\n", done.stderr.replace("one:", "one: "), re.DOTALL
    )
