"""Stretches of a stream, read once for all who need something in them."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from bridge.history.subject_index import SubjectIndex

if TYPE_CHECKING:
    from bridge.history.js_api import Batch
    from bridge.history.tail import Tail

SEQUENCES = 1000
"""Of a block; the first ends with sequence 1000."""
READ_BYTES = 262144
"""Of one read; a block of large messages takes several."""
MAX_BYTES, MAX_BLOCK_BYTES = 8388608, 2097152
"""Of all blocks that are kept; of one, from where on everybody reads what he needs."""
KEPT_SECONDS = 10.0
"""After it begins to be read: what was deleted from the stream since is still in a block."""

Get = Callable[[str, dict[str, Any]], Awaitable["Batch"]]
Key = tuple[str, str, int]


class Block:
    """The messages of one stretch, as far as they have been read."""

    def __init__(self, begin: int) -> None:
        self.first = begin + SEQUENCES + 1
        """The sequence of the first message that was still there; or behind the end."""
        self.made_at = asyncio.get_running_loop().time()
        self.until = begin
        """All up to it are there."""
        self.end = begin + SEQUENCES
        self.size = 0
        self.index = SubjectIndex()
        self.reading: asyncio.Task[None] | None = None

    async def read_on(self, stream: str, get: Get) -> None:
        """Read what is missing, or as much of it as one read brings; all who wait share it."""
        if self.reading is None:
            self.reading = asyncio.create_task(self._read(stream, get))
            self.reading.add_done_callback(self._done)
        await asyncio.shield(self.reading)

    async def _read(self, stream: str, get: Get) -> None:
        query = {"seq": self.until + 1, "batch": self.end - self.until, "max_bytes": READ_BYTES}
        for message in (await get(stream, query)).messages:
            if message.sequence > self.end:
                self.until = self.end
                return
            self.first = min(self.first, message.sequence)
            self.index.add(message)
            self.size += message.size
            self.until = message.sequence

    def _done(self, task: asyncio.Task[None]) -> None:
        self.reading = None
        if not task.cancelled():
            task.exception()  # those who wait have it


class Blocks:
    """Blocks of all streams; those that were not used for longest go first."""

    def __init__(self, get: Get) -> None:
        self._get = get
        self._blocks: OrderedDict[Key, Block] = OrderedDict()

    async def block(self, tail: Tail, after: int) -> Block | None:
        """Return the block with what comes after a sequence, read at least a little further.

        None if the replica that answers has nothing further, or the block is full before that.
        Raises HistoryError.
        """
        key = tail.stream, tail.epoch, after // SEQUENCES
        block = self._blocks.get(key)
        if block is None or asyncio.get_running_loop().time() - block.made_at > KEPT_SECONDS:
            block = self._blocks[key] = Block(key[2] * SEQUENCES)
        self._blocks.move_to_end(key)
        while (before := block.until) <= after:
            if block.size >= MAX_BLOCK_BYTES:
                return None
            await block.read_on(tail.stream, self._get)
            if block.until == before:
                return None
        self._tidy()
        return block

    def _tidy(self) -> None:
        size = sum(each.size for each in self._blocks.values())
        while size > MAX_BYTES and len(self._blocks) > 1:
            size -= self._blocks.popitem(last=False)[1].size
