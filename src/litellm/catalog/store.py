"""All models by name, read from models.json when the first question comes.

A line of the file becomes a dict only when that model is looked up. That makes the first answer come after 3 ms and
3 MB; all 4240 as dicts would be 16 ms and 5 MB.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import msgspec

from litellm import _json


class Catalog(MutableMapping[str, dict[str, Any]]):
    """A dict of dicts to those who use it: what is assigned or changed inside an entry counts from then on.

    revision: another one whenever an entry has come or gone, or has been given to somebody who may change it.

    >>> catalog = Catalog(Path(__file__).with_name("models.json"))
    >>> catalog["gpt-4o"]["max_output_tokens"]
    16384
    >>> catalog["my-model"] = {"max_input_tokens": 8192}
    >>> "my-model" in catalog
    True
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reading = threading.Lock()
        self._entries: dict[str, msgspec.Raw | dict[str, Any]] | None = None
        self.revision = 0

    def _all(self) -> dict[str, msgspec.Raw | dict[str, Any]]:
        if self._entries is None:
            with self._reading:  # without it, what one thread assigns is lost when another has read the file too
                if self._entries is None:
                    self._entries = {**msgspec.json.decode(self._path.read_bytes(), type=dict[str, msgspec.Raw])}
        return self._entries

    def line(self, name: str) -> msgspec.Raw | dict[str, Any] | None:
        """The entry as it lies here: bytes as long as nobody could have changed it, a dict afterwards."""
        return self._all().get(name)

    def read(self, name: str) -> dict[str, Any] | None:
        """The entry, for looking at: unlike with [], the dict of it is not kept."""
        line = self.line(name)
        return _json.decode(line) if isinstance(line, msgspec.Raw) else line

    def __getitem__(self, name: str) -> dict[str, Any]:
        entries = self._all()
        entry = entries[name]
        if isinstance(entry, msgspec.Raw):
            entry = entries[name] = _json.decode(entry)  # the caller may change it, so it has to stay
            self.revision += 1
        return entry

    def __setitem__(self, name: str, entry: dict[str, Any]) -> None:
        self._all()[name] = entry
        self.revision += 1

    def __delitem__(self, name: str) -> None:
        del self._all()[name]
        self.revision += 1

    def __contains__(self, name: object) -> bool:
        return name in self._all()

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"<{len(self)} models>"

    def copy(self) -> dict[str, dict[str, Any]]:
        """A dict of its own, as dict.copy() makes it."""
        return dict(self)


model_cost = Catalog(Path(__file__).with_name("models.json"))
