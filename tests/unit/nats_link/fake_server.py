"""A NATS server, and the connection to it, that does what it is told to with each SUB."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bridge.nats_link.subscriptions import Subscriptions
from bridge.nats_link.tapped import Lane
from bridge.telemetry.counters import Counters


class Tap:
    """Follows a pattern; notes how it was refused."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.refused: list[str] = []

    wants_meta = False

    def lane(self, subject: str) -> Lane:
        raise AssertionError("no message is sent here")

    def refuse(self, code: str) -> None:
        self.refused.append(code)


class Server:
    """Takes SUBs until it is told otherwise; `subs` are the subscriptions it is asked for."""

    def __init__(self) -> None:
        self.is_connected = True
        self.counters = Counters()
        self.subs = Subscriptions(self)
        self.held: dict[int, str] = {}
        self.asked: list[str] = []
        """What was asked for so far; `PING`, too."""
        self.losses = 0
        self.limit = 1000000
        self.denied: set[str] = set()
        self.kills: set[str] = set()
        self.longest = 1000
        self.spelling: Callable[[str], str] = str
        self._queued: list[bytes | asyncio.Future[bool]] = []
        self._sids = itertools.count(1)

    def next_sid(self) -> int:
        return next(self._sids)

    def queue(self, command: bytes) -> None:
        assert self.is_connected
        self._queued.append(command)

    def queue_ping(self, answered: asyncio.Future[bool]) -> None:
        assert self.is_connected
        self._queued.append(answered)

    def answer(self) -> None:
        """Take all that is queued."""
        queued, self._queued = self._queued, []
        for each in queued:
            if not self.is_connected:
                return
            if isinstance(each, asyncio.Future):
                self.asked.append("PING")
                if not each.done():
                    each.set_result(True)
            elif each.startswith(b"UNSUB"):
                self.held.pop(int(each.split()[1]), None)
            else:
                _, pattern, sid = each.decode().split()
                self.asked.append(pattern)
                self._take(pattern, int(sid))

    def _take(self, pattern: str, sid: int) -> None:
        if pattern in self.kills:
            self.lose()
        elif len(pattern) > self.longest:
            self.subs.too_long()
            self.lose()
        elif pattern in self.denied:
            self.subs.refused("denied", self.spelling(pattern))
        elif len(self.held) >= self.limit:
            self.subs.refused("limit")
        else:
            self.held[sid] = pattern

    def lose(self) -> None:
        self.losses += 1
        self.is_connected = False
        self.held.clear()
        self._queued.clear()
        self.subs.lost()

    def reconnect(self) -> None:
        self.is_connected = True
        self.subs.replay()

    async def is_back(self) -> None:
        """Wait until it is connected again."""
        while not self.is_connected:
            await asyncio.sleep(0.001)

    async def run(self) -> None:
        """Answer each turn, and be there again soon after a loss."""
        while True:
            await asyncio.sleep(0)
            if self.is_connected:
                self.answer()
            else:
                await asyncio.sleep(0.001)
                self.reconnect()


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[None]:
    task = asyncio.create_task(server.run())
    try:
        yield
    finally:
        task.cancel()


def taps(*patterns: str) -> list[Tap]:
    return [Tap(each) for each in patterns]


async def followed(server: Server, count: int) -> list[Tap]:
    """Subscribe to many, then lose the connection."""
    asked = taps(*(f"p.{number}" for number in range(count)))
    async with running(server):
        await server.subs.subscribe_all(asked)
    server.lose()
    server.losses = 0
    server.asked.clear()
    return asked
