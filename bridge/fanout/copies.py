"""Messages that have come by one of several overlapping subscriptions and not yet by all of them.

To NATS, overlapping patterns are subscriptions of their own: each brings its own copy of a message,
those of several publishers mixed at will, and a copy has no number. So copies are counted by what
they say: two messages with the same subject and payload cannot be told apart by anybody, and it
does not matter which copy belongs to which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from bridge.wire.metadata import size_of

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

    __slots__ = ("missing", "patterns", "payload", "since", "subject")

    def __init__(
        self, subject: str, payload: bytes, since: float, patterns: frozenset[str]
    ) -> None:
        self.subject = subject
        self.payload = payload
        self.since = since
        self.patterns = patterns
        self.missing = set(patterns)

    @property
    def came(self) -> frozenset[str]:
        """The patterns by which it has come."""
        return self.patterns - self.missing


class Copies:
    """All messages under way. `now` is a clock; `added` is called for each that is new here."""

    def __init__(self, now: Callable[[], float], added: Callable[[], None]) -> None:
        self._now = now
        self._added = added
        self._alike: dict[tuple[str, bytes], list[Copy]] = {}
        """Those that look the same, oldest first."""
        self._count = 0
        self._bytes = 0
        self._came: dict[tuple[str, int], float] | None = None
        """When a copy by a pattern came last, by a hash of what it says; None if nobody asks."""
        self._repeated: dict[str, float] = {}
        """Pattern to when the first of two messages came that cannot be told apart."""

    def __iter__(self) -> Iterator[Copy]:
        return chain.from_iterable(self._alike.values())

    def __len__(self) -> int:
        return self._count

    def note(
        self, pattern: str, patterns: frozenset[str], subject: str, payloads: list[bytes]
    ) -> list[Copy]:
        """Take note of copies that came by `pattern`; return what each is a copy of.

        `patterns`: all by which a message on `subject` comes.
        """
        now, found = self._now(), []
        for payload in payloads:
            if self._came is not None:
                said = pattern, hash((subject, payload))
                self._look_for_repeats(self._came, patterns, said, now)
            key = subject, payload
            alike = self._alike.get(key)
            place = _place(pattern, alike) if alike is not None else -1
            if alike is not None and place >= 0:
                copy = alike[place]
                copy.patterns |= {pattern}
                copy.missing.discard(pattern)
                if not copy.missing:
                    self._remove(key, alike, place)
            else:
                copy = Copy(subject, payload, now, patterns)
                copy.missing.discard(pattern)
                if copy.missing:
                    self._add(key, alike, copy)
            found.append(copy)
        return found

    def _add(self, key: tuple[str, bytes], alike: list[Copy] | None, copy: Copy) -> None:
        if alike is None:
            self._alike[key] = [copy]
        else:
            alike.append(copy)
        self._count += 1
        self._bytes += size_of(copy.payload)
        self._added()
        if self._count > MAX_COPIES or self._bytes > MAX_COPY_BYTES:
            # Many at once: a dict looks at all that was deleted before it finds its first key.
            oldest = sorted(self, key=lambda each: each.since)
            self._keep(set(oldest[(self._count + 1) // 2 :]).__contains__)

    def _remove(self, key: tuple[str, bytes], alike: list[Copy], place: int) -> None:
        if len(alike) == 1:
            del self._alike[key]
        else:
            del alike[place]
        self._count -= 1
        self._bytes -= size_of(key[1])

    def _keep(self, wanted: Callable[[Copy], bool]) -> None:
        """Forget all but those that are wanted."""
        for key, alike in tuple(self._alike.items()):
            alike[:] = filter(wanted, alike)
            if not alike:
                del self._alike[key]
        self._count = sum(map(len, self._alike.values()))
        self._bytes = sum(size_of(copy.payload) for copy in self)

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
        for copy in self:
            gone = copy.missing & patterns
            copy.patterns -= gone
            copy.missing -= gone
        self._keep(lambda copy: bool(copy.missing))

    def prune(self, until: float) -> None:
        """Expect no further copies of what first came until that time."""
        self._keep(lambda copy: copy.since > until)

    def clear(self) -> None:
        """Expect no further copies of anything."""
        self._keep(lambda _: False)


def _place(pattern: str, alike: list[Copy]) -> int:
    """Return the place of the one that a copy by `pattern` is of; -1 if it is of none of them.

    That is the latest of which it is yet to come: one from before a pattern was followed, of which
    no further copy will come, is then left over and grows old.
    """
    last = len(alike) - 1
    if pattern in alike[last].missing:
        return last
    looked_at = range(last - 1, max(-1, last - MAX_LOOKS), -1)
    for place in looked_at:
        if pattern in alike[place].missing:
            return place
    # It may be one of a message that first came before this pattern was watched. Taken for one of
    # another message, it would get copies by other patterns that belong to the first.
    for place in (*reversed(looked_at), last):
        if pattern not in alike[place].patterns:
            return place
    return -1
