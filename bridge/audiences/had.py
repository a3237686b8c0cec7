"""What one connection has had of a stream: of each pattern all between two sequences.

A message that matches several of its patterns comes once, by the first that has its turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from bridge.wire.subjects import matches

if TYPE_CHECKING:
    from bridge.fanout.follow import Follow
    from bridge.history.stored import Stored
    from bridge.history.tail import Loss


class _Stretch(NamedTuple):
    """All behind `since`, up to `until`."""

    since: int
    until: int


class Had:
    """The patterns that were live at least once, oldest first, and how far each is."""

    def __init__(self) -> None:
        self.follows: dict[str, Follow] = {}
        self._stretches: dict[str, _Stretch] = {}
        self._left: list[tuple[str, _Stretch]] = []
        """Of patterns that are not followed any more: others may have yet to come to it."""

    def add(self, pattern: str, follow: Follow, since: int, until: int) -> None:
        """Take note that all of a pattern between these has come."""
        self.follows[pattern] = follow
        self._stretches[pattern] = _Stretch(since, until)

    def remove(self, pattern: str) -> None:
        """Take note that a pattern is not followed any more. Idempotent."""
        if self.follows.pop(pattern, None) is not None:
            self._left.append((pattern, self._stretches.pop(pattern)))
        if not self.follows:
            self._left.clear()

    def has(self, message: Stored) -> bool:
        """Tell whether a message has come."""
        return any(
            since < message.sequence <= until and matches(pattern, message.subject)
            for pattern, (since, until) in (*self._stretches.items(), *self._left)
        )

    def ends(self) -> Mapping[str, int]:
        """Return up to where each pattern has come."""
        return {pattern: until for pattern, (_, until) in self._stretches.items()}

    def reach(self, position: int) -> None:
        """Take note that everything up to a sequence has come, or was told of."""
        self._left.clear()
        for pattern, (since, until) in self._stretches.items():
            self._stretches[pattern] = _Stretch(since, max(until, position))

    def begin_at(self, position: int, reason: Loss, patterns: Iterable[str]) -> None:
        """Take note that of these nothing comes that is not behind this sequence."""
        for pattern in self._stretches.keys() & set(patterns):
            since, until = self._stretches[pattern]
            if reason == "ahead":  # the next messages have sequences that others had before
                since, until = min(since, position), min(until, position)
            else:
                since = until = position
            self._stretches[pattern] = _Stretch(since, until)

    def lose(self, until: int, reason: Loss) -> int | None:
        """Do so with all; return after which sequence messages are missed, None if none are."""
        ends = self.ends().values()
        after = max(ends) if reason == "ahead" else min(ends)
        self.begin_at(until, reason, self.follows)
        return None if reason == "ahead" and after <= until else after
