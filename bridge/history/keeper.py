"""Keeps a tail alive: one consumer on its stream, whatever happens to it.

Another one begins behind the last message that was handed on, for all filters there have to be.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from bridge.history.consumer import PushConsumer
from bridge.history.errors import HistoryError, is_passing
from bridge.history.leader import Leader
from bridge.history.times import Times
from bridge.history.troubles import Troubles
from bridge.wire.subjects import contains

if TYPE_CHECKING:
    from bridge.history.js_api import JetStream
    from bridge.history.stored import Stored
    from bridge.history.tail import Tail

TOGETHER_SECONDS = 0.02
"""Changes of the filter within it are made at once."""
MIN_WAIT_SECONDS, MAX_WAIT_SECONDS = 0.1, 5.0
"""Between tries to begin again."""


class Keeper:
    """Sees to it that a tail has the messages of the patterns that are included."""

    def __init__(
        self, js: JetStream, tail: Tail, *, prefix: str = "nats_bridge", times: Times | None = None
    ) -> None:
        self.tail = tail
        self.begun = 0
        """How many consumers there have been."""
        self.is_gone = False
        """Whether the stream was deleted."""
        self._js = js
        self._prefix = prefix
        self._times = times or Times()
        self._leader = Leader(js, tail, self._times)
        self._troubles = Troubles(js, tail.stream)
        self._consumer: PushConsumer | None = None
        self._next: PushConsumer | None = None
        """One that is being made."""
        self._due, self._asked = asyncio.Event(), asyncio.Event()
        """Set when another consumer is needed; when somebody new waits for one."""
        self._waiting: set[asyncio.Future[None]] = set()
        """Those who wait for a consumer that has their patterns."""
        self._ending: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None

    async def include(self, patterns: Iterable[str]) -> None:
        """Return once the consumer brings these patterns. Raises HistoryError if it cannot.

        It waits for as long as nobody answers. Each call needs one of `exclude`, also if it raises.
        """
        patterns = list(patterns)
        self.tail.filters.add(patterns)
        if self._task is None:
            self._task = asyncio.create_task(self._keep())
        while not self._brings(patterns):
            self._due.set()
            self._asked.set()
            waiting = asyncio.get_running_loop().create_future()
            self._waiting.add(waiting)
            try:
                await waiting
            finally:
                self._waiting.discard(waiting)

    def exclude(self, patterns: Iterable[str]) -> None:
        """Take patterns back; the consumer brings them for some seconds yet.

        Whoever comes and goes would cost a consumer each time, and a look at all that is wanted.
        """
        self.tail.filters.remove(patterns)

    def renew(self) -> None:
        """Make another consumer: the one there is may be gone."""
        if self._consumer is not None:
            self._due.set()

    async def close(self) -> None:
        """End the consumer. Idempotent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None
        self._end(self._consumer)
        self._consumer = None
        if self._ending:
            await asyncio.wait(self._ending)

    # What the consumers bring

    def deliver(self, consumer: PushConsumer, messages: Sequence[Stored]) -> None:
        """Take messages of a consumer."""
        if consumer is self._next:
            self._promote(consumer)
        if consumer is self._consumer:
            self.tail.deliver(messages)

    def reach(self, consumer: PushConsumer, sequence: int) -> None:
        """Take note of how far a consumer is."""
        if consumer is self._consumer:
            self.tail.reach(sequence)

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
        """Tell whether the consumer brings these, and one that is being made will."""
        if self._consumer is None or not all(map(self.tail.filters.has, patterns)):
            return False
        coming = None if self._next is None else self._next.filters
        return coming is None or all(
            any(contains(each, pattern) for each in coming) for pattern in patterns
        )

    async def _keep(self) -> None:
        wait = MIN_WAIT_SECONDS
        while not self.is_gone:
            try:
                await self._until_due()
                await asyncio.sleep(TOGETHER_SECONDS)
                self._due.clear()
                await self._begin()
                wait = MIN_WAIT_SECONDS
            except Exception as failure:
                self._due.set()
                if isinstance(failure, HistoryError):
                    self._failed(failure, is_long=wait >= MAX_WAIT_SECONDS)
                else:
                    self._troubles.broken(failure)
                await self._until_asked(wait * random.uniform(0.5, 1))  # noqa: S311
                wait = min(2 * wait, MAX_WAIT_SECONDS)

    def _failed(self, error: HistoryError, *, is_long: bool) -> None:
        if not is_passing(error):
            self._answer(error)
        if self._leader.is_deleted(error):
            self.is_gone = True
            self._troubles.deleted()
            self.tail.end()
        elif is_long:
            self._troubles.failed(error)

    async def _until_asked(self, seconds: float) -> None:
        """Return after that time, or earlier: who comes meanwhile wants to know at once."""
        self._asked.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._asked.wait()

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
            if self._consumer is not None and self.tail.filters.are_due():
                return

    async def _begin(self) -> None:
        """Make a consumer behind the position, and have it take over. Raises HistoryError."""
        position = self.tail.position
        info = await self._leader.info()
        self._leader.check(info, position)
        self._troubles.lost(self.tail.compare(info, position))
        filters = self.tail.filters.wanted()
        if not filters:
            self._end(self._consumer)
            self._consumer = None
            return
        consumer = self._next = PushConsumer(
            self._js, self.tail.stream, filters, self, self._prefix
        )
        try:
            await consumer.begin(self.tail.position + 1, self._times.heartbeat)
            if consumer is self._next:
                self._promote(consumer)
        finally:
            self._next = None
            if consumer is not self._consumer:
                self._end(consumer)
        # In a stream that was made again in between, it may wait for messages of long ago.
        if (await self._leader.info()).epoch != self.tail.epoch:
            self.broken(consumer)

    def _promote(self, consumer: PushConsumer) -> None:
        """Have a consumer take over from the one before, at the position of this moment.

        What it begins with and that one has brought already is passed over. Of a new pattern, that
        is lost to the ring, which therefore covers it from this position on.
        """
        before, self._consumer, self._next = self._consumer, consumer, None
        self.begun += 1
        self.tail.bring(consumer.filters)
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
