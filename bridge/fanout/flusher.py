"""When messages that are pending are written: at once if there are few, together if there are many.

A write costs ten times what a message costs. So what comes within a millisecond of the last write
waits for that millisecond to pass; and while NATS has more for us than we have read, writing waits
for more to put into one write. A message that comes alone is written at once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bridge.telemetry.counters import Counters

WRITE_INTERVAL_SECONDS = 0.001
"""Between two flushes, unless there is much to write."""
MAX_DELAY_SECONDS = 0.02
"""That a message waits at most for those behind it."""
QUIET_TURNS = 3
"""Turns of the event loop until what a socket holds has been read, parsed and seen here."""


class Flushed(Protocol):
    """Whatever has something to write."""

    def flush(self) -> None: ...


class Flusher:
    """Flushes those that have something pending, together."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._waiting: dict[Flushed, None] = {}
        self._since = 0.0
        self._written = 0.0
        self._received = 0
        self._quiet = 0
        self._is_due = False
        """Whether a look is coming."""

    def add(self, pending: Flushed) -> None:
        """Flush `pending` soon."""
        if self._waiting:
            self._waiting[pending] = None
            return
        loop = asyncio.get_running_loop()
        self._since = loop.time()
        self._quiet = 0
        self._waiting[pending] = None
        if self._is_due:
            return
        self._is_due = True
        if self._since < self._written + WRITE_INTERVAL_SECONDS:
            loop.call_at(self._written + WRITE_INTERVAL_SECONDS, self._look)
        else:
            loop.call_soon(self._look)

    def flush(self) -> None:
        """Flush everything now."""
        waiting, self._waiting = self._waiting, {}
        for pending in waiting:
            pending.flush()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        received = self._counters.received
        self._quiet = self._quiet + 1 if received == self._received else 0
        self._received = received
        if self._quiet < QUIET_TURNS and loop.time() < self._since + MAX_DELAY_SECONDS:
            loop.call_soon(self._look)
        else:
            self._is_due = False
            self.flush()
            self._written = loop.time()
            self._counters.fan_out.observe(self._written - self._since)
