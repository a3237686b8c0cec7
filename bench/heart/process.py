"""Parts of the load, each in a process of its own: none waits for another one's work."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from bench.client import Failure

PATIENCE = 120.0
"""Seconds that anything may take. A gateway may stop for twenty, and then has work left."""
SIGNALS = {signal.SIGINT, signal.SIGTERM}

_FORK = multiprocessing.get_context("fork")
"""What a worker is made of need not be pickled. No thread runs here that a fork would break."""


class Worker:
    """What a child process does: its public methods are called from the other end of `pipe`."""

    pipe: Connection

    def wait(self) -> None:
        """Do what there is to do between two calls; return when there is one."""
        self.pipe.poll(None)

    def over(self) -> None:
        """Do nothing: a call that ends one that goes on until there is another."""


class Child:
    """A worker in a process of its own.

    The process ends when its pipe does, so it never outlives this one. Ctrl-C is not for it.
    `beat` is called each second while something is waited for.
    """

    def __init__(self, make: Callable[[], Worker], beat: Callable[[], None]) -> None:
        self._beat = beat
        self._pipe, theirs = _FORK.Pipe()
        self._process = _FORK.Process(target=_work, args=(make, theirs, self._pipe), daemon=True)
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        theirs.close()
        assert self._process.pid is not None
        self.pid: int = self._process.pid
        self.result()

    def start(self, method: str, *arguments: object) -> None:
        """Call a method of the worker without waiting for it."""
        self._pipe.send((method, arguments))

    def result(self) -> Any:
        """Return what the call under way returns. Raises Failure if it fails, or takes too long."""
        deadline = time.monotonic() + PATIENCE
        while not self._pipe.poll(1):
            self._beat()
            if time.monotonic() > deadline:
                raise Failure(f"no answer within {PATIENCE:.0f} s")
        try:
            fault, value = self._pipe.recv()
        except EOFError:
            raise Failure("a process of the load has ended") from None
        if fault:
            raise Failure(fault)
        return value

    def call(self, method: str, *arguments: object) -> Any:
        """Call a method of the worker and return its result."""
        self.start(method, *arguments)
        return self.result()

    def finish(self) -> Any:
        """End a call that goes on until there is another, and return its result."""
        self.start("over")
        result = self.result()
        self.result()
        return result

    def stop(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join(1)
        self._process.kill()
        self._process.join()


def _work(make: Callable[[], Worker], pipe: Connection, other_end: Connection) -> None:
    """Answer calls until the pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    other_end.close()
    try:
        worker = _answer(pipe, make)
        while worker is not None:
            worker.pipe = pipe
            worker.wait()
            method, arguments = pipe.recv()
            _answer(pipe, getattr(worker, method), *arguments)
    except (EOFError, OSError):
        return  # who started this has ended


def _answer(pipe: Connection, call: Callable[..., Any], *arguments: object) -> Any:
    """Return what `call` returns, and send it unless it is a worker; of a failure send the text."""
    try:
        value = call(*arguments)
    except (Failure, OSError) as failure:
        pipe.send((str(failure) or type(failure).__name__, None))
        return None
    pipe.send((None, None if isinstance(value, Worker) else value))
    return value


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used so far, exactly.

    psutil counts in ticks of 10 ms. Linux has a clock for each process; this is its id, as in
    clock_getcpuclockid(3).
    """
    return time.clock_gettime((~pid << 3) | 2)
