"""Many patterns at once: which of them overlap a pattern, which match a subject.

A tree of tokens, so that the answer takes as many steps as there are tokens, not patterns.
"""

from __future__ import annotations

from collections.abc import Iterable

from bridge.wire.subjects import contains, split, tokens_contain, tokens_match, tokens_overlap

_WILDCARDS = ("*", ">")
SMALL_SET = 8
"""Patterns that are asked one by one as fast as by a tree, and in a fraction of its memory."""


class PatternTree:
    """A set of patterns that can be asked for those that overlap another, or match a subject."""

    __slots__ = ("_root",)

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self._root = _Node()
        for pattern in patterns:
            self.add(pattern)

    def add(self, pattern: str) -> None:
        """Put `pattern` in. Idempotent."""
        node = self._root
        for token in split(pattern):
            child = node.children.get(token)
            if child is None:
                child = node.children[token] = _Node()
            node = child
        node.pattern = pattern

    def discard(self, pattern: str) -> None:
        """Take `pattern` out. Idempotent."""
        path = [self._root]
        tokens = split(pattern)
        for token in tokens:
            child = path[-1].children.get(token)
            if child is None:
                return
            path.append(child)
        path[-1].pattern = None
        for token in reversed(tokens):
            node = path.pop()
            if node.children or node.pattern is not None:
                return
            del path[-1].children[token]

    def overlapping(self, pattern: str) -> list[str]:
        """Return those that match some subject which `pattern` matches, too."""
        return self._find(pattern, wildcards=_WILDCARDS)

    def matching(self, subject: str) -> list[str]:
        """Return those that match `subject`, of which every token stands for itself."""
        return self._find(subject, wildcards=())

    def _find(self, name: str, wildcards: tuple[str, ...]) -> list[str]:
        """Return those that match a subject which `name` matches, in which `wildcards` are such."""
        nodes, found = [self._root], list[str]()
        for token in split(name):
            if token == ">" and wildcards:
                for node in nodes:
                    _find_below(node, found)
                return found
            following: list[_Node] = []
            for node in nodes:
                children = node.children
                rest = children.get(">")
                if rest is not None and rest.pattern is not None:
                    found.append(rest.pattern)
                if token in wildcards:
                    following += children.values()
                    if rest is not None:
                        following.remove(rest)
                    continue
                one = children.get("*")
                if one is not None:
                    following.append(one)
                child = children.get(token) if token not in _WILDCARDS else None
                if child is not None:
                    following.append(child)
            nodes = following
            if not nodes:
                return found
        found += [node.pattern for node in nodes if node.pattern is not None]
        return found


class _Node:
    __slots__ = ("children", "pattern")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.pattern: str | None = None
        """The pattern that ends here."""


def _find_below(node: _Node, found: list[str]) -> None:
    for child in node.children.values():
        if child.pattern is not None:
            found.append(child.pattern)
        _find_below(child, found)


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
        self._first = None if first.intersection(_WILDCARDS) else first | {*_WILDCARDS}
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
