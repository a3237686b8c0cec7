"""Messages by their subjects, so that many who follow one each find theirs at once."""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING

from bridge.wire.subjects import WILDCARDS, matches, split

if TYPE_CHECKING:
    from bridge.history.stored import Stored


class SubjectIndex:
    """Messages in the order of their sequences; the oldest may go."""

    def __init__(self) -> None:
        self._by_subject: dict[str, deque[Stored]] = {}

    def add(self, message: Stored) -> None:
        """Take the next message."""
        messages = self._by_subject.get(message.subject)
        if messages is None:
            messages = self._by_subject[message.subject] = deque()
        messages.append(message)

    def remove_oldest(self, message: Stored) -> None:
        """Forget the message that came first of those that are left."""
        messages = self._by_subject[message.subject]
        messages.popleft()
        if not messages:
            del self._by_subject[message.subject]

    def clear(self) -> None:
        """Forget everything."""
        self._by_subject.clear()

    def matching(self, pattern: str, after: int) -> list[Stored]:
        """Return the messages after a sequence that match, in order."""
        runs = [_after(messages, after) for messages in self._found(pattern)]
        return runs[0] if len(runs) == 1 else list(heapq.merge(*runs))

    def _found(self, pattern: str) -> list[deque[Stored]]:
        if not set(split(pattern)).intersection(WILDCARDS):
            found = self._by_subject.get(pattern)
            return [] if found is None else [found]
        return [run for subject, run in self._by_subject.items() if matches(pattern, subject)]


def _after(messages: deque[Stored], sequence: int) -> list[Stored]:
    newer = []
    for message in reversed(messages):
        if message.sequence <= sequence:
            break
        newer.append(message)
    newer.reverse()
    return newer
