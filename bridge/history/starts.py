"""Where a replay begins: what somebody wants of the past, as a sequence for each pattern."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Literal

from bridge.history.errors import UnansweredError
from bridge.history.newest import Count, newest
from bridge.wire.wishes import After, All, FromSequence, Last, New, Place, Since

if TYPE_CHECKING:
    from bridge.history.pages import Pages
    from bridge.history.streams import StreamInfo
    from bridge.history.tail import Tail

Turn = Callable[[], Awaitable[None]]
"""Returns when JetStream may be asked again."""
Reason = Literal["expired", "too_many", "stream_new", "ahead", "unknown"]
"""Why not all comes that was asked for."""
BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
"""Before anything was stored."""
STALE_WAITS = (0.005, 0.02, 0.08, 0.5)
"""Seconds before a replica that lacks something is asked again."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where it begins: for each pattern the sequence after which messages come."""

    after: dict[str, int]
    messages: int = 0
    """About how many the replay has; of a resume, at most."""
    reason: Reason | None = None


async def _at_once() -> None:
    """Let whoever nobody waits for ask as often as it likes."""


class Starts:
    """Finds where replays begin. The tail has to include the patterns already."""

    def __init__(self, pages: Pages, *, max_replay: int = 10000) -> None:
        self._pages = pages
        self._max_replay = max_replay

    async def find(
        self,
        tail: Tail,
        patterns: Sequence[str],
        wish: Place,
        turn: Turn = _at_once,
    ) -> Start:
        """Return where a replay of these patterns begins; a resume has a cursor of this stream.

        Raises HistoryError. `turn` is awaited before each request that counts: there may be many.
        """
        if isinstance(wish, New):
            return Start(dict.fromkeys(patterns, tail.position))
        known = None
        if isinstance(wish, After):
            near = _near(tail, patterns, wish)
            if near is not None and near.messages <= self._max_replay:
                return near
            known = self._known(tail, wish)
        info = known or await self._pages.info(tail)
        if isinstance(wish, Last):
            wanted = min(wish.count, self._max_replay)
            return await self._newest(tail, patterns, wanted, info.first - 1, info.last, turn)
        after, reason = await self._place(tail, info, wish)
        total = max(max(info.last, tail.position) - after, 0)
        if not isinstance(wish, After) or total > self._max_replay:
            total = 0
            for each in patterns:
                total += (await self._count(tail, each, turn, after + 1)).messages
        if total > self._max_replay:
            share = self._max_replay // len(patterns)
            start = await self._newest(tail, patterns, share, after, info.last, turn)
            return replace(start, reason="too_many")
        return Start(dict.fromkeys(patterns, after), total, reason)

    def _known(self, tail: Tail, wish: After) -> StreamInfo | None:
        """Return what was said of the stream before, if that is enough for a resume.

        What goes since then, the replay tells. Where messages have to be counted it is not.
        """
        info, cursor = self._pages.known(tail), wish.cursor(tail.stream)
        if info is None or cursor is None or cursor.epoch != tail.epoch:
            return None
        is_near = 0 <= tail.position - cursor.sequence <= self._max_replay
        return info if is_near and info.last - cursor.sequence <= self._max_replay else None

    async def _place(
        self, tail: Tail, info: StreamInfo, wish: All | Since | FromSequence | After
    ) -> tuple[int, Reason | None]:
        """Return the sequence after which it would begin, if that were not too much."""
        begin = info.first - 1
        if isinstance(wish, After):
            return _resume(tail, info, wish)
        if isinstance(wish, FromSequence):
            return max(min(wish.sequence - 1, tail.position), begin), None
        if isinstance(wish, Since):
            time = wish.time if isinstance(wish.time, datetime) else info.now - wish.time
            return await self._since(tail, info, time), None
        return begin, None

    async def _since(self, tail: Tail, info: StreamInfo, time: datetime) -> int:
        """Return the sequence before the first message of that time or later, of any subject.

        JetStream counts nanoseconds since 1970 in 64 bits, and takes a time that is beyond that
        for another one.
        """
        for wait in STALE_WAITS:
            if info.last_time < time or info.first > info.last:
                return info.last
            begin = max(time, BEGIN).astimezone(UTC)
            query = {"start_time": begin.isoformat(), "batch": 1}
            messages = (await self._pages.get(tail.stream, query)).messages
            if messages:
                return messages[0].sequence - 1
            await asyncio.sleep(wait)
            info = await self._pages.info(tail)
        raise UnansweredError(f"only stale replicas of {tail.stream!r} answer")

    async def _newest(
        self,
        tail: Tail,
        patterns: Sequence[str],
        wanted: int,
        begin: int,
        end: int,
        turn: Turn,
    ) -> Start:
        """Return the start of the newest `wanted` under each pattern."""
        after_each, total = {}, 0
        for pattern in patterns:
            count_from = partial(self._count, tail, pattern, turn)
            after_each[pattern], found = await newest(count_from, wanted, begin, end)
            total += found
        return Start(after_each, total)

    async def _count(self, tail: Tail, pattern: str, turn: Turn, sequence: int) -> Count:
        await turn()
        query = {"seq": sequence, "batch": 1, "next_by_subj": pattern}
        messages, pending, _ = await self._pages.get(tail.stream, query)
        return Count(pending + 1, messages[0].sequence) if messages else Count(0, sequence)


def _near(tail: Tail, patterns: Sequence[str], wish: After) -> Start | None:
    """Return the start of a resume within the ring: nobody has to be asked."""
    cursor = wish.cursor(tail.stream)
    if cursor is None or cursor.epoch != tail.epoch or cursor.sequence > tail.position:
        return None
    if any(cursor.sequence < tail.covered(each) for each in patterns):
        return None
    newer = [m for each in patterns for m in tail.ring.matching(each, cursor.sequence)]
    count = len({each.sequence for each in newer})
    return Start(dict.fromkeys(patterns, cursor.sequence), count)


def _resume(tail: Tail, info: StreamInfo, wish: After) -> tuple[int, Reason | None]:
    """Return where a resume begins, and why that is not where the cursor is."""
    cursor = wish.cursor(info.name)
    assert cursor is not None
    if cursor.epoch != info.epoch:
        return info.first - 1, "stream_new"
    if cursor.sequence > max(info.last, tail.position):  # the former may be of some seconds ago
        return tail.position, "ahead"
    if cursor.sequence < info.first - 1:
        return info.first - 1, "expired"
    return cursor.sequence, None
