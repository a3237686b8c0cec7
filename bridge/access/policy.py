"""Which subjects may be followed, and which of their messages are delivered."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.wire import subjects
from bridge.wire.subjects import CONTROL, INBOXES

RESERVED = ("$SYS.>", "$JS.>", "$KV.>", "$O.>", "_INBOX.>", "panini_events.>")
"""Denied unless granted by name: by a grant that lies within one of these, as `$JS.API.>` does."""
MAX_DECISIONS = 10000


class SubjectPolicy:
    """Which patterns may be followed, and which subjects under them are delivered; deny wins.

    Two with the same grants and denials are equal, so that connections can share what they get.
    """

    def __init__(self, allow: Iterable[str] = (">",), deny: Iterable[str] = ()) -> None:
        self.allow = tuple(allow)
        self.deny = tuple(deny)
        self._denied = (*self.deny, f"{CONTROL}.>", f"{INBOXES}.>")
        self._by_name = tuple(each for each in self.allow if _is_within(each, RESERVED))
        self._hash = hash((self.allow, self.deny))
        self._decided: dict[str, bool] = {}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SubjectPolicy):
            return NotImplemented
        return (self.allow, self.deny) == (other.allow, other.deny)

    def __hash__(self) -> int:
        return self._hash

    def may_follow(self, pattern: str) -> bool:
        """Tell whether `pattern` lies wholly within a grant and not wholly in a denial."""
        grants = self._by_name if _is_within(pattern, RESERVED) else self.allow
        return _is_within(pattern, grants) and not _is_within(pattern, self._denied)

    def may_receive(self, subject: str) -> bool:
        """Tell whether a message on `subject` may be delivered; remembered for 10,000 subjects."""
        decision = self._decided.get(subject)
        if decision is None:
            if len(self._decided) >= MAX_DECISIONS:
                self._decided.clear()
            decision = self._decided[subject] = self._decide(subject)
        return decision

    def _decide(self, subject: str) -> bool:
        # By overlap: a publisher may use `a.>` as a plain name, which a denial of `a.*` matches.
        def hits(pattern: str) -> bool:
            return subjects.overlap(pattern, subject)

        grants = self._by_name if any(map(hits, RESERVED)) else self.allow
        return _is_within(subject, grants) and not any(map(hits, self._denied))


def _is_within(pattern: str, outer: Iterable[str]) -> bool:
    return any(subjects.contains(each, pattern) for each in outer)
