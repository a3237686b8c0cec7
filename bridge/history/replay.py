"""From what is stored to what is live, for one connection and one stream.

Pages are read until the ring covers the rest. Then the ring is handed on and the tail takes over,
in one turn of the event loop: nothing is lost between them, and nothing comes twice.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, Protocol

from bridge.history.errors import HistoryError

if TYPE_CHECKING:
    from bridge.history.latest import Latest
    from bridge.history.pages import Pages
    from bridge.history.stored import Stored
    from bridge.history.tail import Loss, Tail


class StreamGoneError(HistoryError):
    """The stream was deleted."""


class Sink(Protocol):
    """Where a replay goes. It gets all that matches: what may be shown is for it to say."""

    async def room(self) -> None:
        """Return once there is room for a page."""

    def replayed(self, messages: list[Stored]) -> None:
        """Take stored messages, in order."""

    def joined(self, messages: list[Stored], position: int) -> None:
        """Take the last of them; from now on the tail brings what comes after `position`."""

    def missed(self, after: int, until: int, reason: Loss) -> None:
        """Take note that the messages between will not come."""


class Limit(NamedTuple):
    """How far behind a replay may fall: looked at whenever `messages` came after sequence `at`.

    `newest` returns where the newest so many `messages` begin, by pattern; None if there are no
    more than that after a sequence.
    """

    messages: int
    at: int
    newest: Callable[[int], Awaitable[dict[str, int] | None]]


class Reader:
    """One pattern of a replay: what has been read of it and not yet handed on."""

    def __init__(self, pattern: str, after: int) -> None:
        self.pattern = pattern
        self.start = after
        self.read: deque[Stored] = deque()
        self.until = after
        """All up to it has been read."""

    def restart(self, after: int) -> None:
        """Forget what was read."""
        self.read.clear()
        self.start = self.until = after

    def take_until(self, sequence: int) -> list[Stored]:
        """Return what was read up to `sequence`, and forget it."""
        taken = []
        while self.read and self.read[0].sequence <= sequence:
            taken.append(self.read.popleft())
        return taken


class Replay:
    """Reads the patterns of `starts`, each after its sequence, into `sink`.

    With `latest`, that comes first, and the rest begins where it ends. The tail has to include
    these patterns for as long as it runs. `cursor`: all up to it has been handed on.
    """

    def __init__(
        self,
        tail: Tail,
        pages: Pages,
        starts: Mapping[str, int],
        sink: Sink,
        latest: Latest | None = None,
        limit: Limit | None = None,
    ) -> None:
        self.cursor = min(starts.values())
        self._tail = tail
        self._pages = pages
        self._readers = [Reader(*start) for start in starts.items()]
        self._sink = sink
        self._is_gone = False
        self._latest = latest
        self._limit = limit
        self._limited_at = 0 if limit is None else limit.at

    def starts(self) -> dict[str, int]:
        """Return after which sequence all of a pattern has been handed on, or will be."""
        return {each.pattern: each.start for each in self._readers}

    async def run(self) -> None:
        """Return once the tail has taken over. Raises HistoryError; `run` may be called again."""
        self._tail.listeners[self] = None
        try:
            await self._show_latest()
            while not self._is_covered():
                if self._tail.position < self._start:
                    await self._tail.reached(self._start)
                    continue
                await self._sink.room()
                await self._cut()
                for reader in self._readers:
                    if reader.until <= self.cursor:
                        await self._fill(reader)
                self._hand_on()
        finally:
            del self._tail.listeners[self]
        self._join()

    async def _show_latest(self) -> None:
        """Hand on the latest messages, and go on behind them; once."""
        if self._latest is None:
            return
        async with aclosing(self._latest.pages()) as pages:
            async for page in pages:
                await self._sink.room()
                self._sink.replayed(page)
        self.cursor = self._latest.until
        self._latest = None
        for reader in self._readers:
            reader.restart(self.cursor)

    async def _cut(self) -> None:
        """Give up what is too far behind by now, for somebody who reads slower than it comes."""
        position = self._tail.position
        if self._limit is None or position - self._limited_at <= self._limit.messages:
            return
        self._limited_at = position
        after = await self._limit.newest(self.cursor)
        if after is not None:
            self._sink.missed(self.cursor, min(after.values()), "too_many")
            self.cursor = min(after.values())
            for reader in self._readers:
                reader.restart(after[reader.pattern])

    def _is_covered(self) -> bool:
        if self._is_gone:
            raise StreamGoneError(f"{self._tail.stream!r} was deleted")
        if self._tail.position < self._start:
            return False
        return all(self.cursor >= self._tail.covered(each.pattern) for each in self._readers)

    @property
    def _start(self) -> int:
        """Up to it nothing may come: another gateway has brought it, which may be further on."""
        return max(each.start for each in self._readers)

    async def _fill(self, reader: Reader) -> None:
        """Read on in one pattern; from the ring, if that has the rest."""
        tail = self._tail
        if reader.until >= tail.covered(reader.pattern):
            reader.read.extend(tail.ring.matching(reader.pattern, reader.until))
            reader.until = max(reader.until, tail.position)
            return
        epoch, after = tail.epoch, reader.until
        page = await self._pages.read(tail, reader.pattern, after, len(self._readers))
        if tail.epoch == epoch and reader.until == after:
            if page.gone_until > after:
                self._sink.missed(after, page.gone_until, "expired")
            reader.read.extend(page.messages)
            reader.until = page.until

    def _hand_on(self) -> None:
        """Hand on what is complete in all patterns; nothing that the tail has yet to bring."""
        until = min(self._tail.position, *(each.until for each in self._readers))
        self.cursor = max(self.cursor, until)
        parts = [each.take_until(until) for each in self._readers]
        messages = _together(parts)
        if messages:
            self._sink.replayed(messages)

    def _join(self) -> None:
        newer = [
            self._tail.ring.matching(each.pattern, max(self.cursor, each.start))
            for each in self._readers
        ]
        self.cursor = self._tail.position
        self._sink.joined(_together(newer), self.cursor)

    # What the tail has to tell meanwhile

    def skipped(self, after: int, until: int) -> None:
        """Pass over what the ring lacks: it is read."""

    def missed(self, after: int, until: int, reason: Loss) -> None:
        """Go on in what the stream is now."""
        if reason == "expired":
            return  # the pages show what is left
        if reason == "stream_new" or self.cursor > until:
            self._sink.missed(self.cursor, until, reason)
            self.cursor = until
        for reader in self._readers:
            reader.restart(min(until, max(reader.start, self.cursor)))

    def gone(self) -> None:
        """End, since the stream was deleted."""
        self._is_gone = True


def _together(parts: list[list[Stored]]) -> list[Stored]:
    """Return the messages of all parts in order, each once."""
    if len(parts) == 1:
        return parts[0]
    messages = list(heapq.merge(*parts))
    once = messages[:1]
    once += [b for a, b in pairwise(messages) if a.sequence != b.sequence]
    return once
