"""How often JetStream is asked: who wants more than that waits."""

from __future__ import annotations

import asyncio
import time
import weakref

from bridge.token_bucket import TokenBucket

RATE, BURST = 200.0, 400
"""Requests a second, and at once, by which the past of one connection's patterns is found."""


class Pace:
    """Lets those who want to ask go on at a rate, one after the other."""

    def __init__(self, rate: float = RATE, burst: int = BURST) -> None:
        self._wait = 1 / rate
        self._bucket = TokenBucket(rate, burst, time.monotonic())
        self._line = asyncio.Lock()

    async def turn(self) -> None:
        """Return when it is the caller's turn."""
        async with self._line:
            while not self._bucket.take(time.monotonic()):
                await asyncio.sleep(self._wait)


class Paces:
    """A pace for each who asks, as long as it is there."""

    def __init__(self) -> None:
        self._paces: weakref.WeakKeyDictionary[object, Pace] = weakref.WeakKeyDictionary()

    def of(self, asker: object) -> Pace:
        """Return the pace of an asker; None is somebody else each time."""
        if asker is None:
            return Pace()
        pace = self._paces.get(asker)
        if pace is None:
            pace = self._paces[asker] = Pace()
        return pace
