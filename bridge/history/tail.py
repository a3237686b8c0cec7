"""What all who follow a stream share: how far its messages have come, and who gets them."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from bridge.history.filters import Filters
from bridge.history.ring import Ring

if TYPE_CHECKING:
    from bridge.history.stored import Stored
    from bridge.history.streams import StreamInfo

Loss = Literal["expired", "stream_new", "ahead", "too_many"]
"""Why messages will not come."""


class Listener(Protocol):
    """Who is told what a tail does not bring. It never waits and never raises."""

    def missed(self, after: int, until: int, reason: Loss) -> None:
        """Take note that the messages between will not come."""

    def skipped(self, after: int, until: int) -> None:
        """Take note that those between do not come by the tail, and have to be read."""

    def gone(self) -> None:
        """Take note that the stream was deleted."""


class Taker(Listener, Protocol):
    """Who gets what a tail brings, too."""

    def take(self, messages: Sequence[Stored]) -> None:
        """Take the next messages, at least one; some may match no pattern of this one."""


class Tail:
    """The new messages of one stream under some patterns, each once, in order.

    `position`: all up to it that the filters match has been handed on. `leader_last`: the leader
    is known to have all up to it. `ring` has the newest.
    """

    def __init__(
        self, info: StreamInfo, *, max_replay: int = 10000, ring: Ring | None = None
    ) -> None:
        self.stream = info.name
        self.epoch = info.epoch
        self.position = self.leader_last = info.last
        self.ring = Ring(info.last) if ring is None else ring
        self.filters = Filters()
        self.listeners: dict[Listener, None] = {}
        self.takers: dict[Taker, None] = {}
        """Those of the listeners who get messages: not the replays, of which there may be many."""
        self._max_replay = max_replay
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        """Those who wait for a position; the first to be reached is at the front."""
        self._numbers = itertools.count()

    def covered(self, pattern: str) -> int:
        """Return the sequence after which the ring has all that matches a pattern it includes."""
        return max(self.ring.first, self.filters.since(pattern))

    def deliver(self, messages: Sequence[Stored]) -> None:
        """Hand on what a consumer has brought, but for what was handed on before."""
        if messages[0].sequence <= self.position:
            messages = [each for each in messages if each.sequence > self.position]
            if not messages:
                return
        self.position = messages[-1].sequence
        self.ring.add(messages)
        for taker in tuple(self.takers):
            taker.take(messages)
        if self._waiting:
            self._wake()

    def listen(self, taker: Taker) -> None:
        """Have somebody get what comes from now on."""
        self.listeners[taker] = self.takers[taker] = None

    def unlisten(self, taker: Taker) -> None:
        """Undo that. Idempotent."""
        self.listeners.pop(taker, None)
        self.takers.pop(taker, None)

    def reach(self, sequence: int) -> None:
        """Move the position over messages that no filter matches."""
        self.position = max(self.position, sequence)
        if self._waiting:
            self._wake()

    async def reached(self, sequence: int) -> None:
        """Return once the position is at `sequence` or behind it, or has gone back."""
        if self.position < sequence:
            future = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (sequence, next(self._numbers), future))
            await future

    def _wake(self, *, everybody: bool = False) -> None:
        while self._waiting and (everybody or self._waiting[0][0] <= self.position):
            future = heapq.heappop(self._waiting)[2]
            if not future.done():
                future.set_result(None)

    def bring(self, filters: tuple[str, ...]) -> None:
        """Take note that another consumer takes over with these filters, at this position."""
        self.filters.bring(filters, self.position)

    def is_ahead_of(self, info: StreamInfo, position: int) -> bool:
        """Tell whether the stream had less than was handed on when it was asked, at `position`."""
        return info.epoch == self.epoch and info.last < position

    def compare(self, info: StreamInfo, position: int) -> Loss | None:
        """Compare with what the stream was when it was asked; tell what will not come, and why."""
        self.leader_last, why = info.last, self._loss(info, position)
        self.epoch = info.epoch
        if why is not None:
            self._lose(info.last if why == "ahead" else info.first - 1, why)
        if info.last - self.position > self._max_replay:
            before = self.position
            self._restart(info.last)
            for listener in tuple(self.listeners):
                listener.skipped(before, info.last)
        return why

    def _loss(self, info: StreamInfo, position: int) -> Loss | None:
        if info.epoch != self.epoch:
            return "stream_new"
        if self.is_ahead_of(info, position):
            return "ahead"
        return "expired" if info.first > self.position + 1 else None

    def end(self) -> None:
        """Tell everybody that the stream was deleted."""
        for listener in tuple(self.listeners):
            listener.gone()
        self._wake(everybody=True)

    def _lose(self, position: int, reason: Loss) -> None:
        before = self.position
        self._restart(position)
        for listener in tuple(self.listeners):
            listener.missed(before, position, reason)

    def _restart(self, position: int) -> None:
        self.position = position
        self.ring.begin_at(position)
        self.filters.restart(position)
        self._wake(everybody=True)
