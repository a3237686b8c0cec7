"""Lines of the log, written by a thread of its own.

A terminal that is held, a pipe nobody reads or a full disk must not stop the traffic: what cannot
be written waits for a while and is then lost, with a line that says how many lines were lost.

Lines are written together, some moments after the first of them: a thread that is woken for each
would take turns with the event loop all the time.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import threading
from collections import deque

from bridge.telemetry import events
from bridge.telemetry.log_lines import record_of

MAX_WAITING_LINES = 2000
"""Ten times what comes within `WAIT_SECONDS` where thousands of connections end together."""
WAIT_SECONDS = 0.005
"""For further lines, after the first one."""
LINES_A_WRITE = 100
LAST_FLUSH_SECONDS = 0.5
"""How long the end of the process waits for lines to be written."""


class LineWriter(logging.Handler):
    """Writes to a file descriptor, without ever blocking the caller."""

    def __init__(self, descriptor: int, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self._descriptor = descriptor
        self._lines: deque[str] = deque()
        self._lost = 0
        """Lines for which there was no room; raised by those who call."""
        self._failed = 0
        """Lines that could not be written."""
        self._told = 0
        """How many of both have been told of."""
        self._more = threading.Event()
        """Whether there may be lines to write."""
        self._hurry = threading.Event()
        """Whether somebody waits for them to be written."""
        self._idle = threading.Event()
        """Whether all that was there has been written."""
        threading.Thread(target=self._write_all, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Have a line written soon, or count it as lost."""
        if len(self._lines) >= MAX_WAITING_LINES:
            self._lost += 1
            return
        self._lines.append(self.format(record))
        if not self._more.is_set():
            self._more.set()

    def flush(self) -> None:
        """Wait until all is written, but not for long."""
        self._idle.clear()
        self._hurry.set()
        self._more.set()
        self._idle.wait(LAST_FLUSH_SECONDS)

    def _write_all(self) -> None:
        while True:
            self._more.wait()
            self._hurry.wait(WAIT_SECONDS)
            self._more.clear()
            self._hurry.clear()
            self._write_waiting()
            if not self._more.is_set():
                self._idle.set()

    def _write_waiting(self) -> None:
        while lines := [self._lines.popleft() for _ in range(min(len(self._lines), LINES_A_WRITE))]:
            self._failed += write(self._descriptor, lines)
            lost = self._lost + self._failed - self._told
            if lost:
                line = self.format(record_of(events.LINES_LOST, count=lost))
                if not write(self._descriptor, [line]):
                    self._told += lost


def write(descriptor: int, lines: list[str]) -> int:
    """Write lines, however long that takes; return how many could not be written."""
    # Not through sys.stdout: what it cannot write, it would try to write again at the end of the
    # process, and wait for that, or end with status 120.
    rest = "".join(f"{line}\n" for line in lines).encode(errors="backslashreplace")
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            # Whoever else has this pipe or terminal may have made it one that nobody waits for.
            with contextlib.suppress(OSError, ValueError):
                select.select((), (descriptor,), ())
        except OSError:
            return max(1, rest.count(b"\n"))
    return 0
