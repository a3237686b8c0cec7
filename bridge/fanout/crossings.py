"""Which followed patterns overlap, and when the copies that they bring have settled.

A pattern is *watched* while some member follows it beside another one that overlaps it. It has
*settled* once all copies of what was under way when the watch began have come: from then on it is
known of each message by which patterns it has come and by which it has not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from bridge.fanout.copies import Copies
from bridge.wire.pattern_tree import PatternTree

SETTLE_SECONDS = 0.1
"""The NATS server hands a message on to all subscriptions within this time of the first."""
MAX_TRIES = 10
"""How often settling starts over because messages that look the same keep coming."""


class Watched(Protocol):
    """A feed, as far as it is watched."""

    pattern: str
    is_watched: bool


class _Watch:
    __slots__ = ("began", "count", "feed", "since", "to_come", "tries")

    def __init__(self) -> None:
        self.feed: Watched | None = None
        """None once nobody asks for it any more: copies that had come by it are still known."""
        self.count = 0
        self.since: float | None = 0.0
        """When the watch began, or ended; later, when the first half was over; None in the end."""
        self.to_come = 0
        """Halves of settling."""
        self.began = 0.0
        self.tries = 0

    def begin(self, feed: Watched | None, now: float) -> None:
        """Watch `feed` from now on; None: no longer.

        In the first half, the copies of messages that were already under way arrive; their notes
        are incomplete. In the second, those notes expire.
        """
        self.feed, self.tries = feed, 0
        self.try_again(now)

    def try_again(self, now: float) -> None:
        """Begin to settle once more."""
        self.tries += 1
        self.since = self.began = now
        self.to_come = 2

    def pass_half(self, until: float, now: float) -> bool:
        """Take note that what was under way at `until` has come; tell whether this is the end."""
        if self.since is None or self.since > until:
            return False
        self.to_come -= 1
        self.since = now
        return not self.to_come


class Crossings:
    """The watched patterns of a gateway and the copies under way between them.

    `round_trip` returns, with True, once all has come that the server had sent before. `settled` is
    called with a time, when all that was under way then has come; it returns True while something
    has not settled yet.
    """

    def __init__(
        self, round_trip: Callable[[], Awaitable[bool]], settled: Callable[[float], bool]
    ) -> None:
        self.copies = Copies(lambda: self.now(), self.run)
        self._round_trip = round_trip
        self._settled = settled
        self.version = 0
        """Changes whenever `patterns_of` may."""
        self._watched: dict[str, _Watch] = {}
        self._tree = PatternTree()
        self._new: dict[str, None] = {}
        """Those that are yet to come into the tree: once a message asks for it."""
        self._task: asyncio.Task[None] | None = None
        self._is_stopped = False

    @staticmethod
    def now() -> float:
        """Return the time by which settling is measured."""
        return asyncio.get_running_loop().time()

    def watch(self, feeds: Iterable[Watched]) -> None:
        """Watch feeds; as often as one is asked for, `unwatch` has to be called."""
        now, version = self.now(), self.version
        for feed in feeds:
            watch = self._watched.get(feed.pattern)
            if watch is None:
                watch = self._watched[feed.pattern] = _Watch()
                self._new[feed.pattern] = None
            watch.count += 1
            if watch.feed is None:
                watch.begin(feed, now)
                feed.is_watched = True
                self.version += 1
        if self.version != version:
            self.copies.watch_repeats(on=True)
            self.run()

    def unwatch(self, patterns: Iterable[str]) -> None:
        """Take back one `watch` of each."""
        now, gone = self.now(), set[str]()
        for pattern in patterns:
            watch = self._watched[pattern]
            watch.count -= 1
            if not watch.count and watch.feed is not None:
                watch.feed.is_watched = False
                watch.begin(None, now)
                gone.add(pattern)
        if gone:
            self.version += 1
            self.copies.forget(gone)
            self.run()

    def has_settled(self, pattern: str) -> bool:
        """Tell whether a watched pattern has settled."""
        return self._watched[pattern].since is None

    def patterns_of(self, subject: str) -> frozenset[str] | None:
        """Return the watched patterns that bring `subject`; None if copies need not be counted."""
        for pattern in self._new:
            self._tree.add(pattern)
        self._new.clear()
        patterns = self._tree.matching(subject)
        if len(patterns) < 2:
            return None
        return frozenset(each for each in patterns if self._watched[each].feed is not None)

    def begin_anew(self) -> None:
        """Expect nothing that was under way, since the connection to NATS is another one."""
        self.copies.clear()
        for watch in self._watched.values():
            watch.begin(watch.feed, self.now())
        if self._watched:
            self.copies.watch_repeats(on=True)
            self.run()

    def run(self) -> None:
        """Call `settled` once everything under way now has come."""
        if self._task is None and not self._is_stopped:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """Tell of nothing more. Idempotent."""
        self._is_stopped = True
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        is_more = True
        try:
            while is_more:
                begun = self.now()
                await asyncio.sleep(SETTLE_SECONDS)
                if await self._round_trip():
                    is_more = self._settle(begun)
        finally:
            self._task = None

    def _settle(self, until: float) -> bool:
        """All that was under way at that time has come; return True while there is more to come."""
        self.copies.prune(until)
        now = self.now()
        for pattern, watch in tuple(self._watched.items()):
            if watch.pass_half(until, now):
                self._end(pattern, watch)
        is_more = self._settled(until)
        unsettled = any(each.since for each in self._watched.values())
        self.copies.watch_repeats(on=unsettled)
        return is_more or unsettled or bool(self.copies)

    def _end(self, pattern: str, watch: _Watch) -> None:
        if watch.feed is None:
            self.version += 1
            if pattern in self._new:
                del self._new[pattern]
            else:
                self._tree.discard(pattern)
            del self._watched[pattern]
        elif watch.tries < MAX_TRIES and self.copies.has_repeated(pattern, watch.began):
            # A copy left over from before would be taken for one of a message that looks the same.
            watch.try_again(self.now())
        else:
            watch.since = None
