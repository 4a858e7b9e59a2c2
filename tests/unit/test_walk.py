"""Through how many of our files a plain chat request walks, and how often from one to another: what somebody who follows it in
the source has open, and how often he turns. `pytest -rP tests/unit/test_walk.py` prints the way; the ceiling keeps it short.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from tests.unit.test_call_counts import HI, SOURCE, WARM, Served, Upstream

import litellm

# Files, and changes of file from one call of a function of ours to the next. Lower them when you can.
CEILINGS = {"SDK sync": (23, 44), "SDK async": (23, 48), "gateway": (28, 88)}


class Walk:
    """The files in which our functions are entered, in order, on the thread that starts it."""

    def __init__(self) -> None:
        self.way: list[str] = []

    async def start(self) -> None:
        sys.setprofile(self._note)

    async def stop(self) -> None:
        sys.setprofile(None)

    def follow(self, call: Callable[[], object]) -> None:
        sys.setprofile(self._note)
        try:
            call()
        finally:
            sys.setprofile(None)

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(SOURCE) and self.way[-1:] != [file]:
            self.way.append(file)

    def check(self, name: str, record_property: Callable[[str, object], None]) -> None:
        files, changes = len(set(self.way)), len(self.way) - 1
        record_property(name, f"{files} files, {changes} changes")
        print(
            f"{name}: {files} files, {changes} changes of file",
            *[file.removeprefix(SOURCE) for file in self.way],
            sep="\n",
        )
        most_files, most_changes = CEILINGS[name]
        assert 0 < files <= most_files
        assert changes <= most_changes


@pytest.fixture
def upstream(monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    made = Upstream()
    yield made
    made.close()


def test_sdk_sync(upstream: Upstream, record_property: Any) -> None:
    """completion()."""
    walk = Walk()
    place = {"api_base": upstream.base, "api_key": "sk-of-nobody"}
    for _ in range(WARM):
        litellm.completion("openai/m", HI, **place)
    walk.follow(lambda: litellm.completion("openai/m", HI, **place))
    walk.check("SDK sync", record_property)


def test_sdk_async(upstream: Upstream, record_property: Any) -> None:
    """acompletion()."""
    walk = Walk()

    async def call() -> None:
        await litellm.acompletion("openai/m", HI, api_base=upstream.base, api_key="sk-of-nobody")

    with asyncio.Runner() as runner:
        for _ in range(WARM):
            runner.run(call())
        walk.follow(lambda: runner.run(call()))
    walk.check("SDK async", record_property)


def test_gateway(upstream: Upstream, record_property: Any) -> None:
    """A whole request: key, route, upstream, answer."""
    walk = Walk()
    with Served(upstream) as served:
        for _ in range(WARM):
            served.post().read()
        served.proxy.call(walk.start)
        served.post().read()
        served.proxy.call(walk.stop)
    walk.check("gateway", record_property)
