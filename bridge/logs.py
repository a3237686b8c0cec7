"""What the service says, written by threads of their own.

A terminal that is held, a pipe nobody reads or a full disk must not stop the traffic: what cannot
be written waits for a while and is then lost, with a line that says how many lines were lost.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import sys
import threading
import time
from typing import NoReturn

MOST_WAITING = 1000
"""Lines."""
LAST_SECONDS = 0.5
"""How long the end of the process waits for lines to be written."""

_said = logging.getLogger("bridge.said")


def set_up(level: str) -> None:
    """Write log lines from `level` on to standard error, and what is said to standard output."""
    handler = LineWriter(sys.stderr.fileno())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    _said.propagate = False
    _said.setLevel(logging.INFO)
    _said.addHandler(LineWriter(sys.stdout.fileno()))


def say(line: str) -> None:
    """Tell the person who started the service."""
    _said.info("%s", line)


def flush() -> None:
    """Wait until what was said is written, but not for long."""
    for handler in (*_said.handlers, *logging.getLogger().handlers):
        handler.flush()


def fail(sentence: str) -> NoReturn:
    """Print why the service cannot start, after what was said before, and exit with 2."""
    flush()
    print(" ".join(sentence.split()), file=sys.stderr)
    raise SystemExit(2)


class LineWriter(logging.Handler):
    """Writes to a file descriptor, without ever making who logs wait."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._lines: queue.Queue[str] = queue.Queue(MOST_WAITING)
        self._lost = 0
        threading.Thread(target=self._write_all, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Put a line in the queue, or count it as lost."""
        try:
            self._lines.put_nowait(self.format(record))
        except queue.Full:
            self._lost += 1

    def flush(self) -> None:
        """Wait until all is written, but not for long."""
        deadline = time.monotonic() + LAST_SECONDS
        while self._lines.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.005)

    def _write_all(self) -> None:
        while True:
            line = self._lines.get()
            self._write(line)
            self._lines.task_done()
            if self._lost:
                lost, self._lost = self._lost, 0
                self._write(f"{lost} lines were lost: they could not be written in time")

    def _write(self, line: str) -> None:
        # Not through sys.stdout: what it cannot write, it would try to write again at the end of
        # the process, and wait for that, or end with status 120.
        rest = f"{line}\n".encode(errors="backslashreplace")
        with contextlib.suppress(OSError):
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
