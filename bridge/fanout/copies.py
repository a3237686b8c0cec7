"""Messages that have come by one of several overlapping subscriptions and not yet by all of them.

To NATS, overlapping patterns are subscriptions of their own: each brings its own copy of a message,
those of several publishers mixed at will, and a copy has no number. So copies are counted by what
they say: two messages with the same subject and payload cannot be told apart by anybody, and it
does not matter which copy belongs to which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

MAX_COPIES = 10000
MAX_COPY_BYTES = 8388608
"""What is held at most, in messages and in bytes of their payloads; the oldest go first."""


MAX_LOOKS = 8
"""Messages that look the same and are looked through for one that lacks a copy.

One subscription can be far behind another. The answer is then wrong only if each is ahead of the
other by some messages, which is forgotten within moments as everything that does not settle is.
"""


class Copy:
    """One message under way: `patterns` bring it, and by those `missing` it is yet to come."""

    __slots__ = ("missing", "older", "patterns", "payload", "since", "subject")

    def __init__(
        self, subject: str, payload: bytes, since: float, patterns: frozenset[str]
    ) -> None:
        self.subject = subject
        self.payload = payload
        self.since = since
        self.patterns = patterns
        self.missing = set(patterns)
        self.older: Copy | None = None
        """The one before it that looks the same."""

    @property
    def came(self) -> frozenset[str]:
        """The patterns by which it has come."""
        return self.patterns - self.missing


class Copies:
    """All messages under way. `now` is a clock; `added` is called for each that is new here."""

    def __init__(self, now: Callable[[], float], added: Callable[[], None]) -> None:
        self._now = now
        self._added = added
        self._latest_alike: dict[tuple[str, bytes], Copy] = {}
        """Of those that look the same, the latest, which knows the others."""
        self._count = 0
        self._bytes = 0
        self._came: dict[tuple[str, int], float] | None = None
        """When a copy by a pattern came last, by a hash of what it says; None if nobody asks."""
        self._repeated: dict[str, float] = {}
        """Pattern to when the first of two messages came that cannot be told apart."""

    def __iter__(self) -> Iterator[Copy]:
        for latest in self._latest_alike.values():
            copy: Copy | None = latest
            while copy is not None:
                yield copy
                copy = copy.older

    def __len__(self) -> int:
        return self._count

    def note(
        self, pattern: str, patterns: frozenset[str], subject: str, payloads: list[bytes]
    ) -> list[Copy]:
        """Take note of copies that came by `pattern`; return what each is a copy of.

        `patterns`: all by which a message on `subject` comes.
        """
        now, alike, found = self._now(), self._latest_alike, []
        for payload in payloads:
            if self._came is not None:
                key = pattern, hash((subject, payload))
                self._look_for_repeats(self._came, patterns, key, now)
            latest = alike.get((subject, payload))
            # The latest that looks the same: one from before a pattern was followed, of which no
            # further copy will come, is then left over and grows old.
            copy, looks = latest, 0
            while copy is not None and pattern not in copy.missing:
                looks += 1
                copy = copy.older if looks < MAX_LOOKS else None
            if copy is None:
                copy = Copy(subject, payload, now, patterns)
                copy.older = latest
                copy.missing.discard(pattern)
                if copy.missing:
                    self._add(copy)
            elif len(copy.missing) > 1:
                copy.missing.discard(pattern)
            else:
                self._remove(copy)
            found.append(copy)
        return found

    def _add(self, copy: Copy) -> None:
        self._latest_alike[copy.subject, copy.payload] = copy
        self._count += 1
        self._bytes += len(copy.payload)
        self._added()
        if self._count > MAX_COPIES or self._bytes > MAX_COPY_BYTES:
            # Many at once: a dict looks at all that was deleted before it finds its first key.
            for old in tuple(islice(self, (self._count + 1) // 2)):
                self._remove(old)

    def _remove(self, copy: Copy) -> None:
        key = copy.subject, copy.payload
        later = self._latest_alike[key]
        if later is copy:
            if copy.older is None:
                del self._latest_alike[key]
            else:
                self._latest_alike[key] = copy.older
        else:
            while later.older is not copy:
                assert later.older is not None
                later = later.older
            later.older = copy.older
        self._count -= 1
        self._bytes -= len(copy.payload)

    def watch_repeats(self, *, on: bool) -> None:
        """Begin to take note of messages that look the same, unless that has begun, or stop it."""
        if not on:
            self._came = None
            self._repeated.clear()
        elif self._came is None:
            self._came = {}

    def has_repeated(self, pattern: str, since: float) -> bool:
        """Tell whether messages by `pattern` that look the same have come since that time."""
        return self._repeated.get(pattern, 0.0) >= since

    def _look_for_repeats(
        self,
        came: dict[tuple[str, int], float],
        patterns: frozenset[str],
        key: tuple[str, int],
        now: float,
    ) -> None:
        before = came.get(key)
        came[key] = now
        if before is not None:
            for pattern in patterns:
                self._repeated[pattern] = max(before, self._repeated.get(pattern, 0.0))
        elif len(came) > MAX_COPIES:
            came.clear()  # that many in a moment are hardly alike

    def forget(self, patterns: set[str]) -> None:
        """Expect no further copies by `patterns`."""
        for copy in tuple(self):
            gone = copy.missing & patterns
            if gone:
                copy.patterns -= gone
                copy.missing -= gone
                if not copy.missing:
                    self._remove(copy)

    def prune(self, until: float) -> None:
        """Expect no further copies of what first came until that time."""
        for copy in tuple(self):
            if copy.since <= until:
                self._remove(copy)

    def clear(self) -> None:
        """Expect no further copies of anything."""
        self._latest_alike.clear()
        self._count = self._bytes = 0
