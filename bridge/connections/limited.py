"""The outbox of a connection that asked for no more than a number of messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bridge.connections.outbox import Outbox

if TYPE_CHECKING:
    pass


class LimitedOutbox(Outbox):
    """Takes `limit` messages, then calls `enough`, maybe several times; filters what comes then.

    Messages that were dropped do not count: they were told of, and others come in their place.
    """

    __slots__ = ("_enough", "_limit")

    def __init__(self, *parts: Any, limit: int, enough: Callable[[], None]) -> None:
        super().__init__(*parts)
        self._limit = limit
        self._enough = enough

    @property
    def _left(self) -> int:
        return self._limit - self.delivered - self.pending_messages

    def deliver(self, pieces: list[bytes], joined: bytes) -> None:
        """Write messages, as many as are left."""
        left = self._left
        if len(pieces) < left:
            super().deliver(pieces, joined)
            return
        some = pieces[:left]
        self._counters.filtered += len(pieces) - len(some)
        if some:
            super().deliver(some, self._join(some))
            self._look()

    def append_message(self, piece: bytes) -> None:
        """Append a message, or filter it."""
        if self._left <= 0:
            self._counters.filtered += 1
            return
        super().append_message(piece)
        self._look()

    def _look(self) -> None:
        if self._left <= 0:
            self._enough()
