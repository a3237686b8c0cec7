"""An episode: a time in which messages for a connection are dropped, told at its start and end."""

from __future__ import annotations

import asyncio

from bridge import events
from bridge.logs import tell

QUIET = 5.0
"""Seconds without a drop that end an episode."""


class Episodes:
    """Those of one connection. Costs nothing while nothing is dropped."""

    def __init__(self, connection_id: str) -> None:
        self._connection_id = connection_id
        self._dropped = 0
        self._began = self._latest = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def add(self, count: int, pending_bytes: int) -> None:
        """Count messages that were dropped while `pending_bytes` were held."""
        loop = asyncio.get_running_loop()
        self._latest = loop.time()
        self._dropped += count
        if self._timer is None:
            self._began = self._latest
            self._timer = loop.call_later(QUIET, self._look)
            connection = self._connection_id
            tell(events.SLOW_CONSUMER_BEGAN, connection=connection, pending_bytes=pending_bytes)

    def end(self) -> None:
        """End the episode, if there is one."""
        if self._timer is None:
            return
        self._timer.cancel()
        self._timer = None
        dropped, self._dropped = self._dropped, 0
        tell(
            events.SLOW_CONSUMER_ENDED,
            connection=self._connection_id,
            dropped=dropped,
            seconds=round(self._latest - self._began, 3),
        )

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        left = self._latest + QUIET - loop.time()
        if left > 0:
            self._timer = loop.call_later(left, self._look)
        else:
            self.end()
