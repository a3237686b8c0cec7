"""Messages that have come by one of several overlapping subscriptions and not yet by all of them.

To NATS, overlapping patterns are subscriptions of their own: each brings its own copy of a message,
those of several publishers mixed at will, and a copy has no number. So copies are counted by what
they say: two messages with the same subject and payload cannot be told apart by anybody, and it
does not matter which copy belongs to which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

MAX_COPIES = 10000
MAX_COPY_BYTES = 8388608
"""What is held at most, in messages and in bytes of their payloads; the oldest go first."""


class Copy:
    """One message under way: by which patterns it has come, and by which it is yet to come."""

    __slots__ = ("came", "missing", "payload", "since", "subject")

    def __init__(self, subject: str, payload: bytes, since: float) -> None:
        self.subject = subject
        self.payload = payload
        self.since = since
        self.came: set[str] = set()
        self.missing: set[str] = set()


class Copies:
    """All messages under way. `now` is a clock; `added` is called for each that is new here."""

    def __init__(self, now: Callable[[], float], added: Callable[[], None]) -> None:
        self._now = now
        self._added = added
        self._alike: dict[tuple[str, bytes], list[Copy]] = {}
        """Those that look the same, oldest first."""
        self._count = 0
        self._bytes = 0
        self._latest: dict[tuple[str, str, bytes], float] | None = None
        """When a copy by a pattern came last, by subject and payload; None if nobody asks."""
        self._repeated: dict[str, float] = {}
        """Pattern to when the first of two messages came that cannot be told apart."""

    def __iter__(self) -> Iterator[Copy]:
        for alike in self._alike.values():
            yield from alike

    def __len__(self) -> int:
        return self._count

    def note(
        self, pattern: str, patterns: frozenset[str], subject: str, payloads: list[bytes]
    ) -> list[Copy]:
        """Take note of copies that came by `pattern`; return what each is a copy of.

        `patterns`: all by which a message on `subject` comes.
        """
        if self._latest is not None:
            for payload in payloads:
                self._look_for_repeats(self._latest, patterns, (pattern, subject, payload))
        return [self._note(pattern, patterns, subject, payload) for payload in payloads]

    def _note(self, pattern: str, patterns: frozenset[str], subject: str, payload: bytes) -> Copy:
        # The latest that looks the same: one from before a pattern was followed, of which no
        # further copy will come, is then left over and grows old.
        for copy in reversed(self._alike.get((subject, payload), ())):
            if pattern in copy.missing:
                copy.missing.discard(pattern)
                copy.came.add(pattern)
                if not copy.missing:
                    self._remove(copy)
                return copy
        copy = Copy(subject, payload, self._now())
        copy.came.add(pattern)
        copy.missing.update(patterns)
        copy.missing.discard(pattern)
        if copy.missing:
            self._add(copy)
        return copy

    def _add(self, copy: Copy) -> None:
        self._alike.setdefault((copy.subject, copy.payload), []).append(copy)
        self._count += 1
        self._bytes += len(copy.payload)
        self._added()
        while self._count > MAX_COPIES or (self._bytes > MAX_COPY_BYTES and self._count > 1):
            self._remove(next(iter(self)))

    def _remove(self, copy: Copy) -> None:
        key = copy.subject, copy.payload
        alike = self._alike[key]
        alike.remove(copy)
        if not alike:
            del self._alike[key]
        self._count -= 1
        self._bytes -= len(copy.payload)

    def watch_repeats(self, *, on: bool) -> None:
        """Begin to take note of messages that look the same, unless that has begun, or stop it."""
        if not on:
            self._latest = None
            self._repeated.clear()
        elif self._latest is None:
            self._latest = {}

    def has_repeated(self, pattern: str, since: float) -> bool:
        """Tell whether messages by `pattern` that look the same have come since that time."""
        return self._repeated.get(pattern, 0.0) >= since

    def _look_for_repeats(
        self,
        latest: dict[tuple[str, str, bytes], float],
        patterns: frozenset[str],
        key: tuple[str, str, bytes],
    ) -> None:
        before = latest.pop(key, None)
        latest[key] = self._now()
        if before is not None:
            self._repeated.update(dict.fromkeys(patterns, before))
        if len(latest) > MAX_COPIES:
            del latest[next(iter(latest))]

    def forget(self, patterns: set[str]) -> None:
        """Expect no further copies by `patterns`."""
        for copy in tuple(self):
            copy.missing -= patterns
            if not copy.missing:
                self._remove(copy)

    def prune(self, until: float) -> None:
        """Expect no further copies of what first came until that time."""
        for copy in tuple(self):
            if copy.since <= until:
                self._remove(copy)

    def clear(self) -> None:
        """Expect no further copies of anything."""
        self._alike.clear()
        self._count = self._bytes = 0
