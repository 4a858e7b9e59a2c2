"""`litellm check config.yaml`: what starting the server would say about the file, without starting it."""

from __future__ import annotations

import os
import sys

from litellm.proxy.config import ConfigError, load_config
from litellm.proxy.deployments import unreachable
from litellm.proxy.state import build


def check(path: str | os.PathLike[str]) -> int:
    """Print all problems of a config file and a last line that sums them up; return the exit code, 0 or 1.

    check("config.yaml")  # config.yaml: ok, 3 deployments in 2 groups
    """
    try:
        config = load_config(path, examine=unreachable)
        os.environ.update({name: value.get_secret_value() for name, value in config.environment_variables.items()})
        build(config)
    except ConfigError as error:
        problems = error.problems
        warnings = sum(problem.severity == "warning" for problem in problems)
        summary = _count(len(problems) - warnings, "error") + (f", {_count(warnings, 'warning')}" if warnings else "")
        code = 1
    else:
        problems = config.warnings
        summary = f"ok, {_count(len(config.model_list), 'deployment')} in {_count(len(config.groups), 'group')}"
        code = 0
    _print("\n".join([*map(str, problems), f"{path}: {summary}"]))
    return code


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _print(text: str) -> None:
    # A name in the file may have letters that the terminal's encoding lacks.
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
