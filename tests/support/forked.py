"""Programs that the fork server starts, with the methods of `subprocess.Popen` that tests use."""

from __future__ import annotations

import json
import math
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


class ForkServer:
    """Starts programs in a fraction of the time that `python program` takes.

    Its own process begins with the first of them.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._started: list[Forked] = []

    def _begin(self) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"{__package__}.fork_server", str(theirs.fileno())],
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                process_group=0,
            )

    def start(
        self, command: list[str], environment: dict[str, str], folder: Path, output: int
    ) -> Forked:
        """Start `python program …` in a folder; its output goes to that file descriptor."""
        if self._process is None:
            self._begin()
        link, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [b"."], [theirs.fileno(), output])
        request = {
            "program": command[1],
            "arguments": command[2:],
            "environment": environment,
            "folder": str(folder),
            "files": resource.getrlimit(resource.RLIMIT_NOFILE),
        }
        self._started.append(Forked(link, request))
        return self._started[-1]

    def stop(self) -> None:
        """End the server, and what a test that failed has left running."""
        for each in self._started:
            each.kill()
        if self._process is not None:
            self._control.close()
            self._process.wait()


class Forked:
    """A process that is a child of the fork server's; its exit status comes through a socket."""

    def __init__(self, link: socket.socket, request: dict[str, object]) -> None:
        self._link, self._lines = link, link.makefile("rw")
        self._lock = threading.Lock()
        self.returncode: int | None = None
        print(json.dumps(request), file=self._lines, flush=True)
        self.pid = int(self._lines.readline())

    def poll(self) -> int | None:
        """Return the exit status, or None while the process runs; that of a signal is negative."""
        with self._lock:
            if self.returncode is None and _has_come(self._link):
                self.returncode = int(self._lines.readline())
                self._lines.close()
                self._link.close()
            return self.returncode

    def wait(self, timeout: float = math.inf) -> int:
        """Return the exit status once the process has ended."""
        deadline = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.005)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended, and its status is on its way
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def _has_come(link: socket.socket) -> bool:
    """Tell whether something can be read; unlike `select`, also with thousands of files open."""
    poll = select.poll()
    poll.register(link, select.POLLIN)
    return bool(poll.poll(0))
