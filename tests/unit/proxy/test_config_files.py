"""Python files beside the config: found, isolated from each other, and their failures told apart."""

import os
import pickle
import sys
from pathlib import Path

import pytest

from litellm.proxy.config import ConfigError, files, load_config
from litellm.proxy.config.files import HandlerError, user_code


@pytest.fixture(autouse=True)
def clean_imports():
    modules, path = dict(sys.modules), list(sys.path)
    yield
    assert sys.path == path
    files._take_ours()
    sys.modules.update(modules)


def write(folder, **files):
    for name, text in files.items():
        file = folder / (
            "config.yaml" if name == "config" else f"{name.replace('__', '/')}.py".replace("init.py", "__init__.py")
        )
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def find(folder, reference, **environment):
    with user_code(folder, environment) as finder:
        return finder(reference)


def failure(folder, reference):
    with pytest.raises(HandlerError) as raised:
        find(folder, reference)
    return str(raised.value)


HANDLER = "litellm_settings: {custom_provider_map: [{provider: p, custom_handler: custom_handler.llm}]}\n"


def test_a_handler_is_found_beside_the_config_wherever_we_are(tmp_path, monkeypatch):
    write(tmp_path / "etc", config=HANDLER, custom_handler="llm = 'mine'")
    write(tmp_path / "elsewhere", custom_handler="llm = 'not mine'")
    monkeypatch.chdir(tmp_path / "elsewhere")
    config = load_config("../etc/config.yaml")
    assert config.litellm_settings.custom_provider_map[0].custom_handler == "mine"


def test_handlers_in_packages(tmp_path):
    write(
        tmp_path,
        pkg__init="",
        pkg__mod="from .part import made\nimport pkg.part\nassert pkg.part.made is made\nobj = made",
        pkg__part="made = object()",
    )
    found = find(tmp_path, "pkg.mod.obj")
    assert found is sys.modules["pkg.part"].made


def test_siblings_import_each_other_by_name(tmp_path):
    """Also the handler's own module, which is there once and not twice."""
    write(
        tmp_path,
        custom_handler="import helpers\nclass Handler: pass\nllm = Handler()\nhelp = helpers.help",
        helpers="import custom_handler\ndef help(): return custom_handler.llm",
    )
    with user_code(tmp_path, {}) as finder:
        llm = finder("custom_handler.llm")
        assert finder("custom_handler.help")() is llm
    assert type(pickle.loads(pickle.dumps(llm))) is type(llm)


def test_two_configs_have_files_of_the_same_names(tmp_path):
    for name in ("one", "two"):
        write(tmp_path / name, custom_handler="import helpers\nllm = helpers.name", helpers=f"name = {name!r}")
    assert find(tmp_path / "one", "custom_handler.llm") == "one"
    assert find(tmp_path / "two", "custom_handler.llm") == "two"
    assert find(tmp_path / "one", "custom_handler.llm") == "one"


def test_a_changed_file_is_read_again(tmp_path):
    write(tmp_path, custom_handler="import helpers\nllm = helpers.version", helpers="version = 'first'")
    assert find(tmp_path, "custom_handler.llm") == "first"
    write(tmp_path, helpers="version = 'a second'")
    assert find(tmp_path, "custom_handler.llm") == "a second"


def test_a_refused_config_leaves_the_one_in_use_alone(tmp_path):
    """A reload that fails must not take the modules from under the handlers that go on serving."""
    write(tmp_path, config=HANDLER, custom_handler="import helpers\nllm = helpers", helpers="version = 1")
    in_use = load_config(tmp_path / "config.yaml").litellm_settings.custom_provider_map[0].custom_handler
    write(tmp_path, config=HANDLER + "surprise: 1", helpers="version = 'other'", extra="")
    with pytest.raises(ConfigError):
        load_config(tmp_path / "config.yaml")
    assert sys.modules["helpers"] is in_use
    assert in_use.version == 1


def test_a_file_called_like_an_imported_module(tmp_path):
    """The config's own file is found, and the other module is back in its place afterwards."""
    import json

    write(tmp_path, json="from decimal import Decimal\nllm = Decimal(1)")
    assert find(tmp_path, "json.llm") == 1
    assert sys.modules["json"] is json
    assert sys.modules["json.decoder"]


def test_an_installed_module_can_be_named_too(tmp_path):
    import string

    assert find(tmp_path, "string.digits") == "0123456789"
    assert sys.modules["string"] is string
    assert "string" not in files._ours


def test_lazy_modules_stay_unloaded(tmp_path, monkeypatch):
    """Some load themselves when they are looked at (importlib.util.LazyLoader), and some raise."""

    class Lazy(type(sys)):
        def __getattribute__(self, name):
            raise AssertionError(name)

    monkeypatch.setitem(sys.modules, "lazy_one", Lazy("lazy_one"))
    write(tmp_path, custom_handler="llm = 1")
    assert find(tmp_path, "custom_handler.llm") == 1
    assert find(tmp_path, "custom_handler.llm") == 1


def test_an_installed_module_that_fails(tmp_path, monkeypatch):
    write(tmp_path / "site", installed="1 / 0")
    monkeypatch.syspath_prepend(tmp_path / "site")
    (tmp_path / "etc").mkdir()
    assert (
        failure(tmp_path / "etc", "installed.llm") == "importing installed failed: ZeroDivisionError: division by zero"
    )


def test_what_lies_deeper_than_the_config_is_not_the_configs(tmp_path, monkeypatch):
    """A virtual environment below the config's folder: importing numpy twice would fail."""
    write(tmp_path, custom_handler="import installed\nllm = installed", venv__lib__installed="")
    monkeypatch.syspath_prepend(tmp_path / "venv" / "lib")
    first = find(tmp_path, "custom_handler.llm")
    assert find(tmp_path, "custom_handler.llm") is first
    del sys.modules["installed"]


def test_the_files_see_environment_variables(tmp_path, monkeypatch):
    """While they are imported; exporting for good is the caller's part."""
    monkeypatch.setenv("LITELLM_TEST_SET", "before")
    monkeypatch.delenv("LITELLM_TEST_UNSET", raising=False)
    names = "'LITELLM_TEST_SET', 'LITELLM_TEST_UNSET'"
    write(tmp_path, custom_handler=f"import os\nllm = [os.environ[name] for name in ({names})]")
    seen = find(tmp_path, "custom_handler.llm", LITELLM_TEST_SET="in file", LITELLM_TEST_UNSET="too")
    assert seen == ["in file", "too"]
    assert os.environ["LITELLM_TEST_SET"] == "before"
    assert "LITELLM_TEST_UNSET" not in os.environ


@pytest.mark.parametrize("reference", ["custom_handler", "", ".", "a.", ".a", "a..b", "a-b.c", "a/b.c", "a b.c"])
def test_references_of_the_wrong_form(tmp_path, reference):
    assert failure(tmp_path, reference) == "should be module.instance, such as custom_handler.my_custom_llm"


@pytest.mark.parametrize(
    ("files", "reference", "report"),
    [
        ({}, "custom_handler.llm", "custom_handler.py not found beside the config file"),
        ({}, "pkg.mod.llm", "pkg/mod.py not found beside the config file"),
        ({"pkg__init": ""}, "pkg.mod.llm", "pkg/mod.py not found beside the config file"),
        (
            {"custom_handler": ""},
            "custom_handlr.llm",
            "custom_handlr.py not found beside the config file (did you mean custom_handler?)",
        ),
        (
            {"custom_handler": "my_llm = 1"},
            "custom_handler.my_lm",
            "module custom_handler has no attribute my_lm (did you mean my_llm?)",
        ),
        ({"custom_handler": ""}, "custom_handler.llm", "module custom_handler has no attribute llm"),
        (
            {"custom_handler": "class LLM: pass"},
            "custom_handler.LLM",
            "LLM is a class; name an instance of it, such as handler = LLM()",
        ),
        (
            {"bad": "\nimport nothing_like_it"},
            "bad.llm",
            "bad.py:2: ModuleNotFoundError: No module named 'nothing_like_it'",
        ),
        (
            {"bad": "import helper", "helper": "x = 1\n1 / 0"},
            "bad.llm",
            "helper.py:2: ZeroDivisionError: division by zero",
        ),
        ({"bad": "x = 1\nx = ("}, "bad.llm", "bad.py:2: SyntaxError: '(' was never closed"),
        ({"bad": "raise SystemExit(1)"}, "bad.llm", "bad.py:1: SystemExit: 1"),
        ({"bad": "raise ValueError('one\\ntwo')"}, "bad.llm", "bad.py:1: ValueError: one"),
        ({"bad": "import json\njson.loads('{')"}, "bad.llm", "bad.py:2: JSONDecodeError: Expecting property name"),
        ({"bad": "class E(Exception):\n  __str__ = None\nraise E"}, "bad.llm", "bad.py:3: E: "),
        (
            {"pkg__init": "import pkg.gone"},
            "pkg.mod.llm",
            "pkg/__init__.py:1: ModuleNotFoundError: No module named 'pkg.gone'",
        ),
        ({"bad": "def __getattr__(name): return 1 / 0"}, "bad.llm", "bad.py:1: ZeroDivisionError: division by zero"),
    ],
)
def test_failures_are_told_apart(tmp_path, files, reference, report):
    """O1: no such file, a file that fails (where, and how), and no such name are three different mistakes."""
    write(tmp_path, **files)
    assert failure(tmp_path, reference).startswith(report)
    assert not set(sys.modules) & {"custom_handler", "bad", "helper", "pkg"}


def test_a_file_that_tidies_up_after_itself(tmp_path):
    write(tmp_path, custom_handler=f"import sys\nsys.path.remove({str(tmp_path)!r})\nllm = 1")
    assert find(tmp_path, "custom_handler.llm") == 1


def test_the_report_names_the_line_of_the_reference(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text("\n" + HANDLER.replace("custom_handler.llm", "5"))
    with pytest.raises(ConfigError, match=r"^config.yaml:2: .*\.custom_handler: Input should be a valid string$"):
        load_config("config.yaml")


def test_an_impossible_environment_is_one_problem_and_not_two(tmp_path):
    write(tmp_path, config=HANDLER + "environment_variables: {a=b: c, '': d, e: \"\\0\"}", custom_handler="llm = 1")
    with pytest.raises(ConfigError) as raised:
        load_config(tmp_path / "config.yaml")
    assert {problem.path.partition(".")[0] for problem in raised.value.problems} == {"environment_variables"}
    assert len(raised.value.problems) == 3
