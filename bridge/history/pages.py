"""Reads stored messages, a page at a time, from whichever replica answers.

A replica may be stale. So the end of what it has is no proof; the leader is asked what is next.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from bridge.history.blocks import MAX_BYTES as MAX_BLOCKS_BYTES
from bridge.history.blocks import READ_BYTES, SEQUENCES, Blocks
from bridge.history.errors import NO_MESSAGE, ApiError, NoJetStreamError, UnansweredError
from bridge.history.pulls import Pulls
from bridge.history.streams import StreamInfo, ask_info
from bridge.telemetry import stream_events
from bridge.telemetry.logs import tell

if TYPE_CHECKING:
    from bridge.history.js_api import Batch, JetStream
    from bridge.history.stored import Stored
    from bridge.history.tail import Tail

MAX_READS = 4
"""At a time."""
MAX_MESSAGES = 10000
MAX_BYTES, MIN_BYTES = 524288, 8192
"""Of a page; of one among many that are held together, not less than that."""
TRIES = 3
"""Another replica may answer where one is frozen."""
TIMEOUT_SECONDS = 5.0
CROWD_SECONDS = 1.0
"""Those who read a stream within it share what they read, if that takes less."""
REQUESTS = 3
"""What a page of one pattern takes: the page, what the leader has, and what is next there."""
MAX_STRETCH = 10000
"""Sequences between a reader and the ring, over which it reads alone."""
MAX_COUNTED = 100
"""Reads in it; that is enough for whatever is shared."""
MESSAGE_BYTES = 1000
"""Of a message of a stream of which nothing is known yet."""
ASKED_AGAIN_SECONDS = 60.0
"""Whether a stream serves direct gets by now."""
STALE_WAITS = (0.005, 0.02, 0.08, 0.5)
"""Seconds before what a stale replica lacked is read again."""


class Page(NamedTuple):
    """Messages of one pattern, and the sequence up to which they are all there are."""

    messages: list[Stored]
    until: int
    """Not before the sequence after which they were asked for."""
    gone_until: int
    """The stream has nothing up to it any more, from where the page was to begin."""


class Pages:
    """Reads of all streams; they wait for each other."""

    def __init__(
        self, js: JetStream, *, max_messages: int = MAX_MESSAGES, max_bytes: int = MAX_BYTES
    ) -> None:
        self._js, self._counters = js, js.counters
        self._max_messages, self._max_bytes = max_messages, max_bytes
        self._room = asyncio.Semaphore(MAX_READS)
        self.pulls = Pulls(js)
        self._blocks = Blocks(self)
        self._reads: dict[str, deque[float]] = {}
        """By stream: when pages were wanted lately."""
        self._infos: dict[str, StreamInfo] = {}
        """What leaders have said last."""
        self._without_direct: dict[str, float] = {}
        """Streams that serve no direct gets, and when that was found."""
        self._told_slow: set[str] = set()
        self._next_infos: dict[str, asyncio.Task[StreamInfo]] = {}
        """By stream: what has yet to be asked."""
        self._asking: dict[str, asyncio.Lock] = {}

    async def read(self, tail: Tail, pattern: str, after: int, held: int = 1) -> Page:
        """Return what matches after a sequence, whole at least up to what the ring covers then.

        It may end earlier: at the size of a page, of which so many are `held` at a time. Raises
        HistoryError.
        """
        target = tail.covered(pattern)
        self._count(tail.stream)
        await asyncio.sleep(0)  # those who come together see each other
        if self._blocks.have(tail, after) or self._is_shared(tail, target - after):
            block = await self._blocks.block(tail, after)
            if block is not None:
                return Page(block.index.matching(pattern, after), block.until, block.gone_until)
        return await self._read_filtered(tail, pattern, after, target, held)

    def _count(self, stream: str) -> None:
        now = asyncio.get_running_loop().time()
        reads = self._reads.setdefault(stream, deque(maxlen=MAX_COUNTED))
        reads.append(now)
        while now - reads[0] > CROWD_SECONDS:
            reads.popleft()

    def _is_shared(self, tail: Tail, stretch: int) -> bool:
        """Tell whether it takes less to read all of a stretch once than a part of it for each."""
        known = self.known(tail)
        size = stretch * (MESSAGE_BYTES if known is None else known.size)
        blocks = max(stretch / SEQUENCES, size / READ_BYTES)
        fits = stretch <= MAX_STRETCH and size <= MAX_BLOCKS_BYTES
        others = len(self._reads[tail.stream]) - 1
        return fits and blocks <= max(1, REQUESTS * others)

    def note(self, info: StreamInfo) -> None:
        """Take note of what a leader has said, unless it has said something since."""
        before = self._infos.get(info.name)
        if before is None or before.now < info.now:
            self._infos[info.name] = info

    def known(self, tail: Tail) -> StreamInfo | None:
        """Return what a leader has said last, unless it was of another incarnation."""
        info = self._infos.get(tail.stream)
        return info if info is not None and info.epoch == tail.epoch else None

    async def _read_filtered(
        self, tail: Tail, pattern: str, after: int, target: int, held: int
    ) -> Page:
        size = {"batch": self._max_messages, "max_bytes": max(self._max_bytes // held, MIN_BYTES)}
        for wait in STALE_WAITS:
            query = {"seq": after + 1, "next_by_subj": pattern, **size}
            messages, pending, _ = await self.get(tail.stream, query)
            info = await self.info(tail)
            until = messages[-1].sequence if messages else after
            is_whole = pending > 0 or until >= target
            if not is_whole and not await self._lacks(tail, pattern, until, target):
                until, is_whole = target, True
            self._counters.history_stale += not is_whole
            if is_whole or messages:
                first = messages[0].sequence if messages else until + 1
                return Page(messages, until, min(info.first, first) - 1)
            await asyncio.sleep(wait)
        raise UnansweredError(f"only stale replicas of {tail.stream!r} answer")

    async def get(self, stream: str, query: dict[str, Any]) -> Batch:
        """Return what some replica answers, by a consumer if need be. Raises HistoryError."""
        try:
            return await self.get_directly(stream, query)
        except NoJetStreamError:
            batch = await self.pulls.get(stream, query)
        if stream not in self._told_slow:
            self._told_slow.add(stream)
            tell(stream_events.STREAM_SLOW, stream=stream)
        return batch

    async def get_directly(self, stream: str, query: dict[str, Any]) -> Batch:
        """Return what some replica answers to a direct get.

        Raises HistoryError: NoJetStreamError if the stream serves none.
        """
        now = asyncio.get_running_loop().time()
        if now - self._without_direct.get(stream, -math.inf) < ASKED_AGAIN_SECONDS:
            raise NoJetStreamError(f"{stream!r} does not serve direct gets")
        for tries_left in reversed(range(TRIES)):
            try:
                async with self._room:
                    self._counters.history_reads["direct"] += 1
                    return await self._js.get(stream, query, TIMEOUT_SECONDS)
            except UnansweredError:
                if not tries_left:
                    raise
            except NoJetStreamError:
                self._without_direct[stream] = now
                raise
        raise AssertionError

    async def _lacks(self, tail: Tail, pattern: str, until: int, target: int) -> bool:
        """Ask the leader whether something that matches lies between: a page has ended before it.

        That leader has to have all up to `target` itself.
        """
        for wait in STALE_WAITS:
            if tail.leader_last >= target:
                break
            await asyncio.sleep(wait)
            await self.info(tail)
        else:
            raise UnansweredError(f"the leader of {tail.stream!r} has not caught up")
        self._counters.history_reads["check"] += 1
        body = {"seq": until + 1, "next_by_subj": pattern}
        try:
            answer = await self._js.ask(f"STREAM.MSG.GET.{tail.stream}", body)
        except ApiError as error:
            if error.number == NO_MESSAGE:
                return False
            raise
        return int(answer["message"]["seq"]) <= target

    async def info(self, tail: Tail) -> StreamInfo:
        """Return what the leader says from now on; those who ask meanwhile share an answer."""
        stream = tail.stream
        task = self._next_infos.get(stream)
        if task is None:
            task = self._next_infos[stream] = asyncio.create_task(self._ask_next(stream))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        info = await asyncio.shield(task)
        self.note(info)
        tail.leader_last = max(tail.leader_last, info.last)
        return info

    async def _ask_next(self, stream: str) -> StreamInfo:
        lock = self._asking.setdefault(stream, asyncio.Lock())
        async with lock:
            del self._next_infos[stream]
            self._counters.history_reads["check"] += 1
            return await ask_info(self._js, stream, TIMEOUT_SECONDS)
