"""What keeps a tail on the patterns of one connection, and the tasks that read for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from bridge.wire.subjects import intersection

if TYPE_CHECKING:
    from bridge.audiences.handover import Handover
    from bridge.history.reading import Reading


class Readings:
    """Patterns that are followed, and the handovers under way."""

    def __init__(self) -> None:
        self._readings: dict[str, Reading] = {}
        self._left: list[tuple[str, Reading]] = []
        """Of patterns that were left while something is read, maybe for them, too."""
        self._tasks: dict[Handover, asyncio.Task[None]] = {}

    @property
    def patterns(self) -> tuple[str, ...]:
        """What is followed, oldest first."""
        return tuple(self._readings)

    @property
    def brings(self) -> list[str]:
        """What of the patterns the stream has, as far as it says."""
        found = (
            intersection(pattern, subjects)
            for pattern, reading in self._readings.items()
            for subjects in reading.subjects
        )
        return [each for each in found if each is not None]

    def __iter__(self) -> Iterator[Handover]:
        """The handovers under way."""
        return iter(tuple(self._tasks))

    def add(self, reading: Reading, patterns: Iterable[str]) -> None:
        """Follow further patterns."""
        self._readings |= dict.fromkeys(patterns, reading)

    def leave(self, pattern: str) -> None:
        """Follow a pattern no more, and read it no more if nobody else needs that."""
        self._left.append((pattern, self._readings.pop(pattern)))
        for handover in self._tasks:
            handover.backlog.leave(pattern)

    @property
    def any(self) -> Reading:
        """One of those that keep the tail; there has to be one."""
        return next(iter(self._readings.values()))

    def start(self, handover: Handover, running: Coroutine[Any, Any, None]) -> None:
        """Have a handover run until it ends, or is of no use any more."""
        task = self._tasks[handover] = asyncio.create_task(running)
        task.add_done_callback(lambda task: self._done(handover))

    def stop_useless(self, is_of_use: Callable[[Handover], bool]) -> None:
        """End those that are of no use, and let go of what nobody needs."""
        for handover, task in self._tasks.items():
            if not is_of_use(handover):
                task.cancel()
        self._let_go()

    def end(self) -> None:
        """Let go of everything. Idempotent."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()
        self._left += self._readings.items()
        self._readings.clear()
        self._let_go()

    def _done(self, handover: Handover) -> None:
        """Take note that one has ended, maybe before it began."""
        self._tasks.pop(handover, None)
        self._let_go()

    def _let_go(self) -> None:
        """Give up what was left, once nothing is read: a replay needs the tail on all it reads."""
        if not self._tasks:
            for pattern, reading in self._left:
                reading.leave(pattern)
            self._left.clear()
