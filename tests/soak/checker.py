"""Holds what one connection gets against what was published: pure, so that it can be tested.

Messages carry the number they have on their subject. A number that is skipped is a hole, and a hole
has to be told: by `nats_down` with the hole around it, or by `dropped` with as many as are missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bridge.wire.subjects import contains

DOWN, UP = {"status": "nats_down"}, {"status": "nats_up", "gap": True}


class Numbers:
    """The numbers of one subject: which were published, and which a server may not have taken."""

    def __init__(self) -> None:
        self.next = 0
        self._confirmed = 0
        """The server has taken what is below, or it is unsure."""
        self._unsure: set[int] = set()

    def take(self) -> int:
        """Return a number for the next message."""
        self.next += 1
        return self.next - 1

    def confirm(self, below: int) -> None:
        """Know that the server has taken each message with a number under `below`."""
        self._confirmed = below

    def lose(self) -> None:
        """Know that what was not confirmed may never have reached the server."""
        self._unsure.update(range(self._confirmed, self.next))
        self._confirmed = self.next

    @property
    def all_confirmed(self) -> bool:
        return self._confirmed == self.next

    def due(self, numbers: Iterable[int]) -> int:
        """Return how many of `numbers` the server has taken for sure."""
        return sum(number not in self._unsure for number in numbers)


@dataclass
class Findings:
    """What all connections of a run got, and what was wrong with it."""

    messages: int = 0
    lost_in_outages: int = 0
    lost_as_dropped: int = 0
    of_streams: int = 0
    """Messages of streams, replayed ones among them."""
    behind: int = 0
    missed: int = 0
    """How often somebody was told of either."""
    violations: list[str] = field(default_factory=list)


@dataclass
class _Place:
    """Where a connection is on one subject."""

    expected: int
    """A number above it leaves a hole."""
    notices: tuple[int, int]
    """How often an outage and a drop had been told when the last message came."""
    was_down: bool
    started: bool = False
    missing: set[int] = field(default_factory=set)


class Checker:
    """Checks all frames of one connection; adds to `findings`, where it is called `name`."""

    def __init__(self, published: dict[str, Numbers], findings: Findings, name: str = "") -> None:
        self._name = name
        self._published = published
        self._findings = findings
        self._places: dict[str, _Place] = {}
        self._acknowledged: set[str] = set()
        self._is_down = False
        self._outages = self._drops = 0
        self._told_dropped = 0
        self._unsettled: set[str] = set()
        """Subjects on which nothing came since a drop was told: more may prove to be missing."""
        self._missed = 0
        """Messages whose loss only `dropped` can tell."""
        self._perhaps_dropped = 0
        """Messages in holes where both an outage and a drop were told."""

    def take(self, frame: dict[str, Any]) -> None:
        """Check one object of the wire, in the order they come."""
        if "subject" in frame:
            self._take_message(frame["subject"], frame["data"]["n"])
        elif frame == DOWN:
            self._is_down = True
            self._outages += 1
        elif frame == UP:
            self._is_down = False
        elif "dropped" in frame:
            self._drops += 1
            self._told_dropped += frame["dropped"]
            self._unsettled = set(self._places)
        elif frame.get("success") and "subjects" in frame:
            self._follow(frame["subjects"])
        elif frame.get("code") != "nats_down":
            self.violated(f"unexpected: {frame}")

    @property
    def is_complete(self) -> bool:
        """Whether the latest message of each subject it follows has come."""
        return bool(self._places) and all(
            place.expected == self._published[subject].next
            for subject, place in self._places.items()
        )

    def violated(self, what: str) -> None:
        """Note something that is not as promised."""
        self._findings.violations.append(f"{self._name}: {what}" if self._name else what)

    def is_past(self, subject: str, number: int) -> bool:
        """Tell whether a later message than `number` has come on `subject`."""
        return subject in self._places and self._places[subject].expected > number

    def finish(self) -> None:
        """Check at the end that nothing is missing, nor was told as dropped and did come."""
        for subject, place in self._places.items():
            self._hole(subject, place, self._published[subject].next)
        self._check_told()

    def _follow(self, patterns: list[str]) -> None:
        for subject, numbers in self._published.items():
            if subject not in self._acknowledged and any(contains(p, subject) for p in patterns):
                self._acknowledged.add(subject)
                # Those published before it was accepted may come, but need not.
                self._places.setdefault(subject, self._place(numbers.next))

    def _place(self, expected: int) -> _Place:
        return _Place(expected, (self._outages, self._drops), self._is_down)

    def _take_message(self, subject: str, number: int) -> None:
        self._findings.messages += 1
        place = self._places.setdefault(subject, self._place(number))
        if number < place.expected and not place.started:
            place.expected = number
        if number < place.expected:
            kind = "out of order" if number in place.missing else "duplicated"
            self.violated(f"{kind}: {number} of {subject} after {place.expected - 1}")
            return
        if number > place.expected:
            self._hole(subject, place, number)
        place.expected = number + 1
        place.started = True
        place.notices = (self._outages, self._drops)
        place.was_down = self._is_down
        if self._unsettled:
            self._unsettled.discard(subject)
            if not self._unsettled:
                self._check_told()

    def _check_told(self) -> None:
        """Check that no more was told as dropped than is missing."""
        most = self._missed + self._perhaps_dropped
        if self._told_dropped > most:
            self.violated(f"told that {self._told_dropped} were dropped, but {most} are missing")

    def _hole(self, subject: str, place: _Place, end: int) -> None:
        """Account for the messages from the one expected to before `end`."""
        skipped = range(place.expected, end)
        missing = self._published[subject].due(skipped)
        place.missing.update(skipped)
        outages, drops = place.notices
        if place.was_down or self._outages > outages:
            self._findings.lost_in_outages += missing
            if self._drops > drops:
                self._perhaps_dropped += missing
            return
        self._missed += missing
        self._findings.lost_as_dropped += missing
        if missing and self._missed > self._told_dropped:
            self.violated(
                f"lost untold: {missing} of {subject} after {place.expected - 1}; "
                f"{self._missed} are missing, {self._told_dropped} told as dropped"
            )
