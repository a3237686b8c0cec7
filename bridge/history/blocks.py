"""Stretches of a stream, read once for all who need something in them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Protocol

from bridge.history.subject_index import SubjectIndex

if TYPE_CHECKING:
    from bridge.history.js_api import Batch
    from bridge.history.streams import StreamInfo
    from bridge.history.tail import Tail

SEQUENCES = 1000
"""Of a block; the first ends with sequence 1000."""
READ_BYTES = 262144
"""Of one read; a block of large messages takes several."""
MAX_BYTES, MAX_BLOCK_BYTES = 8388608, 2097152
"""Of all blocks that are kept; of one, from where on everybody reads what he needs."""
KEPT_SECONDS = 30.0
"""From when on it is read: what was deleted from the stream since is still in a block."""

Key = tuple[str, str, int]


class Asking(Protocol):
    """What blocks are read by."""

    async def get(self, stream: str, query: dict[str, Any]) -> Batch:
        """Return what some replica answers. Raises HistoryError."""

    async def info(self, tail: Tail) -> StreamInfo:
        """Return what the leader says from now on. Raises HistoryError."""


class Block:
    """The messages of one stretch, as far as they have been read."""

    def __init__(self, begin: int) -> None:
        self.until = self.gone_until = begin
        """All up to the former are there; of what is up to the latter, the stream has nothing."""
        self.end = begin + SEQUENCES
        self.size = 0
        self.index = SubjectIndex()
        self.reading: asyncio.Task[None] | None = None

    async def read_on(self, tail: Tail, asking: Asking) -> None:
        """Read what is missing, or as much of it as one read brings; all who wait share it."""
        if self.reading is None:
            self.reading = asyncio.create_task(self._read(tail, asking))
            self.reading.add_done_callback(self._done)
        await asyncio.shield(self.reading)

    async def _read(self, tail: Tail, asking: Asking) -> None:
        begin = self.until + 1
        query = {"seq": begin, "batch": self.end - self.until, "max_bytes": READ_BYTES}
        messages = (await asking.get(tail.stream, query)).messages
        if messages and messages[0].sequence > begin:
            await self._look(begin, messages[0].sequence, tail, asking)
        for message in messages:
            if message.sequence > self.end:
                self.until = self.end
                return
            self.index.add(message)
            self.size += message.size
            self.until = message.sequence

    async def _look(self, begin: int, found: int, tail: Tail, asking: Asking) -> None:
        """Find out whether the stream begins behind `begin`, or has a hole up to what was found."""
        first = min((await asking.info(tail)).first, found, self.end + 1)
        if first > begin:
            self.until = self.gone_until = first - 1
            self.index.clear()
            self.size = 0

    def _done(self, task: asyncio.Task[None]) -> None:
        self.reading = None
        if not task.cancelled():
            task.exception()  # those who wait have it


class Blocks:
    """Blocks of all streams; those that were not used for longest go first."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._blocks: OrderedDict[Key, Block] = OrderedDict()

    def have(self, tail: Tail, after: int) -> bool:
        """Tell whether something after a sequence has been read already."""
        block = self._blocks.get(_key(tail, after))
        return block is not None and block.until > after

    async def block(self, tail: Tail, after: int) -> Block | None:
        """Return the block with what comes after a sequence, read at least a little further.

        None if the replica that answers has nothing further, or the block is full before that.
        Raises HistoryError.
        """
        key = _key(tail, after)
        block = self._blocks.get(key)
        if block is None:
            block = self._blocks[key] = Block(key[2] * SEQUENCES)
            asyncio.get_running_loop().call_later(KEPT_SECONDS, self._forget, key, block)
        self._blocks.move_to_end(key)
        while (before := block.until) <= after:
            if block.size >= MAX_BLOCK_BYTES:
                return None
            await block.read_on(tail, self._asking)
            if block.until == before:
                return None
        self._tidy()
        return block

    def _forget(self, key: Key, block: Block) -> None:
        if self._blocks.get(key) is block:
            del self._blocks[key]

    def _tidy(self) -> None:
        size = sum(each.size for each in self._blocks.values())
        while size > MAX_BYTES and len(self._blocks) > 1:
            size -= self._blocks.popitem(last=False)[1].size


def _key(tail: Tail, after: int) -> Key:
    return tail.stream, tail.epoch, after // SEQUENCES
