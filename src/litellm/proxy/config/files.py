"""Objects from the Python files beside a config file: `custom_handler.my_custom_llm`.

The files are imported under their own names and stay in `sys.modules`, as a script's neighbours do: siblings import
each other, and pickle and type hints find their modules. Loading a config again, or another one, imports anew: changed
files are read again, and two folders may have files of the same name.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from litellm.proxy.config.report import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType

# The top-level modules that came from a config's folder. A global, as the sys.modules it annotates is; a mark on the
# modules would mean looking at every module there is, and a look is what makes a lazy one load.
_ours: dict[str, ModuleType] = {}
_MISSING = object()
_LONGEST = 300


class HandlerError(Exception):
    """`module.instance` names nothing that could be used. The text says why, in one line."""


@contextmanager
def user_code(folder: Path, environment: Mapping[str, str]) -> Iterator[Callable[[str], object]]:
    """Give a function that finds objects by `module.instance` in `folder`.

    The modules it imports see `environment` in `os.environ`. They take the place of those that a config loaded earlier
    had imported, unless the block raises: a config that is refused leaves no trace on the one in use.

        with user_code(Path("/etc/gateway"), {}) as find:
            handler = find("custom_handler.my_custom_llm")
    """
    folder = folder.resolve()
    # The schema complains of names and values that no environment can hold; here they would raise.
    environment = {
        name: text for name, text in environment.items() if name and "=" not in name and "\0" not in name + text
    }
    ours_before = dict(_ours)
    earlier = _take_ours()
    try:
        yield lambda reference: _find(reference, folder, environment)
    except BaseException:
        _take_ours()
        _ours.update(ours_before)
        sys.modules.update(earlier)
        raise


def _find(reference: str, folder: Path, environment: Mapping[str, str]) -> object:
    name, _, attribute = reference.rpartition(".")
    if not name or not all(part.isidentifier() for part in reference.split(".")):
        raise HandlerError("should be module.instance, such as custom_handler.my_custom_llm")
    with _importing(name.partition(".")[0], folder, environment):
        try:
            module = importlib.import_module(name)
            found = getattr(module, attribute, _MISSING)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the user's file raises is to be told
            raise HandlerError(_import_failure(error, name, folder)) from None
    if found is _MISSING:
        raise HandlerError(f"module {name} has no attribute {attribute}{did_you_mean(attribute, vars(module))}")
    if isinstance(found, type):
        raise HandlerError(f"{attribute} is a class; name an instance of it, such as handler = {attribute}()")
    return found


@contextmanager
def _importing(top: str, folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    # A neighbour may be called like a module that was imported from another place, such as `utils`: that one
    # steps aside while the config's files look for theirs, and comes back.
    present = sys.modules.get(top)
    offered = (folder / f"{top}.py").is_file() or (folder / top / "__init__.py").is_file()
    foreign = _take({top}) if present and offered and not _is_from(present, folder) else {}
    before = {name.partition(".")[0] for name in sys.modules}
    exported = {name: os.environ.get(name) for name in environment}
    # First in line, so that a neighbour is found before an installed package of its name; and only for the moment, so
    # that the rest of the process does not import by accident what lies beside the config.
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    os.environ.update(environment)
    try:
        yield
    finally:
        with suppress(ValueError):  # the user's file may have tidied up itself
            sys.path.remove(str(folder))
        for name, value in exported.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        if foreign:
            _take({top})
            sys.modules.update(foreign)
        for name in {name.partition(".")[0] for name in sys.modules} - before:
            module = sys.modules.get(name)
            if module and name not in foreign and _is_from(module, folder):
                _ours[name] = module


def _is_from(module: ModuleType, folder: Path) -> bool:
    """Whether a top-level module lies directly in `folder` (not somewhere below, as a virtual environment may)."""
    spec = getattr(module, "__spec__", None)
    places = (spec.submodule_search_locations or [spec.origin]) if spec else [getattr(module, "__file__", None)]
    return any(place and Path(place).parent == folder for place in places)


def _take_ours() -> dict[str, ModuleType]:
    taken = _take({name for name, module in _ours.items() if sys.modules.get(name) is module})
    _ours.clear()
    return taken


def _take(tops: set[str]) -> dict[str, ModuleType]:
    """Remove top-level modules and what is below them from `sys.modules`."""
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in tops}


def _import_failure(error: BaseException, name: str, folder: Path) -> str:
    """Tell "there is no such file" from "your file failed", and say where it did."""
    frames = [
        (Path(frame.f_code.co_filename), line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if Path(frame.f_code.co_filename).is_relative_to(folder) and "site-packages" not in frame.f_code.co_filename
    ]
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if not frames and missing and f"{name}.".startswith(f"{missing}."):
        hint = did_you_mean(name, (file.stem for file in folder.glob("*.py")))
        return f"{name.replace('.', '/')}.py not found beside the config file{hint}"
    what = f"{type(error).__name__}: {_first_line(error)}"
    if isinstance(error, SyntaxError) and error.filename:
        frames.append((Path(error.filename), error.lineno or 1))
    if not frames:
        return f"importing {name} failed: {what}"
    file, line = frames[-1]
    return f"{file.relative_to(folder) if file.is_relative_to(folder) else file}:{line}: {what}"


def _first_line(error: BaseException) -> str:
    try:
        text = error.msg if isinstance(error, SyntaxError) else str(error)
    except Exception:  # noqa: BLE001 - an exception of the user's own, whose text is broken too
        return ""
    return text.strip().partition("\n")[0][:_LONGEST]
