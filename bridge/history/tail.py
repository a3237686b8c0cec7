"""The one consumer of a stream: all new messages under the patterns followed, each once, in order.

Whatever happens to the consumer, another one begins behind the last message that was handed on.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from bridge.history.consumer import PushConsumer
from bridge.history.errors import NO_STREAM, ApiError, HistoryError, UnansweredError, is_passing
from bridge.history.filters import Filters
from bridge.history.ring import Ring
from bridge.history.streams import StreamInfo, ask_info

if TYPE_CHECKING:
    from bridge.history.js_api import JetStream
    from bridge.history.stored import Stored

TOGETHER_SECONDS = 0.02
"""Changes of the filters within it are made at once."""
INFO_TIMEOUT_SECONDS = 2.0
MIN_WAIT_SECONDS, MAX_WAIT_SECONDS = 0.1, 5.0
"""Between tries to begin again."""

Loss = Literal["expired", "stream_new", "ahead"]
"""Why messages will not come."""


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds by which a tail lives."""

    heartbeat: float = 2.0
    silence: float = 5.0
    """Without a word of the server, after which the consumer is taken for gone."""
    gone: float = 10.0
    """Of a stream that is not there, after which it is taken for deleted."""
    behind: float = 1.0
    """Of a leader that has less than was delivered, after which that is what there is."""


class Listener(Protocol):
    """Who gets what a tail brings. It never waits and never raises."""

    def take(self, message: Stored) -> None:
        """Take the next message; it may match no pattern of this listener."""

    def missed(self, after: int, until: int, reason: Loss) -> None:
        """Take note that the messages between will not come."""

    def skipped(self, after: int, until: int) -> None:
        """Take note that those between do not come by the tail, and have to be read."""

    def gone(self) -> None:
        """Take note that the stream was deleted."""


class Tail:
    """Hands on each new message of one stream, and keeps the newest in `ring`.

    `position`: all up to it that the filters match has been handed on. `leader_last`: the leader
    is known to have all up to it.
    """

    def __init__(
        self,
        js: JetStream,
        info: StreamInfo,
        *,
        prefix: str = "nats_bridge",
        max_replay: int = 10000,
        times: Times | None = None,
        ring: Ring | None = None,
    ) -> None:
        self.js = js
        self.stream = info.name
        self.epoch = info.epoch
        self.position = self.leader_last = info.last
        self.ring = Ring(info.last) if ring is None else ring
        self.begun = 0
        """How many consumers there have been."""
        self.is_gone = False
        self.listeners: dict[Listener, None] = {}
        self._prefix = prefix
        self._max_replay = max_replay
        self._times = times or Times()
        self._filters = Filters()
        self._consumer: PushConsumer | None = None
        self._next: PushConsumer | None = None
        """One that is being made."""
        self._due = asyncio.Event()
        """Set when another consumer is needed."""
        self._waiting: set[asyncio.Future[None]] = set()
        """Those who wait for a consumer that has their patterns."""
        self._missing_since = self._behind_since = float("inf")
        self._ending: set[asyncio.Task[None]] = set()
        self._keeper: asyncio.Task[None] | None = None

    # Who follows what

    async def include(self, patterns: Iterable[str]) -> None:
        """Return once the consumer brings these patterns. Raises HistoryError if it cannot.

        It waits for as long as nobody answers. Each call needs one of `exclude`, also if it raises.
        """
        patterns = list(patterns)
        self._filters.add(patterns)
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep())
        while not self._brings(patterns):
            self._due.set()
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.add(waiting)
            try:
                await waiting
            finally:
                self._waiting.discard(waiting)

    def exclude(self, patterns: Iterable[str]) -> None:
        """Take patterns back; the consumer may bring them a little longer."""
        self._filters.remove(patterns)
        if self._consumer is not None and self._filters.are_due():
            self._due.set()

    def covered(self, pattern: str) -> int:
        """Return the sequence after which the ring has all that matches an included pattern."""
        return max(self.ring.first, self._filters.since(pattern))

    def renew(self) -> None:
        """Make another consumer, since the one there is may be gone: after a reconnect, say."""
        if self._consumer is not None:
            self._due.set()

    async def close(self) -> None:
        """End the consumer. Idempotent."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait({self._keeper})
            self._keeper = None
        self._end(self._consumer)
        self._consumer = None
        if self._ending:
            await asyncio.wait(self._ending)

    # What the consumer brings

    def deliver(self, consumer: PushConsumer, message: Stored) -> None:
        """Hand on a message, unless it has been handed on before."""
        if consumer is self._next:
            self._promote(consumer)
        if consumer is not self._consumer or message.sequence <= self.position:
            return
        self.position = message.sequence
        self.ring.add(message)
        for listener in tuple(self.listeners):
            listener.take(message)

    def reach(self, consumer: PushConsumer, sequence: int) -> None:
        """Move the position over messages that no filter matches."""
        if consumer is self._consumer:
            self.position = max(self.position, sequence)

    def broken(self, consumer: PushConsumer) -> None:
        """Begin again behind the position."""
        if consumer is self._consumer:
            self._consumer = None
            self._end(consumer)
            self._due.set()
        elif consumer is self._next:
            self._next = None
            self._due.set()

    # The life of consumers

    def _brings(self, patterns: Iterable[str]) -> bool:
        return self._consumer is not None and all(map(self._filters.has, patterns))

    async def _keep(self) -> None:
        wait = MIN_WAIT_SECONDS
        while not self.is_gone:
            await self._until_due()
            await asyncio.sleep(TOGETHER_SECONDS)
            self._due.clear()
            try:
                await self._begin()
            except HistoryError as error:
                self._due.set()
                if not is_passing(error):
                    self._answer(error)
                self._look_for(error)
                await asyncio.sleep(wait * random.uniform(0.5, 1))  # noqa: S311  not a secret
                wait = min(2 * wait, MAX_WAIT_SECONDS)
            else:
                wait = MIN_WAIT_SECONDS

    async def _until_due(self) -> None:
        """Return when another consumer is needed: somebody says so, or this one says nothing."""
        loop = asyncio.get_running_loop()
        while not self._due.is_set():
            left = None
            if self._consumer is not None:
                left = self._consumer.heard_at + self._times.silence - loop.time()
                if left <= 0:
                    return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._due.wait()

    async def _begin(self) -> None:
        """Make a consumer behind the position, and have it take over. Raises HistoryError."""
        self._compare(await self._info())
        filters = self._filters.wanted()
        if not filters:
            self._end(self._consumer)
            self._consumer = None
            return
        consumer = self._next = PushConsumer(self.js, self.stream, filters, self, self._prefix)
        try:
            await consumer.begin(self.position + 1, self._times.heartbeat)
            if consumer is self._next:
                self._promote(consumer)
        finally:
            self._next = None
            if consumer is not self._consumer:
                self._end(consumer)
        # In a stream that was made again in between, it may wait for messages of long ago.
        if (await self._info()).epoch != self.epoch:
            self.broken(consumer)

    def _promote(self, consumer: PushConsumer) -> None:
        """Have a consumer take over from the one before, at the position of this moment.

        What it begins with and that one has brought already is passed over. Of a new pattern, that
        is lost to the ring, which therefore covers it from this position on.
        """
        before, self._consumer, self._next = self._consumer, consumer, None
        self.begun += 1
        self._filters.bring(consumer.filters, self.position)
        self._end(before)
        self._answer(None)

    def _answer(self, error: HistoryError | None) -> None:
        for each in tuple(self._waiting):
            if not each.done():
                each.set_result(None) if error is None else each.set_exception(error)

    def _end(self, consumer: PushConsumer | None) -> None:
        if consumer is not None:
            task = asyncio.create_task(consumer.end())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    # What the leader says

    async def _info(self) -> StreamInfo:
        info = await ask_info(self.js, self.stream, INFO_TIMEOUT_SECONDS)
        self._missing_since = float("inf")
        return info

    def _compare(self, info: StreamInfo) -> None:
        """Compare the position with what the stream is now, and tell what will not come."""
        if info.epoch == self.epoch and info.last < self.position:
            self._wait_for_leader()
            self._lose(info.last, "ahead")
        self._behind_since = float("inf")
        self.leader_last = info.last
        if info.epoch != self.epoch:
            self.epoch = info.epoch
            self._lose(info.first - 1, "stream_new")
        elif info.first > self.position + 1:
            self._lose(info.first - 1, "expired")
        if info.last - self.position > self._max_replay:
            before, self.position = self.position, info.last
            self._restart()
            for listener in tuple(self.listeners):
                listener.skipped(before, info.last)

    def _wait_for_leader(self) -> None:
        """Raise UnansweredError, unless the leader has had too little for long: it may be new."""
        now = asyncio.get_running_loop().time()
        self._behind_since = min(self._behind_since, now)
        if now - self._behind_since < self._times.behind:
            raise UnansweredError(f"the leader of {self.stream!r} has less than was delivered")

    def _lose(self, position: int, reason: Loss) -> None:
        before, self.position = self.position, position
        self._restart()
        for listener in tuple(self.listeners):
            listener.missed(before, position, reason)

    def _restart(self) -> None:
        self.ring.begin_at(self.position)
        self._filters.restart(self.position)

    def _look_for(self, error: HistoryError) -> None:
        """Take a stream that is not there for long as deleted."""
        if not (isinstance(error, ApiError) and error.number == NO_STREAM):
            return
        now = asyncio.get_running_loop().time()
        self._missing_since = min(self._missing_since, now)
        if now - self._missing_since >= self._times.gone:
            self.is_gone = True
            for listener in tuple(self.listeners):
                listener.gone()
