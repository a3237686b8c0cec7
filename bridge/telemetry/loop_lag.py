"""Measures how late the event loop is: all connections wait while one piece of work takes long."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.telemetry.counters import Counters

CHECK_SECONDS = 0.25
REMEMBERED_CHECKS = 240
"""How many count for the worst lag: those of a minute, so that no scrape misses it."""


class LoopLag:
    """Sets a timer again and again, and counts how late it comes."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._latest: deque[float] = deque(maxlen=REMEMBERED_CHECKS)

    @property
    def worst(self) -> float:
        """The longest lag of the last minute, in seconds."""
        return max(self._latest, default=0.0)

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + CHECK_SECONDS
            await asyncio.sleep(CHECK_SECONDS)
            lag = max(0.0, loop.time() - due)
            self._latest.append(lag)
            self._counters.event_loop_lag.observe(lag)
