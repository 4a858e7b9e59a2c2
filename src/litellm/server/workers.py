"""Running an application in several processes that share a socket, and one that watches over them."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
import traceback
from collections.abc import Callable
from types import FrameType

from litellm._log import log
from litellm.server.application import Application
from litellm.server.serve import RELOAD, SIGNALS, ListenOptions, Reload, serve

PAUSE = 0.5  # seconds before a worker is replaced: one that cannot start must not make a busy loop


class Supervisor:
    """Keeps workers going. It only watches: signals are passed on, and it ends when all workers have.

    make_app: called in each worker; gives the application, and what the worker does on SIGHUP. check: called on SIGHUP, for
    workers to come; says whether the workers get the signal too. None: SIGHUP is ignored.
    """

    def __init__(
        self,
        make_app: Callable[[], tuple[Application, Reload | None]],
        listening: ListenOptions,
        sock: socket.socket,
        *,
        check: Callable[[], bool] | None,
    ) -> None:
        self._make_app = make_app
        self._listening = listening
        self._sock = sock
        self._check = check
        self._workers: dict[int, int] = {}  # process → number
        self._stopping = False
        self._forwarded_signals = (*SIGNALS, *(RELOAD if check is not None else ()))
        # Only this process holds the writing end: when it dies, however it dies, the workers read an end of file.
        self._lifeline, self._lifeline_writer = os.pipe()

    def run(self, count: int) -> int:
        """Serve from `count` processes; one that dies is replaced. Returns the exit status, when all have ended."""
        for number in self._forwarded_signals:
            signal.signal(number, self._reload if number in RELOAD else self._stop)
        for worker in range(count):
            self._start(worker)
        failed = False
        while self._workers:
            process, status = os.wait()
            worker = self._workers.pop(process, -1)
            if worker < 0:
                continue
            failed = failed or status != 0
            if not self._stopping:
                log.error("worker %d (process %d) ended with status %d and is replaced", worker, process, status)
                time.sleep(PAUSE)
                failed = False
                self._start(worker)
        self._sock.close()
        os.close(self._lifeline_writer)
        os.close(self._lifeline)
        return 1 if failed else 0

    def _start(self, worker: int) -> None:
        """Start a worker, unless it is to stop: after this look, signals wait until the worker's loop can obey them."""
        signal.pthread_sigmask(signal.SIG_BLOCK, self._forwarded_signals)
        process = None if self._stopping else os.fork()
        if process != 0:
            if process is not None:
                self._workers[process] = worker
            signal.pthread_sigmask(signal.SIG_UNBLOCK, self._forwarded_signals)
            return
        os.close(self._lifeline_writer)
        for number in self._forwarded_signals:
            signal.signal(number, signal.SIG_DFL)
        status = 1
        try:
            app, reload = self._make_app()
            serve(app, self._listening, self._sock, reload=reload, lifeline=self._lifeline)
            status = 0
        except BaseException:  # noqa: BLE001 - a forked worker must not run on into its parent's code
            traceback.print_exc()
        os._exit(status)

    def _signal_workers(self, number: int) -> None:
        for process in list(self._workers):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def _stop(self, number: int, _: FrameType | None) -> None:
        self._stopping = True
        self._signal_workers(number)

    def _reload(self, number: int, _: FrameType | None) -> None:
        if self._check is not None and self._check():
            self._signal_workers(number)
