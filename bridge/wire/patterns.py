"""Patterns that do not change: what a policy grants or denies, what a route has before another."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.wire.pattern_tree import PatternTree
from bridge.wire.subjects import (
    WILDCARDS,
    contains,
    split,
    tokens_contain,
    tokens_match,
    tokens_overlap,
)

SMALL_SET = 8
"""Patterns that are asked one by one as fast as by a tree, and in a fraction of its memory."""


class PatternSet:
    """Patterns that do not change: equal to others with the same ones in the same order.

    `with_tree`: whether many of them may take the memory of a tree, to be asked faster.
    """

    __slots__ = ("_first", "_hash", "_tokens", "_tree", "patterns")

    def __init__(self, patterns: Iterable[str], *, with_tree: bool = True) -> None:
        self.patterns = tuple(patterns)
        self._hash = hash(self.patterns)
        is_small = len(self.patterns) <= SMALL_SET or not with_tree
        self._tokens = [split(each) for each in self.patterns] if is_small else []
        self._tree = None if is_small else PatternTree(self.patterns)
        first = {split(each)[0] for each in self.patterns}
        self._first = None if first.intersection(WILDCARDS) else first | {*WILDCARDS}
        """The first tokens of whatever may overlap one of them, which mostly nothing does."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PatternSet):
            return NotImplemented
        return self.patterns == other.patterns

    def __hash__(self) -> int:
        return self._hash

    def overlaps(self, pattern: str) -> bool:
        """Tell whether one of them matches a subject that `pattern` matches, too."""
        tokens = split(pattern)
        if self._first is not None and tokens[0] not in self._first:
            return False
        if self._tree is not None:
            return bool(self._tree.overlapping(pattern))
        return any(tokens_overlap(each, tokens) for each in self._tokens)

    def covers(self, pattern: str) -> bool:
        """Tell whether one of them matches every subject that `pattern` matches."""
        tokens = split(pattern)
        if self._first is not None and tokens[0] not in self._first:
            return False
        if self._tree is not None:
            return any(contains(each, pattern) for each in self._tree.overlapping(pattern))
        return any(tokens_contain(each, tokens) for each in self._tokens)

    def matches(self, subject: str) -> bool:
        """Tell whether one of them matches `subject`, of which every token stands for itself."""
        if self._tree is not None:
            return bool(self._tree.matching(subject))
        tokens = split(subject)
        return any(tokens_match(each, tokens) for each in self._tokens)
