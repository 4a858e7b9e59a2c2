"""Real processes: the command `litellm`, and Python in an interpreter of its own.

    with Gateway(config="model_list: …") as gateway:
        ...                                  # call gateway.url; gateway.stderr is what it has said so far
                                             # leaving stops it and asserts that it ended with exit code 0
    run_command("check", "config.yaml")      # a command that ends by itself
    run_python("import litellm; …")          # a script

Nothing of our environment leaks in: a process sees PATH, a home of its own, what measures coverage, and what `env` gives it.
Every warning is an error there.
"""

import contextlib
import http.client
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

# The installed script and not `-m litellm.cli.run`, which would put the working directory on sys.path.
# scripts/test-clients runs the tests in one environment and the gateway in another.
_PYTHON = os.environ.get("GATEWAY_PYTHON", sys.executable)
COMMAND = (_PYTHON, "-W", "error", str(Path(_PYTHON).with_name("litellm")))
_READY = re.compile(r" on https?://\S+:(\d+)$", re.MULTILINE)


def run_python(
    code: str, *, env: Mapping[str, str] | None = None, cwd: Path | None = None, timeout: float = 30.0
) -> subprocess.CompletedProcess[str]:
    """Runs the text as a script. It does not check the exit code."""
    return _run((sys.executable, "-W", "error", "-c", code), env, cwd, timeout)


def run_command(
    *args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, timeout: float = 30.0
) -> subprocess.CompletedProcess[str]:
    """Runs `litellm ARGS` that is to end by itself. It does not check the exit code."""
    return _run((*COMMAND, *args), env, cwd, timeout)


class Gateway:
    """`litellm --config …` (or only `args`), from when it answers until stop().

    port: 0 for one that is free, None for not giving --port at all. cwd: where config.yaml is written and the command
    runs; files that the configuration names belong there. url and port are the real ones.
    """

    def __init__(
        self,
        config: str | None = None,
        *,
        args: Sequence[str] = (),
        port: int | None = 0,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._args = [*args, *([] if port is None else ["--port", str(port)])]
        self._config = config
        self._cwd = cwd
        self._env = env
        self._kept: dict[str, str] = {}  # what it said, once it has ended
        self.port = 0
        self.exit_code: int | None = None  # None while it runs

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stderr(self) -> str:
        return self._said("stderr")

    @property
    def stdout(self) -> str:
        return self._said("stdout")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if error is not None:
            self._kill()
            error.add_note(f"The gateway had said:\n{self.stderr}")
        elif self.exit_code is None:
            self.stop()
            assert self.exit_code == 0, f"the gateway ended with {self.exit_code} and had said:\n{self.stderr}"

    def start(self, timeout: float = 20.0) -> None:
        """Returns when it answers; raises RuntimeError with its words when it will not."""
        self._folder = tempfile.TemporaryDirectory(prefix="gateway-")
        home = Path(self._folder.name)
        cwd = self._cwd or home
        args = list(self._args)
        if self._config is not None:
            (cwd / "config.yaml").write_text(self._config, encoding="utf-8")
            args = ["--config", str(cwd / "config.yaml"), *args]
        with open(home / "stdout", "wb") as stdout, open(home / "stderr", "wb") as stderr:
            self._process = subprocess.Popen(
                (*COMMAND, *args),
                cwd=cwd,
                env=_environment(home, self._env),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,  # so that _kill reaches its workers too
            )
        try:
            self._wait_until_it_answers(time.monotonic() + timeout)
        except BaseException:
            self._kill()
            raise

    def signal(self, number: int = signal.SIGTERM) -> None:
        self._process.send_signal(number)

    def wait(self, timeout: float = 10.0) -> int:
        """The exit code, once it has ended. Raises AssertionError when it does not."""
        if self.exit_code is None:
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self._kill()
                raise AssertionError(f"did not end within {timeout} s; it had said:\n{self.stderr}") from None
            self._ended()
        assert self.exit_code is not None
        return self.exit_code

    def stop(self, timeout: float = 10.0) -> int:
        """SIGTERM, and wait. Harmless when it has ended already."""
        if self.exit_code is None:
            self.signal()
        return self.wait(timeout)

    def _wait_until_it_answers(self, end: float) -> None:
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise RuntimeError(f"litellm ended with {self._process.returncode}:\n{self.stderr}")
            if ready := _READY.search(self.stderr):
                self.port = int(ready[1])
                if self._answers():
                    return
            time.sleep(0.02)
        raise RuntimeError(f"litellm does not answer; it said:\n{self.stderr}")

    def _answers(self) -> bool:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)) as connection:
            try:
                connection.request("GET", "/health/liveliness")
                return connection.getresponse().status == 200
            except (OSError, http.client.HTTPException):
                return False

    def _kill(self) -> None:
        if self.exit_code is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # the group that start() made for it
            self._process.wait()
            self._ended()

    def _ended(self) -> None:
        self.exit_code = self._process.returncode
        self._kept = {name: self._said(name) for name in ("stdout", "stderr")}
        self._folder.cleanup()

    def _said(self, name: str) -> str:
        if name in self._kept:
            return self._kept[name]
        return (Path(self._folder.name) / name).read_text(encoding="utf-8", errors="replace")


def _run(
    command: Sequence[str], env: Mapping[str, str] | None, cwd: Path | None, timeout: float
) -> subprocess.CompletedProcess[str]:
    with _home() as home:
        return subprocess.run(
            command,
            cwd=cwd or home,
            env=_environment(home, env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
            check=False,
        )


@contextlib.contextmanager
def _home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="home-") as folder:
        yield Path(folder)


def _environment(home: Path, more: Mapping[str, str] | None) -> dict[str, str]:
    measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}  # scripts/coverage
    base = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "LANG": "C.UTF-8"}
    return {**base, **measured, **(more or {})}
