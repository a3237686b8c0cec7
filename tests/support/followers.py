"""Followers of a stream that note all they get, to be compared with what the stream has."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from bridge.history.errors import HistoryError
from bridge.history.keeper import Keeper
from bridge.history.latest import Latest
from bridge.history.pages import Pages
from bridge.history.replay import Replay
from bridge.history.stored import Stored
from bridge.wire.subjects import matches
from tests.support.jetstream import Entry
from tests.support.servers import PATIENCE

NO_FAULTS = ([], [], [], [])


class Follower:
    """Follows patterns of a tail, each after its start, and notes what comes in which way."""

    def __init__(
        self,
        keeper: Keeper,
        pages: Pages,
        starts: Mapping[str, int],
        slow: bool = False,
        latest: bool = False,
    ) -> None:
        self.starts = dict(starts)
        self.got: list[Entry] = []
        self.replayed_count = 0
        self.told: list[Any] = []
        self.position = 0
        self._keeper = keeper
        self._tail = keeper.tail
        self._slow = slow
        self.latest = Latest(pages, keeper.tail, list(starts)) if latest else None
        self._replay = Replay(keeper.tail, pages, starts, self, self.latest)

    async def join(self) -> None:
        """Replay up to what is live."""
        await self._keeper.include(self.starts)
        await self._replay.run()

    async def join_at_last(self) -> None:
        """Do the same through outages: a replay goes on where it was."""
        await self._keeper.include(self.starts)
        async with asyncio.timeout(3 * PATIENCE):
            while True:
                try:
                    return await self._replay.run()
                except HistoryError:
                    await asyncio.sleep(0.1)

    def leave(self) -> None:
        """End what `join` has begun."""
        self._tail.unlisten(self)
        self._keeper.exclude(self.starts)

    def due(self, truth: list[Entry]) -> list[Entry]:
        """Return what it should have got of all that the stream has."""
        return [
            each
            for each in truth
            if any(
                each.sequence > start and matches(pattern, each.subject)
                for pattern, start in self.starts.items()
            )
        ]

    def faults(self, truth: list[Entry]) -> tuple[list[Any], ...]:
        """Return what was lost, what came too much, what came too late, and what it was told.

        Of each the first few: pytest would compare thousands of messages for minutes.
        """
        due, got = self.due(truth), self.got
        wanted, had = set(due), set(got)
        lost = [each for each in due if each not in had]
        extra = [each for each in got if each not in wanted]
        extra += [each for each, count in Counter(got).items() if count > 1]
        late = [two for one, two in pairwise(got) if one.sequence > two.sequence]
        return lost[:5], extra[:5], late[:5], self.told[:5]

    # As a sink

    async def room(self) -> None:
        if self._slow:
            await asyncio.sleep(random.random() * 0.005)

    def replayed(self, messages: list[Stored]) -> None:
        self.replayed_count += len(messages)
        self.got += map(_entry, messages)

    def joined(self, messages: list[Stored], position: int) -> None:
        self.got += map(_entry, messages)
        self.position = position
        self._tail.listen(self)

    # As a sink and as a listener

    def missed(self, after: int, until: int, reason: str) -> None:
        self.told.append((after, until, reason))

    # As a listener

    def take(self, messages: Sequence[Stored]) -> None:
        for message in messages:
            if any(matches(pattern, message.subject) for pattern in self.starts):
                self.got.append(_entry(message))

    def skipped(self, after: int, until: int) -> None:
        self.told.append((after, until, "skipped"))

    def gone(self) -> None:
        self.told.append("gone")


def _entry(message: Stored) -> Entry:
    return Entry(message.sequence, message.subject, message.payload)
