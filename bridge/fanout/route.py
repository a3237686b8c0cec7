"""By which of a member's overlapping patterns each of its messages comes.

Every message that overlapping patterns bring comes once for each of them, and the member is to get
it once. Its *route* is an order of these patterns: the first one that matches a subject is the
*source* of its messages, and what the others bring of it is filtered. In the end the widest pattern
is first, so a member gets what several of its patterns match in the order in which NATS has it for
the widest. `docs/architecture.md` has the invariant and its proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bridge.fanout.group import NO_COPIES
from bridge.wire.patterns import PatternSet
from bridge.wire.subjects import matches, split

if TYPE_CHECKING:
    from bridge.fanout.copies import Copy

MAX_LINGERING = 128
"""Patterns of one member that it has left and that bring what others match."""

_WIDTH = {">": 0, "*": 1}


class Route:
    """The overlapping patterns of one member, in the order in which they are asked for a subject.

    A pattern that the member has left *lingers* while it is not known yet which of its messages
    have come by the others: it remains the source of what they match, and of nothing else.
    """

    __slots__ = ("_rank", "changed", "crosses", "had", "is_steady", "left", "order", "owed")

    def __init__(self, rank: Callable[[str], Any]) -> None:
        self._rank = rank
        self.order: list[str] = []
        self.crosses: dict[str, set[str]] = {}
        """Each pattern, and those of the member that overlap it."""
        self.left: set[str] = set()
        """Those that linger."""
        self.had: frozenset[Copy] = NO_COPIES
        """Messages that the member has had, and that are yet to come by their source."""
        self.owed: frozenset[Copy] = NO_COPIES
        """Messages that have come by a pattern that is gone now, and not yet by their source."""
        self.is_steady = False
        """Whether all patterns have settled, and the widest are first."""
        self.changed = 0.0
        """When it changed last."""

    def source(self, subject: str) -> str | None:
        """Return the pattern by which the messages on `subject` come; None if by none of these."""
        for pattern in self.order:
            if matches(pattern, subject) and self._wants(pattern, subject):
                return pattern
        return None

    def _wants(self, pattern: str, subject: str) -> bool:
        if pattern not in self.left:
            return True
        return any(matches(each, subject) for each in self._followed_beside(pattern))

    def _followed_beside(self, pattern: str) -> list[str]:
        return sorted(self.crosses[pattern] - self.left)

    def has(self, copy: Copy) -> bool:
        """Tell whether the member has had a message under way."""
        return copy in self.had or self.source(copy.subject) in copy.came

    def without(self, pattern: str) -> PatternSet | None:
        """Return the patterns whose messages `pattern` does not bring; None if there are none."""
        beside = self.crosses[pattern]
        before = [each for each in self.order[: self.order.index(pattern)] if each in beside]
        return PatternSet(before, with_tree=False) if before else None

    def within(self, pattern: str) -> PatternSet | None:
        """Return the patterns outside of which a lingering one brings nothing, else None."""
        beside = self._followed_beside(pattern) if pattern in self.left else ()
        return PatternSet(beside, with_tree=False) if beside else None

    def had_by(self, pattern: str) -> frozenset[Copy]:
        """Return the messages that the member has had and of which a copy comes by `pattern`."""
        return frozenset(each for each in self.had if self.source(each.subject) == pattern)

    # How it changes

    def put(self, patterns: Iterable[str]) -> None:
        """Take up patterns that the member follows, behind those that are there."""
        for pattern in patterns:
            if pattern not in self.crosses:
                self.crosses[pattern] = set()
                self.order.append(pattern)

    def add(self, patterns: Iterable[str], beside: dict[str, set[str]]) -> None:
        """Take up further patterns, or some that lingered; `beside`: what overlaps them or others.

        Only those of `patterns` are taken up that overlap others.
        """
        self.left.difference_update(patterns)
        self.put(each for each in patterns if each in beside)
        for pattern, others in beside.items():
            self.crosses[pattern] |= others

    def leave(self, patterns: Iterable[str]) -> None:
        """Leave `patterns`: at once where that is exact, else once they have settled."""
        self.left.update(patterns)
        for pattern in patterns:
            behind = self.order[self.order.index(pattern) + 1 :]
            heirs = (self.crosses[pattern] - self.left).intersection(behind)
            if self.is_steady or not heirs:
                self._drop(pattern)
        # Who comes and goes that fast may lose a message, or get it twice, but not hold them all.
        for pattern in [each for each in self.order if each in self.left][:-MAX_LINGERING]:
            self._drop(pattern)
        self._drop_idle()

    def remove(self, pattern: str) -> None:
        """Leave `pattern` at once."""
        self._drop(pattern)
        self._drop_idle()

    def _drop(self, pattern: str) -> None:
        for each in self.crosses.pop(pattern):
            self.crosses[each].discard(pattern)
        self.order.remove(pattern)
        self.left.discard(pattern)

    def _drop_idle(self) -> None:
        """Leave those that linger and are the source of nothing any more."""
        for pattern in tuple(self.left):
            if not self.crosses[pattern] - self.left:
                self._drop(pattern)

    def settle(self) -> None:
        """Put the widest first, and leave those that linger."""
        self.order.sort(key=self._rank)
        self.is_steady = True
        for pattern in tuple(self.left):
            self._drop(pattern)

    def exchange(
        self, under_way: Iterable[Copy], has: set[Copy], before: set[str], *, was_steady: bool
    ) -> list[Copy]:
        """See to it that after a change what is `under_way` comes once; return what never would.

        `has`: those of them that the member has had. `before`: the patterns until now.
        `was_steady`: whether all had settled; if not, a message that no pattern brings now may have
        been delivered already.
        """
        had, owed, missed = set(), set(), []
        for copy in under_way:
            source = self.source(copy.subject)
            has_come = source in copy.came
            is_owed = copy in self.owed or not before.isdisjoint(copy.came)
            if copy in has:
                if source is not None and not has_come:
                    had.add(copy)
            elif has_come or (source is None and is_owed and was_steady):
                missed.append(copy)
            elif is_owed:
                owed.add(copy)
        self.had, self.owed = frozenset(had), frozenset(owed)
        return missed

    def tidy(self) -> list[str]:
        """What was under way has come: forget it, and return the patterns that are alone now."""
        self.had = self.owed = NO_COPIES
        alone = [each for each, beside in self.crosses.items() if not beside]
        for pattern in alone:
            self._drop(pattern)
        return alone


@lru_cache(maxsize=1024)
def width(pattern: str) -> tuple[bytes, str]:
    """Return a key by which a pattern comes before all that it contains."""
    return bytes([_WIDTH.get(token, 2) for token in split(pattern)]), pattern
