"""The way of the messages on one subject that one subscription brings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from bridge.wire.envelope import Envelope
from bridge.wire.metadata import receive

if TYPE_CHECKING:
    from bridge.access.policy import Decided
    from bridge.fanout.copies import Copy
    from bridge.fanout.crossings import Crossings
    from bridge.fanout.group import Group
    from bridge.wire.framing import Framing

LANE_OVERHEAD_BYTES = 700
"""Bytes a lane takes, without the names of its subject."""
NAMES_OF_A_SUBJECT = 3
"""Where it is kept: as a name, at the head of a line, and in a line of the NATS protocol."""

Targets = dict["Framing", list["Group"]]
"""The groups that get a message, by how it is written to them."""


class Source(Protocol):
    """What a lane needs of its feed."""

    pattern: str
    open_groups: Targets
    asked_groups: dict[Group, None]
    asking: int
    changed: int
    changes: list[tuple[Group, bool]]
    is_watched: bool
    lanes: dict[str, Any]

    @property
    def crossings(self) -> Crossings: ...
    def count_overlapping(self, count: int) -> None: ...
    def count_malformed(self, count: int) -> None: ...


class Lane:
    """Knows which groups get the messages on one subject; amends that as groups come and go.

    It may be used for as long as anybody likes, also after its feed has forgotten it.
    """

    __slots__ = ("_envelope", "_feed", "_known", "_overlaps")

    def __init__(self, feed: Source, subject: str) -> None:
        self._feed = feed
        self._envelope = Envelope(subject)
        self._known: _Known | None = None
        """Which groups get this subject, where the feed has some that do not get every one."""
        self._overlaps: _Overlaps | None = None
        """Who else brings this subject, where somebody follows the feed beside another one."""

    @property
    def subject(self) -> str:
        """What it is for."""
        return self._envelope.subject

    @property
    def feed(self) -> Source:
        """What it belongs to."""
        return self._feed

    @property
    def size(self) -> int:
        """Bytes it takes, roughly."""
        return LANE_OVERHEAD_BYTES + NAMES_OF_A_SUBJECT * len(self.subject)

    def take(self, payloads: list[bytes]) -> None:
        """Pass payloads on, in order. Never waits and never raises."""
        feed = self._feed
        if feed.asking:
            payloads, malformed = receive(payloads)
            feed.count_malformed(malformed)
        if feed.is_watched:
            self._take_watched(payloads)
            return
        targets = self._targets(len(payloads)) if feed.asked_groups else feed.open_groups
        for framing, groups in targets.items():
            pieces = framing.encode(self._envelope, payloads)
            for group in groups:
                group.append(pieces)

    def _take_watched(self, payloads: list[bytes]) -> None:
        """Take payloads of which there may be further copies, by other subscriptions."""
        patterns = self._patterns()
        copies: list[Copy] = []
        if patterns is not None:
            self._feed.count_overlapping(len(payloads))
            noted = self._feed.crossings.copies
            copies = noted.note(self._feed.pattern, patterns, self.subject, payloads)
        for framing, groups in self._targets(len(payloads)).items():
            pieces = framing.encode(self._envelope, payloads)
            for group in groups:
                fresh = group.sift(pieces, copies) if copies and group.key.had else pieces
                if fresh:
                    group.append(fresh)

    def lose(self, count: int) -> None:
        """Count messages that were dropped on their way here, and tell those they were for."""
        for groups in self._targets(count).values():
            for group in groups:
                group.miss(count)

    def _targets(self, count: int) -> Targets:
        """Return who gets `count` messages on this subject; count them as filtered for others."""
        feed = self._feed
        if not feed.asked_groups:
            return feed.open_groups
        known = self._known
        if known is None:
            known = self._known = _Known()
        if known.changes != feed.changed:
            known.amend(feed, self.subject)
        for group in known.aside:
            group.filter(count)
        return known.targets

    def _patterns(self) -> frozenset[str] | None:
        """Return the patterns that bring this subject; None if copies need not be counted."""
        crossings = self._feed.crossings
        overlaps = self._overlaps
        if overlaps is None or overlaps.version != crossings.version:
            overlaps = self._overlaps = _Overlaps(crossings, self.subject)
        return overlaps.patterns


class _Known:
    """Which groups of a feed get one subject, amended as groups come and go."""

    __slots__ = ("aside", "changes", "targets")

    def __init__(self) -> None:
        self.targets: Targets = {}
        self.aside: list[Group] = []
        """Those that do not."""
        self.changes = -1
        """How many changes of the feed are known."""

    def amend(self, feed: Source, subject: str) -> None:
        """Take note of the groups that came or went since it was last used."""
        decided: Decided = {}
        missed = feed.changed - self.changes
        if self.changes < 0 or missed > len(feed.changes):
            self.targets = {framing: list(groups) for framing, groups in feed.open_groups.items()}
            self.aside = []
            for group in feed.asked_groups:
                self._put(group, subject, decided)
        else:
            for group, is_there in feed.changes[-missed:]:
                if is_there:
                    self._put(group, subject, decided)
                else:
                    self._drop(group)
        self.changes = feed.changed

    def _put(self, group: Group, subject: str, decided: Decided) -> None:
        if group.is_open or group.key.takes(subject, decided):
            self.targets.setdefault(group.framing, []).append(group)
        else:
            self.aside.append(group)

    def _drop(self, group: Group) -> None:
        if group in self.targets.get(group.framing, ()):
            remove(self.targets, group)
        else:
            self.aside.remove(group)


class _Overlaps:
    __slots__ = ("patterns", "version")

    def __init__(self, crossings: Crossings, subject: str) -> None:
        self.patterns = crossings.patterns_of(subject)
        self.version = crossings.version


def remove(targets: Targets, group: Group) -> None:
    """Take a group out of `targets`."""
    groups = targets[group.framing]
    groups.remove(group)
    if not groups:
        del targets[group.framing]
