"""An episode: a time in which messages for a connection are dropped, told at its start and end."""

from __future__ import annotations

import asyncio

from bridge.telemetry import events
from bridge.telemetry.logs import tell

QUIET = 5.0
"""Seconds without a drop that end an episode."""
LOOK = 1.0
"""Seconds between two looks at the count, to which the length of an episode is exact."""


class Episode:
    """One of a connection, from now on; `pending_bytes` are held for it.

    For each message that is dropped, `dropped` is raised, and nothing else is done.
    """

    __slots__ = ("_began", "_connection_id", "_latest", "_seen", "_timer", "dropped", "over")

    def __init__(self, connection_id: str, pending_bytes: int) -> None:
        loop = asyncio.get_running_loop()
        self.dropped = 0
        self.over = False
        self._connection_id = connection_id
        self._began = self._latest = loop.time()
        self._seen = 0
        self._timer = loop.call_later(LOOK, self._look)
        tell(events.SLOW_CONSUMER_BEGAN, connection=connection_id, pending_bytes=pending_bytes)

    def end(self) -> None:
        """Tell what it was. Twice is harmless."""
        if self.over:
            return
        self.over = True
        self._timer.cancel()
        self._count(asyncio.get_running_loop().time())
        seconds = round(self._latest - self._began, 3)
        connection, dropped = self._connection_id, self.dropped
        tell(events.SLOW_CONSUMER_ENDED, connection=connection, dropped=dropped, seconds=seconds)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        self._count(loop.time())
        if loop.time() - self._latest >= QUIET:
            self.end()
        else:
            self._timer = loop.call_later(LOOK, self._look)

    def _count(self, now: float) -> None:
        if self.dropped != self._seen:
            self._seen, self._latest = self.dropped, now
