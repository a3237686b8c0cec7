"""The newest messages of a stream, kept in memory: whoever has all before them needs no read."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from bridge.history.stored import size_of
from bridge.history.subject_index import SubjectIndex

if TYPE_CHECKING:
    from bridge.history.stored import Stored

MAX_MESSAGES = 1000
MAX_BYTES = 1048576


class _Part(NamedTuple):
    """Messages that go together."""

    messages: Sequence[Stored]
    size: int


class Ring:
    """Messages in the order of their sequences, within bounds.

    `first` is the sequence after which it has all that was added.
    """

    def __init__(
        self, first: int, max_messages: int = MAX_MESSAGES, max_bytes: int = MAX_BYTES
    ) -> None:
        self.first = first
        self._parts: deque[_Part] = deque()
        self._index = SubjectIndex()
        self._indexed = 0
        """How many of the parts are in the index, from the oldest on: those somebody looked for."""
        self._count = self._bytes = 0
        self._max_messages = max_messages
        self._max_part = max(1, max_messages // 10)
        self._max_bytes = max_bytes

    def __len__(self) -> int:
        return self._count

    def add(self, messages: Sequence[Stored]) -> None:
        """Take the next messages; the oldest ones go where they do not fit."""
        for begin in range(0, len(messages), self._max_part):
            some = messages[begin : begin + self._max_part]
            part = _Part(some, size_of(some))
            self._parts.append(part)
            self._count += len(some)
            self._bytes += part.size
            while self._count > self._max_messages or self._bytes > self._max_bytes:
                self._forget_oldest()

    def _forget_oldest(self) -> None:
        oldest = self._parts.popleft()
        self._count -= len(oldest.messages)
        self._bytes -= oldest.size
        self.first = oldest.messages[-1].sequence
        if self._indexed:
            self._indexed -= 1
            for message in oldest.messages:
                self._index.remove_oldest(message)

    def matching(self, pattern: str, after: int) -> list[Stored]:
        """Return the messages that match, after a sequence that is not before `first`."""
        for part in islice(self._parts, self._indexed, None):
            for message in part.messages:
                self._index.add(message)
        self._indexed = len(self._parts)
        return self._index.matching(pattern, after)

    def begin_at(self, first: int) -> None:
        """Forget everything; what is added from now on comes after `first`."""
        self._parts.clear()
        self._index.clear()
        self._indexed = self._count = self._bytes = 0
        self.first = first
