"""What one connection reads of one stream."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bridge.history.keeper import Keeper
    from bridge.history.latest import Latest
    from bridge.history.replay import Replay, Sink
    from bridge.history.starts import Start
    from bridge.history.tail import Tail
    from bridge.history.tails import Tails


class Reading:
    """Patterns of one stream that are read for one connection, until it has left each of them."""

    def __init__(
        self,
        keeper: Keeper,
        patterns: Sequence[str],
        start: Start,
        latest: Latest | None,
        subjects: tuple[str, ...],
        open_: Opening,
    ) -> None:
        self.keeper = keeper
        self.start = start
        """Where it begins; with `LastPerSubject` that is found on the way."""
        self.subjects = subjects
        """What the stream stores; none of a mirror."""
        self.has_latest = latest is not None
        """Whether the latest messages come first, which are of any age."""
        self._patterns = set(patterns)
        self._latest = latest
        self._open = open_

    def replay(self, sink: Sink) -> Replay:
        """Return what brings what was asked for; once."""
        latest, self._latest = self._latest, None
        tail = self.keeper.tail
        return self._open.replay(tail, self.start.after, sink, tail.position, latest)

    def replay_from(self, starts: Mapping[str, int], sink: Sink) -> Replay:
        """Return what brings patterns of this stream, each after its sequence."""
        return self._open.replay(self.keeper.tail, starts, sink, min(starts.values()))

    async def settle(self, seconds: float) -> None:
        """Return once the tail has brought all that was stored that long after now, or soon after.

        It cannot know in general: what comes last may match none of its filters.
        """
        await asyncio.sleep(seconds)
        await self._open.reach_leader(self.keeper.tail)

    def leave(self, pattern: str) -> None:
        """Give up a pattern. Idempotent."""
        if pattern in self._patterns:
            self._patterns.remove(pattern)
            self.keeper.exclude([pattern])
            if not self._patterns:
                self._open.tails.leave(self.keeper)

    def end(self) -> None:
        """Give up all patterns. Idempotent."""
        for pattern in tuple(self._patterns):
            self.leave(pattern)


class Opening(Protocol):
    """What a reading needs of the history."""

    tails: Tails

    def replay(
        self,
        tail: Tail,
        starts: Mapping[str, int],
        sink: Sink,
        limited_at: int,
        latest: Latest | None = None,
    ) -> Replay: ...

    async def reach_leader(self, tail: Tail) -> None: ...
