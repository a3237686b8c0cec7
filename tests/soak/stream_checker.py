"""Holds what one connection gets of a stream against what the stream has: pure, like `checker`.

What is due comes once, in order, also to a browser that was away: it comes back by its cursor.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bridge.wire.subjects import matches
from tests.soak.checker import Findings
from tests.support.jetstream import Entry

SHOWN = 5
"""Sequences that are named of those that are missing."""


class StreamChecker:
    """Checks all frames of one browser, whatever its connections; adds to `findings`.

    `cursor`: as a client knows it, all up to it has come; None before the first response.
    """

    def __init__(self, patterns: list[str], findings: Findings) -> None:
        self.cursor: str | None = None
        self._name = f"{' '.join(patterns)} of the stream"
        self._findings = findings
        self._wanted = len(patterns)
        self._since: dict[str, int] = {}
        """By pattern, the sequence after which all is due."""
        self._got: dict[int, str] = {}
        """Subjects by sequence, of what came and was not compared yet."""
        self._replayed: list[int] = []
        """Of those, what came by a replay that goes on."""
        self._place = ("", "")
        self._at = self._compared = 0
        self._may_miss: list[range] = []
        self._follows = False
        """Whether this connection was told that it follows."""

    def connected(self) -> None:
        """Take note that the browser has come, maybe again: it asks for what is after its cursor.

        A replay that was cut comes again.
        """
        self._follows = False
        for sequence in self._replayed:
            del self._got[sequence]
        self._replayed.clear()

    @property
    def follows(self) -> bool:
        """Whether it was told that it follows all of its patterns."""
        return len(self._since) == self._wanted

    @property
    def wish(self) -> Any:
        """What the browser asks for as `history`."""
        return "new" if self.cursor is None else {"after": self.cursor}

    def violated(self, what: str) -> None:
        """Note something that is not as promised."""
        self._findings.violations.append(f"{self._name}: {what}")

    # What comes

    def take(self, frame: dict[str, Any]) -> None:
        """Check one object of the wire, in the order they come."""
        if "subject" in frame:
            self._take_message(frame)
        elif frame.get("success"):
            self._take_response(frame)
        elif "status" in frame:
            self._take_notice(frame)
        elif frame.get("code") != "nats_down":
            self.violated(f"unexpected: {frame}")

    def _take_message(self, frame: dict[str, Any]) -> None:
        self._findings.of_streams += 1
        sequence, is_replay = frame["seq"], frame.get("replay", False)
        before = max(self._replayed, default=0) if is_replay else self._at
        if sequence in self._got or sequence <= self._compared:
            self.violated(f"duplicated: {sequence}")
        elif sequence <= before:
            self.violated(f"out of order: {sequence} after {before}")
        self._got[sequence] = frame["subject"]
        if is_replay:
            self._replayed.append(sequence)
        else:
            self._reach(sequence)

    def _take_response(self, frame: dict[str, Any]) -> None:
        history = frame.get("history")
        if history is None or history.get("resumed") is False:
            self.violated(f"not resumed: {frame}")
            return
        self._follows = True
        self._place = history["stream"], history["epoch"]
        for pattern in frame["subjects"]:
            self._since.setdefault(pattern, history["after"])
        if self.cursor is None:
            self._reach(history["after"])

    def _take_notice(self, frame: dict[str, Any]) -> None:
        status = frame["status"]
        if status == "live":
            self._replayed.clear()
            self._reach(frame["seq"])
        elif status == "behind":
            self._findings.behind += 1
        elif status == "missed":
            self._may_miss.append(range(frame["after"] + 1, frame["until"] + 1))
            self._findings.missed += 1
        elif status == "nats_up" and frame["gap"] and self._follows:
            self.violated("told of a gap, but there is none in a stream")

    def _reach(self, sequence: int) -> None:
        self._at = max(self._at, sequence)
        self.cursor = f"{'.'.join(self._place)}.{self._at}"

    # What the stream has

    def due(self, entries: Iterable[Entry]) -> dict[int, str]:
        """Return what of these has to come, subjects by sequence."""
        subjects = {each.subject for each in entries}
        since = {
            subject: min(
                (after for pattern, after in self._since.items() if matches(pattern, subject)),
                default=None,
            )
            for subject in subjects
        }
        return {
            each.sequence: each.subject
            for each in entries
            if (after := since[each.subject]) is not None and each.sequence > after
        }

    def has(self, entries: Iterable[Entry]) -> bool:
        """Tell whether the last of these that has to come has come."""
        due = self.due(entries)
        return not due or max(due) in self._got

    def compare(self, entries: list[Entry]) -> None:
        """Compare with what the stream has stored since the last time."""
        if not entries:
            return
        last = entries[-1].sequence
        due = self.due(entries)
        got = {each: subject for each, subject in self._got.items() if each <= last}
        missing = [
            each for each in due if each not in got and not any(each in r for r in self._may_miss)
        ]
        if missing:
            self.violated(f"lost: {len(missing)} messages, {missing[:SHOWN]} among them")
        wrong = [each for each, subject in got.items() if due.get(each) != subject]
        if wrong:
            self.violated(f"not in the stream: {len(wrong)}, {wrong[:SHOWN]} among them")
        for each in got:
            del self._got[each]
        self._replayed = [each for each in self._replayed if each > last]
        self._compared = last
