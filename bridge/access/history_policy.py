"""Which patterns' past may be read: the messages that streams have stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from bridge.access.policy import SubjectPolicy
from bridge.wire import subjects
from bridge.wire.patterns import PatternSet

NO_PATTERNS = PatternSet(())
"""What may be read at all, where history is off."""


@dataclass(frozen=True)
class HistoryPolicy:
    """What may be followed, as far as it lies within grants. All that open nothing are equal.

    A denial, or a reserved subject under a wide pattern, is no matter of this: whoever delivers
    asks the policy for following about each message, whether it is stored or live.
    """

    _follow: SubjectPolicy
    _grants: tuple[PatternSet, ...]
    """A pattern has to lie within one of each."""

    @classmethod
    def of(
        cls, follow: SubjectPolicy, common: PatternSet, own: Iterable[str] | None = None
    ) -> HistoryPolicy:
        """Return the policy of somebody with grants of its `own`, or with those in `common` alone.

        `common`: what anybody may read at all.
        """
        grants = (common,) if own is None else (common, PatternSet(own))
        return cls(follow, grants) if all(each.patterns for each in grants) else NOTHING

    def may_read(self, pattern: str) -> bool:
        """Tell whether the past of `pattern`, all of it, may be read."""
        within = all(each.covers(pattern) for each in self._grants)
        return within and self._follow.may_follow(pattern)

    @cached_property
    def is_open(self) -> bool:
        """Whether there is any pattern whose past may be read: every greeting says so."""
        return bool(self.within(self._follow.allow))

    def within(self, patterns: Iterable[str]) -> list[str]:
        """Return the patterns of which the past may be read within `patterns`, but for denials."""
        shared = patterns
        for each in (PatternSet(self._follow.allow), *self._grants):
            shared = _shared(shared, each)
        return [*filter(self._follow.may_follow, shared)]


NOTHING = HistoryPolicy(SubjectPolicy(()), ())
"""For whoever may read no past."""


def _shared(patterns: Iterable[str], grants: PatternSet) -> Iterator[str]:
    """Yield what each of `patterns` has in common with each of `grants`."""
    for pattern in patterns:
        if grants.overlaps(pattern):
            for grant in grants.patterns:
                shared = subjects.intersection(pattern, grant)
                if shared is not None:
                    yield shared
