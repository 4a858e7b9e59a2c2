"""What the source must not do, read from the source itself: files without an encoding (G5), output (G6), and ways to run
what others wrote (F3)."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "litellm"


def python_files(*folders):
    """All Python, with and without the suffix."""
    found = []
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                if path.suffix == ".py" or (not path.suffix and path.read_bytes().startswith(b"#!/usr/bin/env python")):
                    found.append(path)
    return found


EVERYWHERE = python_files("src", "scripts", "bench", "examples")


def place(path, node):
    return f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name}:{node.lineno}"


def offenders(check, paths):
    """What `check` finds in any of the files."""
    return [line for path in paths for line in check(path)]


@cache
def nodes(path):
    """Of a file's syntax: each check reads them, and they are read once."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def calls(path):
    """Every call in a file: where it stands, the name as it is written, the call."""
    return [(place(path, node), ast.unparse(node.func), node) for node in nodes(path) if isinstance(node, ast.Call)]


def has_encoding(call, position):
    return any(keyword.arg in ("encoding", None) for keyword in call.keywords) or len(call.args) > position


def mode_of(call, position):
    given = [keyword.value for keyword in call.keywords if keyword.arg == "mode"] + call.args[position : position + 1]
    return given[0].value if given and isinstance(given[0], ast.Constant) else ""


def without_encoding(path):
    """Lines that open text in whatever encoding the machine prefers."""
    found = []
    for where, name, call in calls(path):
        method = name.rpartition(".")[2]
        if name in ("open", "io.open", "codecs.open") and "b" not in mode_of(call, 1):
            wrong = not has_encoding(call, 3)
        elif method == "open" and name not in ("os.open", "gzip.open", "webbrowser.open") and "." in name:
            wrong = "b" not in mode_of(call, 0) and not has_encoding(call, 2)
        elif method == "read_text":
            wrong = not has_encoding(call, 0)
        elif method == "write_text":
            wrong = not has_encoding(call, 1)
        elif method in ("NamedTemporaryFile", "TemporaryFile", "fdopen"):
            wrong = "b" not in (mode_of(call, 0) or mode_of(call, 1) or "b") and not has_encoding(call, 3)
        else:
            wrong = False
        if wrong:
            found.append(f"{where} {ast.unparse(call)[:80]}")
    return found


def test_text_has_an_encoding():
    """G5: on Windows the default is none that JSON or YAML is written in."""
    assert offenders(without_encoding, EVERYWHERE) == []


MUTE = [path for path in python_files("src") if (SOURCE / "cli") not in path.parents]
OUTPUT = {
    "print", "sys.stdout.write", "sys.stderr.write", "traceback.print_exc", "traceback.print_exception", "pprint",
    "warnings.warn", "click.echo",
}  # fmt: skip
ROOT_LOGGER = {"logging.basicConfig", "logging.getLogger"}
LEVELS = {"debug", "info", "warning", "error", "exception"}
WITHOUT_A_LOGGER = ("workers.py", "traceback.print_exc")  # a worker that dies tells its parent why, on stderr


def speaking(path):
    found = []
    for where, name, call in calls(path):
        if name in OUTPUT and (path.name, name) != WITHOUT_A_LOGGER:
            found.append(f"{where} {name}")
        if name in ROOT_LOGGER and not call.args or name.startswith("logging.") and name.rpartition(".")[2] in LEVELS:
            found.append(f"{where} {name}: the root logger is not ours")
    return found


def test_nothing_is_printed():
    """G6: outside cli."""
    assert offenders(speaking, MUTE) == []


# Modules that run, unpickle or shell out; and calls that do it by themselves.
MODULES = {
    "pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "subprocess", "pty", "commands", "jinja2", "mako", "ctypes",
    "code", "codeop", "multiprocessing",
}  # fmt: skip
CALLS = {
    "eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.execv", "os.execve", "os.execvp", "os.spawnv",
    "os.posix_spawn", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "asyncio.create_subprocess_exec",
    "asyncio.create_subprocess_shell", "builtins.eval", "builtins.exec", "input",
}  # fmt: skip
# importlib.import_module: by whom, and of what.
IMPORTERS = {
    "_names.py": "names from its own table",
    "dialects.py": "dialects by the names in the tables of providers and operations",
    "files.py": "handlers that the config file names, beside it",
    "observers.py": "callbacks we bring along, from its own table",
    "operations.py": "types and functions, by the columns of its own table",
    "__init__.py": "litellm.router.Router, the one name in it",
}


# What is dangerous, by whom, and for what: `mallopt`, and nothing that anybody sends.
NEEDED = {("memory.py", "ctypes")}


def dangerous(path):
    found = []
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found += [
                f"{place(path, node)} import {a.name}"
                for a in node.names
                if a.name.partition(".")[0] in MODULES and (path.name, a.name) not in NEEDED
            ]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in MODULES:
            found.append(f"{place(path, node)} from {node.module} import …")
    for where, name, call in calls(path):
        if name in CALLS or any(keyword.arg == "shell" for keyword in call.keywords):
            found.append(f"{where} {name}()")
        if name.endswith("import_module") and path.name not in IMPORTERS:
            found.append(f"{where} {name}()")
    return found


def test_nobody_elses_words_are_run():
    """F3: no eval, exec, pickle, template or shell; code is imported from a closed table or the config file's folder."""
    assert offenders(dangerous, python_files("src")) == []


def test_importers_still_import():
    """An exception that nobody needs any more has to go."""
    names = {path.name for path in python_files("src") if any(n.endswith("import_module") for _, n, _ in calls(path))}
    assert names == set(IMPORTERS)


FAULTY = """
import pickle, subprocess
from subprocess import run
open("x")
open("x", "w")
open("x", mode="r")
open("x", "rb"), open("x", encoding="utf-8"), open("x", "r", -1, "utf-8"), open(**options)
path.read_text()
path.read_text("utf-8"), path.read_text(encoding="utf-8"), path.read_bytes()
path.write_text("x")
path.write_text("x", "utf-8")
path.open()
path.open("wb"), path.open(encoding="utf-8"), os.open("x", 0)
print("x"); sys.stderr.write("x"); logging.getLogger(); logging.error("x"); logging.getLogger("ours")
eval("1"); exec("1"); os.system("x"); importlib.import_module("x"); yaml.load("x"); run("x", shell=True)
re.compile("x"); ast.literal_eval("1")
"""


def test_the_checks_find_what_they_are_for(tmp_path):
    """Lines by number; those in between are fine."""
    path = tmp_path / "faulty.py"
    path.write_text(FAULTY, encoding="utf-8")

    def lines(found):
        return [int(text.partition(":")[2].partition(" ")[0]) for text in found]

    assert sorted(lines(without_encoding(path))) == [4, 5, 6, 8, 10, 12]
    assert lines(speaking(path)) == [14] * 4
    assert sorted(lines(dangerous(path))) == [2, 2, 3] + [15] * 6
