"""The outbox of a connection that ends by itself: behind some messages, or what is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bridge.connections.outbox import Outbox


class LimitedOutbox(Outbox):
    """Takes `limit` messages, None: any number, or what comes until it is done; then it calls
    `enough`, maybe several times, and filters what comes.

    Messages that were dropped do not count: they were told of, and others come in their place.
    """

    __slots__ = ("_enough", "_is_done", "_limit")

    def __init__(self, *parts: Any, limit: int | None, enough: Callable[[], None]) -> None:
        super().__init__(*parts)
        self._limit = limit
        self._enough = enough
        self._is_done: Callable[[], bool] = _never

    def finish_when(self, is_done: Callable[[], bool]) -> None:
        """Take no messages any more once `is_done`, which is asked with each line."""
        self._is_done = is_done
        self._finish_if_done()

    def release(self) -> None:
        """Let go of the connection. Idempotent."""
        super().release()
        self._is_done = _never

    @property
    def _taken(self) -> int:
        return self.outlet.delivered + self.pending_messages

    def deliver(self, pieces: list[bytes], joined: bytes) -> None:
        """Write messages, as many as are left."""
        left = len(pieces) + 1 if self._limit is None else self._limit - self._taken
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
        if self._is_full:
            self._counters.filtered += 1
            return
        super().append_message(piece)
        self._look()

    def append_line(self, line: bytes, cursor: bytes = b"") -> None:
        """Append a response or a notice; none that says of filtered messages that they came."""
        if cursor and self._is_full:
            return
        super().append_line(line, cursor)
        self._finish_if_done()

    def _finish_if_done(self) -> None:
        if self._is_done():
            self._limit = self._taken
            self._enough()

    @property
    def _is_full(self) -> bool:
        return self._limit is not None and self._taken >= self._limit

    def _look(self) -> None:
        if self._is_full:
            self._enough()


def _never() -> bool:
    return False
