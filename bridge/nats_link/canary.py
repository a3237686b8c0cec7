"""Detects a NATS connection that has silently stopped delivering.

A frozen server, a connection that leads nowhere and a task of nats-py that has ended all look like
a quiet day. So every two seconds the canary publishes a message to an inbox of its own, and a PING
after it. Two that are not answered, and the client reconnects.

The message alone would need a right to publish and to subscribe that the NATS user may not have;
the PING alone would not prove that messages are delivered. The server takes both in their order:
a PONG without the message says that it is the message that was not delivered.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import TYPE_CHECKING, Any

from nats import errors

from bridge.telemetry import events
from bridge.telemetry.logs import tell

if TYPE_CHECKING:
    from bridge.nats_link.client import NATSLink
    from bridge.telemetry.counters import Counters

PROBE_INTERVAL_SECONDS = 2.0
ANSWER_TIMEOUT_SECONDS = 1.0
"""Seconds the server has to answer: the second miss is known 5 s after the last answer at most."""
MAX_MISSES = 2


class Canary:
    """Probes one NATS connection for as long as `run` runs."""

    def __init__(self, link: NATSLink, counters: Counters) -> None:
        self.round_trip = math.nan
        """Seconds from the last answered probe to its answer."""
        self._link = link
        self._counters = counters
        self._inbox = ""
        self._connection = 0
        """Which connection of the link was probed last."""
        self._misses = 0
        self._missed: asyncio.Future[bool] | None = None
        """What the answer to the last probe that was missed sets, if it comes late."""
        self._arrived = False
        """Whether the message of the current probe has come back."""
        self._has_arrived = False
        """Whether one has, on this connection."""
        self._pings_only = False
        self._said_pings_only = False

    async def run(self) -> None:
        """Probe until cancelled. The client has to be connected, but need not stay so."""
        loop = asyncio.get_running_loop()
        self._inbox = self._link.new_inbox()
        await self._link.subscribe(self._inbox, cb=self._take)
        while True:
            due = loop.time() + PROBE_INTERVAL_SECONDS
            await self.probe()
            await asyncio.sleep(due - loop.time())

    async def probe(self) -> None:
        """Look whether the link works; have it reconnect if not."""
        link = self._link
        if link.has_lost_a_task:
            await self._reconnect("a task of the NATS client has ended")
        if not link.is_connected:
            return
        if self._connection != link.stats["reconnects"]:
            self._connection = link.stats["reconnects"]
            self._misses = 0
            self._has_arrived = self._pings_only = False
        if self._missed is not None and self._missed.done():
            self._misses = 0  # slow is not dead
        self._missed = None
        received, self._arrived = self._counters.received_bytes, False
        loop = asyncio.get_running_loop()
        begun, pong = loop.time(), loop.create_future()
        sending = loop.create_task(self._send(pong))  # would wait where nats-py cannot send
        await asyncio.wait([pong], timeout=ANSWER_TIMEOUT_SECONDS)
        sending.cancel()
        if pong.done():
            if pong.exception() is None:  # else the connection was lost meanwhile
                await self._judge_answer(loop.time() - begun)
        elif self._counters.received_bytes == received:
            self._missed = pong
            await self._miss("does not answer")
        else:
            self._misses = 0  # the answer is behind what we have yet to read

    async def _send(self, pong: asyncio.Future[bool]) -> None:
        with contextlib.suppress(errors.Error, OSError):
            if not self._pings_only:
                await self._link.publish(self._inbox)
            await self._link._send_ping(pong)

    async def _take(self, msg: Any) -> None:
        self._arrived = True

    async def _judge_answer(self, seconds: float) -> None:
        if self._arrived or self._pings_only:
            self.round_trip = seconds
            self._misses = 0
            self._has_arrived = self._arrived
        elif self._has_arrived:
            await self._miss("answers, but does not deliver")
        else:
            # To reconnect would not help: it has not delivered one since this connection began.
            self._pings_only = True
            if not self._said_pings_only:
                self._said_pings_only = True
                tell(events.NATS_INBOX_DENIED)

    async def _miss(self, what: str) -> None:
        self._misses += 1
        self._counters.missed_probes += 1
        if self._misses >= MAX_MISSES:
            await self._reconnect(f"the NATS server {what}")

    async def _reconnect(self, reason: str) -> None:
        self._misses = 0
        tell(events.NATS_SILENT, reason=reason)
        await self._link.reconnect()
