"""Which subjects may be followed, and which of their messages are delivered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.wire.patterns import PatternSet
from bridge.wire.subjects import CONTROL, INBOXES

RESERVED = ("$SYS.>", "$JS.>", "$KV.>", "$O.>", "$MQTT.>", "_INBOX.>", "panini_events.>")
"""Denied unless granted by name: by a grant that lies within one of these, as `$JS.API.>` does."""

_RESERVED = PatternSet(RESERVED)
_OURS = PatternSet((f"{CONTROL}.>", f"{INBOXES}.>"))

Decided = dict[PatternSet, bool]
"""Whether one subject is hit by each set of patterns asked so far: many rules share them."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What decides, subject by subject, on messages that one followed pattern brings.

    Equal for all policies that make no difference to this pattern.
    """

    denials: tuple[PatternSet, ...]
    by_name: PatternSet | None
    """Grants of reserved subjects; None where the pattern brings none, or was granted by name."""

    def allows(self, subject: str, decided: Decided) -> bool:
        """Tell whether a message on `subject` may be delivered; remembers in `decided`.

        By overlap: a publisher may use `a.>` as a plain name, which a denial of `a.*` matches.
        """
        if any(_overlaps(each, subject, decided) for each in self.denials):
            return False
        if self.by_name is None or not _overlaps(_RESERVED, subject, decided):
            return True
        return self.by_name.covers(subject)


class SubjectPolicy:
    """Which patterns may be followed, and which subjects under them are delivered; deny wins.

    Two with the same grants and denials are equal. What one has in `common` with others, all its
    denials, is compiled once for all of them.
    """

    __slots__ = ("_by_name", "_denials", "_grants", "deny")

    def __init__(
        self,
        allow: Iterable[str] = (">",),
        deny: Iterable[str] = (),
        *,
        common: SubjectPolicy | None = None,
    ) -> None:
        own = tuple(deny)
        inherited: tuple[PatternSet, ...] = (_OURS,) if common is None else common._denials
        self.deny: tuple[str, ...] = own if common is None else (*common.deny, *own)
        self._grants = PatternSet(allow)
        self._by_name = PatternSet(each for each in self.allow if _RESERVED.covers(each))
        self._denials: tuple[PatternSet, ...] = inherited
        if own:
            self._denials = (*inherited, PatternSet(own))

    @property
    def allow(self) -> tuple[str, ...]:
        """The grants."""
        return self._grants.patterns

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SubjectPolicy):
            return NotImplemented
        return (self.allow, self.deny) == (other.allow, other.deny)

    def __hash__(self) -> int:
        return hash((self.allow, self.deny))

    def may_follow(self, pattern: str) -> bool:
        """Tell whether `pattern` lies wholly within a grant and not wholly in a denial."""
        grants = self._by_name if _RESERVED.covers(pattern) else self._grants
        return grants.covers(pattern) and not any(each.covers(pattern) for each in self._denials)

    def may_receive(self, subject: str) -> bool:
        """Tell whether a message on `subject` may be delivered."""
        grants = self._by_name if _RESERVED.overlaps(subject) else self._grants
        return grants.covers(subject) and not any(each.overlaps(subject) for each in self._denials)

    def rule(self, pattern: str) -> Rule | None:
        """Return what decides on the messages of a `pattern` that may be followed.

        None if there is nothing to decide: it lies within a grant, so every subject of it does.
        """
        denials = tuple(each for each in self._denials if each.overlaps(pattern))
        mixed = _RESERVED.overlaps(pattern) and not _RESERVED.covers(pattern)
        if not denials and not mixed:
            return None
        return Rule(denials, self._by_name if mixed else None)


def _overlaps(patterns: PatternSet, subject: str, decided: Decided) -> bool:
    known = decided.get(patterns)
    if known is None:
        known = decided[patterns] = patterns.overlaps(subject)
    return known
