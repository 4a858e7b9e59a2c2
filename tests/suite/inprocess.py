"""The proxy's application on a real socket, in a thread of this process: quick to start, and open to monkeypatch.

    with ServedProxy({"model_list": […]}) as proxy:
        ...                                   # call proxy.url; proxy.app and proxy.state are the real objects

The real process, with its command line and signals, is tests/processes.py.
"""

from __future__ import annotations

import asyncio
import dataclasses
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from unittest import mock

import yaml

from litellm.engine.client import Client, Layer
from litellm.proxy.app import App
from litellm.proxy.config import Config, CustomProvider, load_config
from litellm.proxy.state import Carryover, Proxy, build
from litellm.server.serve import ListenOptions, Server, bind


class ServedProxy:
    """config: a dict or YAML text. handlers: CustomLLM objects by provider, as custom_provider_map would name them.

    folder: where the configuration is written, for the sake of files that it names. grace: seconds that requests have
    to finish when the proxy stops. layers: around each call, as a Client takes them.
    """

    def __init__(
        self,
        config: Mapping[str, Any] | str,
        *,
        handlers: Mapping[str, Any] | None = None,
        folder: Path | None = None,
        master_key: str | None = None,
        grace: float = 0.2,
        layers: Sequence[Layer] = (),
    ) -> None:
        loaded = _loaded(config, folder)
        if handlers:
            entries = tuple(
                CustomProvider.model_construct(provider=name, custom_handler=handler)
                for name, handler in handlers.items()
            )
            settings = loaded.litellm_settings.model_copy(update={"custom_provider_map": entries})
            loaded = dataclasses.replace(loaded, litellm_settings=settings)
        self.client = Client(isolate_handlers=True, layers=layers)
        self.state: Proxy = build(loaded, master_key, Carryover(client=self.client))
        self.app = App(self.state)
        self._listening = ListenOptions("127.0.0.1", 0, grace=grace)
        self._started = threading.Event()
        self._broken: BaseException | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        sock = bind(self._listening)
        self.port: int = sock.getsockname()[1]
        self._thread = threading.Thread(target=self._run, args=(sock,), name=f"proxy:{self.port}", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._broken is not None:
            raise self._broken
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(timeout=10)
        assert not self._thread.is_alive(), "the proxy did not stop"
        if self._broken is not None:
            raise self._broken

    def _run(self, sock: Any) -> None:
        try:
            asyncio.run(self._serve(sock))
        except BaseException as error:  # told in __exit__
            self._broken = error
        finally:
            self._started.set()

    async def _serve(self, sock: Any) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = Server(self.app, self._listening)
        # Before it starts, the server collects garbage and freezes the rest: a tenth of a second in the process of a
        # test suite, and not its business there.
        no_collecting = mock.patch("litellm.server.serve.gc")

        def started() -> None:
            no_collecting.stop()
            self._started.set()

        no_collecting.start()
        try:
            await self._server.serve(sock, started)
        finally:
            no_collecting.stop()

    def call(self, function: Any, *args: Any) -> Any:
        """Runs a coroutine function on the proxy's loop and waits for its result."""
        return asyncio.run_coroutine_threadsafe(function(*args), self._loop).result(timeout=10)


def _loaded(config: Mapping[str, Any] | str, folder: Path | None) -> Config:
    text = config if isinstance(config, str) else yaml.safe_dump(dict(config))
    with tempfile.TemporaryDirectory(prefix="served-") as made:
        file = (folder or Path(made)) / "config.yaml"
        file.write_text(text, encoding="utf-8")
        return load_config(file)


def deployment(name: str, model: str, **params: Any) -> dict[str, Any]:
    """One entry of a model_list."""
    return {"model_name": name, "litellm_params": {"model": model, **params}}
