"""Pings browsers that have been silent for a while, and cuts those that stay silent.

One task looks after all connections. aiohttp has a timer for each, and no way to tell it that a
browser is alive: for a slow one, the ping stands behind all that is pending.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from bridge.telemetry import events
from bridge.telemetry.logs import tell

PING_INTERVAL_SECONDS = 25.0
"""A browser that was silent for so long is pinged. It has half of that to answer, or it is gone."""
CHECKS_PER_INTERVAL = 10
"""How late a ping may be depends on it, and so does the promise of `http_stream.IDLE_SECONDS`."""
CHECKS_PER_TURN = 500
"""Connections looked at before others are served."""


class Beating(Protocol):
    """A connection with a heartbeat. `heard`: when something last came from it, as `loop.time`."""

    @property
    def heard(self) -> float: ...
    def send_ping(self) -> None: ...
    def abort(self) -> None: ...


class Heartbeat:
    """The heartbeat of all connections of one kind, for as long as `run` runs.

    `interval`: seconds of silence before a ping, if not `PING_INTERVAL_SECONDS`.
    """

    def __init__(self, interval: float | None = None) -> None:
        self._given_interval = interval
        self._pinged: dict[Beating, float] = {}
        """Connection to when it was last pinged."""

    def add(self, connection: Beating) -> None:
        """Look after `connection` from now on."""
        self._pinged[connection] = 0.0

    def discard(self, connection: Beating) -> None:
        """Stop looking after it. Idempotent."""
        self._pinged.pop(connection, None)

    @property
    def _interval(self) -> float:
        return self._given_interval or PING_INTERVAL_SECONDS

    async def run(self) -> None:
        """Look after them until cancelled."""
        while True:
            await asyncio.sleep(self._interval / CHECKS_PER_INTERVAL)
            await self._check_all()

    async def _check_all(self) -> None:
        """Look at each. On its own, or the last one would be held until the next time."""
        for number, connection in enumerate(tuple(self._pinged), start=1):
            try:
                self._check(connection)
            except Exception as failure:
                self.discard(connection)  # one must not cost the others their heartbeat
                tell(events.BACKGROUND_FAILED, failure)
            if number % CHECKS_PER_TURN == 0:
                await asyncio.sleep(0)

    def _check(self, connection: Beating) -> None:
        if connection not in self._pinged:
            return  # it has left meanwhile
        now, pinged = asyncio.get_running_loop().time(), self._pinged[connection]
        if connection.heard > pinged:
            if now - connection.heard >= self._interval:
                self._pinged[connection] = now
                connection.send_ping()
        elif now - pinged >= self._interval / 2:
            self.discard(connection)
            connection.abort()
