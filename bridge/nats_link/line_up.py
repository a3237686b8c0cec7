"""Suspicious patterns, which are asked for a few at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from nats import errors

if TYPE_CHECKING:
    from bridge.nats_link.whole_tap import AnyTap


class Asked(NamedTuple):
    """One that has lined up; `settled` is done once the server has accepted or refused it."""

    sid: int
    tap: AnyTap
    settled: asyncio.Future[bool]


class LineUp:
    """Calls `ask` for a few, waits until they are settled, and goes on with the next few.

    `ask` raises nats.errors.Error if the connection is lost. `at_a_time` returns how many a pattern
    may be among.
    """

    def __init__(
        self, ask: Callable[[list[Asked]], Awaitable[None]], at_a_time: Callable[[str], int]
    ) -> None:
        self._ask = ask
        self._at_a_time = at_a_time
        self._waiting: deque[Asked] = deque()
        self._task: asyncio.Task[None] | None = None

    def add(self, each: Iterable[tuple[int, AnyTap]]) -> list[asyncio.Future[bool]]:
        """Line up; return what tells how it went with each."""
        loop = asyncio.get_running_loop()
        asked = [Asked(sid, tap, loop.create_future()) for sid, tap in each]
        self._waiting += asked
        if asked and self._task is None:
            self._task = loop.create_task(self._run())
        return [each.settled for each in asked]

    async def _run(self) -> None:
        try:
            while self._waiting:
                few = self._next_few()
                try:
                    await self._ask(few)
                except errors.Error as lost:
                    _end(few, lost)
                else:
                    _end(few)
        finally:
            self._task = None

    def _next_few(self) -> list[Asked]:
        few: list[Asked] = []
        size = self._at_a_time(self._waiting[0].tap.pattern)
        while self._waiting and len(few) < size:
            size = min(size, self._at_a_time(self._waiting[0].tap.pattern))
            if len(few) < size:
                few.append(self._waiting.popleft())
        return few


def _end(asked: Iterable[Asked], lost: Exception | None = None) -> None:
    for each in asked:
        if each.settled.done():
            continue
        if lost is None:
            each.settled.set_result(True)
        else:
            each.settled.set_exception(lost)
            each.settled.exception()  # not everybody waits for it
