"""Patterns that do not change: what a policy grants or denies, what a route has before another."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.wire.pattern_tree import PatternTree
from bridge.wire.subjects import (
    WILDCARDS,
    Tokens,
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

    __slots__ = ("_firsts", "_hash", "_tokens", "_tree", "patterns")

    def __init__(self, patterns: Iterable[str], *, with_tree: bool = True) -> None:
        self.patterns = tuple(patterns)
        self._hash = hash(self.patterns)
        is_small = len(self.patterns) <= SMALL_SET or not with_tree
        self._tree = None if is_small else PatternTree(self.patterns)
        # Made when they are asked for: a request can make a hundred sets, each of a hundred.
        self._tokens: list[Tokens] | None = None
        self._firsts: set[str] | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PatternSet):
            return NotImplemented
        return self.patterns == other.patterns

    def __hash__(self) -> int:
        return self._hash

    def _split(self) -> list[Tokens]:
        if self._tokens is None:
            self._tokens = [split(each) for each in self.patterns]
        return self._tokens

    def _first_tokens(self) -> set[str]:
        """Return what they begin with; none if one begins with a wildcard, as everything may do."""
        if self._firsts is None:
            firsts = {split(each)[0] for each in self.patterns}
            self._firsts = set() if firsts.intersection(WILDCARDS) else firsts
        return self._firsts

    def overlaps(self, pattern: str) -> bool:
        """Tell whether one of them matches a subject that `pattern` matches, too."""
        tokens, firsts = split(pattern), self._first_tokens()
        if firsts and tokens[0] not in firsts and tokens[0] not in WILDCARDS:
            return False
        if self._tree is not None:
            return bool(self._tree.overlapping(pattern))
        return any(tokens_overlap(each, tokens) for each in self._split())

    def covers(self, pattern: str) -> bool:
        """Tell whether one of them matches every subject that `pattern` matches."""
        tokens, firsts = split(pattern), self._first_tokens()
        if firsts and tokens[0] not in firsts:
            return False
        if self._tree is not None:
            return any(contains(each, pattern) for each in self._tree.overlapping(pattern))
        for each in self._split():  # as quick as can be: a request asks a hundred times
            if tokens_contain(each, tokens):
                return True
        return False

    def matches(self, subject: str) -> bool:
        """Tell whether one of them matches `subject`, of which every token stands for itself."""
        if self._tree is not None:
            return bool(self._tree.matching(subject))
        tokens = split(subject)
        return any(tokens_match(each, tokens) for each in self._split())
