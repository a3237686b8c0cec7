"""Consumers of long reads: there are few, and who holds one for long gives it up to who waits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

LOOK_SECONDS = 0.5
"""How often it is looked whether somebody waits, once the time of a turn is up."""

_Consumer = AbstractAsyncContextManager[str]


class Turn:
    """The time of one read with a consumer, called `name`."""

    def __init__(self, turns: Turns, seconds: float) -> None:
        self.name = ""
        self.is_over = False
        """Whether the consumer is not to be used any more."""
        self._turns = turns
        self._seconds = seconds
        self._held = AsyncExitStack()
        self._timer: asyncio.TimerHandle | None = None
        self._is_paused = False
        self._ending: asyncio.Task[None] | None = None

    async def hold(self, room: asyncio.Semaphore, consumer: _Consumer) -> None:
        """Wait for room, and have a consumer made. Raises what making one does."""
        self._turns.waiting += 1
        try:
            await self._held.enter_async_context(room)
        finally:
            self._turns.waiting -= 1
        self.name = await self._held.enter_async_context(consumer)

    def begin(self) -> None:
        """Have its time pass from now on. Idempotent."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._look)

    @asynccontextmanager
    async def pause(self) -> AsyncIterator[None]:
        """Let others have the consumer meanwhile, if the time is up before or in it."""
        if self.is_over:
            await self.end()
        self._is_paused = True
        try:
            yield
        finally:
            self._is_paused = False

    async def end(self) -> None:
        """Give up the consumer, and then the room. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
        await asyncio.shield(self._ending)

    async def _end(self) -> None:
        try:
            await self._held.aclose()
        finally:
            self._turns.over.discard(self)

    def _look(self) -> None:
        """End it if somebody waits for whom none has ended yet."""
        if self._turns.waiting <= len(self._turns.over):
            self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)
            return
        self.is_over = True
        self._turns.over.add(self)
        if self._is_paused and self._ending is None:
            self._ending = asyncio.create_task(self._end())


class Turns:
    """The turns of so many reads at a time; those who wait have theirs in the order they came."""

    def __init__(self, most: int, seconds: float) -> None:
        self.waiting = 0
        self.over: set[Turn] = set()
        """Those whose time is up, and that have yet to give up their room."""
        self._seconds = seconds
        self._room = asyncio.Semaphore(most)

    @asynccontextmanager
    async def turn(self, consumer: _Consumer) -> AsyncIterator[Turn]:
        """Wait for one, and yield it with its consumer made."""
        turn = Turn(self, self._seconds)
        try:
            await turn.hold(self._room, consumer)
            yield turn
        finally:
            await turn.end()
