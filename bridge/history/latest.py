"""The latest message of each subject of a stream, oldest first."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import TYPE_CHECKING, Any

from bridge.history.errors import NoJetStreamError, TooManySubjectsError

if TYPE_CHECKING:
    from bridge.history.js_api import Batch
    from bridge.history.pages import Pages
    from bridge.history.stored import Stored
    from bridge.history.tail import Tail

MAX_MESSAGES = 1000
MAX_BYTES = 524288
"""Of a page."""
MAX_PULLED = 100
"""Messages of a page that a consumer brings."""


class Latest:
    """What some patterns have at `until`: all later messages come after it.

    A subject whose newest message comes after `until` may be left out. Keys of a bucket that were
    deleted are.
    """

    def __init__(self, pages: Pages, tail: Tail, patterns: Sequence[str]) -> None:
        self.until = 0
        self._pages = pages
        self._tail = tail
        self._patterns = list(patterns)
        self._had = 0
        """Up to it all has been handed on."""

    async def pages(self) -> AsyncGenerator[list[Stored], None]:
        """Yield them, and go on behind what was yielded before it failed. Raises HistoryError."""
        limit = None
        async for batch in self._batches():
            if limit is None:  # what comes after it, the tail has yet to bring
                limit = self._tail.position
            has = max([batch.up_to, *(each.sequence for each in batch.messages[-1:])])
            self.until = min(max(self.until, has), limit)
            fresh = [m for m in batch.messages if self._had < m.sequence <= limit]
            if fresh:
                self._had = fresh[-1].sequence
            yield [each for each in fresh if each.operation is None]
        first = (await self._pages.info(self._tail)).first
        self.until = max(self.until, first - 1)

    async def _batches(self) -> AsyncGenerator[Batch, None]:
        query: dict[str, Any] = {"multi_last": self._patterns, "max_bytes": MAX_BYTES}
        query["batch"] = MAX_MESSAGES
        try:
            while True:
                batch = await self._pages.get_directly(self._tail.stream, query)
                yield batch
                if not batch.pending:
                    return
                query["seq"] = batch.messages[-1].sequence + 1
                query["up_to_seq"] = batch.up_to
        except (TooManySubjectsError, NoJetStreamError):
            pass
        # With a limit in bytes, nats-server 2.15.1 passes over the message that would exceed it.
        query = {"multi_last": self._patterns, "batch": MAX_PULLED}
        async for batch in self._pages.pulls.pages(self._tail.stream, query):
            yield batch
