"""The newest messages of a stream, kept in memory: whoever has all before them needs no read."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from bridge.history.subject_index import SubjectIndex

if TYPE_CHECKING:
    from bridge.history.stored import Stored

MAX_MESSAGES = 1000
MAX_BYTES = 1048576


class Ring:
    """Messages in the order of their sequences, within bounds.

    `first` is the sequence after which it has all that was added.
    """

    def __init__(
        self, first: int, max_messages: int = MAX_MESSAGES, max_bytes: int = MAX_BYTES
    ) -> None:
        self.first = first
        self._messages: deque[Stored] = deque()
        self._index = SubjectIndex()
        self._bytes = 0
        self._max_messages = max_messages
        self._max_bytes = max_bytes

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, message: Stored) -> None:
        """Take the next message; the oldest ones go where it does not fit."""
        self._messages.append(message)
        self._index.add(message)
        self._bytes += message.size
        while len(self._messages) > self._max_messages or self._bytes > self._max_bytes:
            oldest = self._messages.popleft()
            self._index.remove_oldest(oldest)
            self._bytes -= oldest.size
            self.first = oldest.sequence

    def matching(self, pattern: str, after: int) -> list[Stored]:
        """Return the messages that match, after a sequence that is not before `first`."""
        return self._index.matching(pattern, after)

    def begin_at(self, first: int) -> None:
        """Forget everything; what is added from now on comes after `first`."""
        self._messages.clear()
        self._index.clear()
        self._bytes = 0
        self.first = first
