"""What the consumer of a tail brings: the patterns followed, and since when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bridge.wire.subjects import Tokens, contains, split, tokens_contain

MAX_FILTERS = 32
"""More are slow to make; instead everything is brought, and most of it goes to nobody."""
MAX_LOOKED_AT = 4 * MAX_FILTERS


class Filters:
    """Patterns that are wanted, each as often as it was added, and what is brought for them."""

    def __init__(self) -> None:
        self._wanted: Counter[str] = Counter()
        self._has_fewer = False
        """Whether any has gone since it was last looked whether fewer should be brought."""
        self._since: dict[str, int] = {}
        """What is brought, and the sequence after which it has been without a gap."""

    def add(self, patterns: Iterable[str]) -> None:
        """Want each of these once more."""
        self._wanted.update(list(patterns))

    def remove(self, patterns: Iterable[str]) -> None:
        """Take back what was added."""
        for pattern in patterns:
            self._wanted[pattern] -= 1
            if self._wanted[pattern] <= 0:
                del self._wanted[pattern]
                self._has_fewer = True

    def are_due(self) -> bool:
        """Tell whether less should be brought than is, once for what has gone so far.

        Nothing is as good as less.
        """
        has_fewer, self._has_fewer = self._has_fewer, False
        return has_fewer and bool(self._wanted) and set(self.wanted()) != set(self._since)

    def wanted(self) -> tuple[str, ...]:
        """Return what should be brought, none of it within another: the server refuses those."""
        widest: list[Tokens] = []
        for tokens in map(split, self._wanted):
            if any(tokens_contain(each, tokens) for each in widest):
                continue
            widest = [each for each in widest if not tokens_contain(tokens, each)]
            widest.append(tokens)
            if len(widest) > MAX_LOOKED_AT:
                break
        return tuple(map(".".join, widest)) if len(widest) <= MAX_FILTERS else (">",)

    def bring(self, filters: Iterable[str], position: int) -> None:
        """Take note of what is brought from `position` on, or has been for longer."""
        known = self._since
        self._since = {
            each: min((at for wide, at in known.items() if contains(wide, each)), default=position)
            for each in filters
        }

    def restart(self, position: int) -> None:
        """Take note that what was brought up to `position` does not count any more."""
        self._since = dict.fromkeys(self._since, position)

    def has(self, pattern: str) -> bool:
        """Tell whether all of a pattern is brought."""
        return any(contains(each, pattern) for each in self._since)

    def since(self, pattern: str) -> int:
        """Return the sequence after which all of a pattern that is brought has come."""
        return min(at for each, at in self._since.items() if contains(each, pattern))
