"""Many patterns that come and go: which of them overlap a pattern, which match a subject."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bridge.wire.subjects import WILDCARDS, Tokens, split, tokens_match, tokens_overlap

SMALL_TREE = 8
"""Patterns that are asked one by one as fast as by nodes, and in a fraction of their memory."""


class PatternTree:
    """A set of patterns that can be asked for those that overlap another, or match a subject.

    It forks only where more than `SMALL_TREE` patterns have their first tokens in common: else a
    pattern of a hundred tokens would have a hundred nodes of its own.
    """

    __slots__ = ("_root",)

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self._root = _Node()
        for pattern in patterns:
            self.add(pattern)

    def add(self, pattern: str) -> None:
        """Put `pattern` in. Idempotent."""
        tokens = split(pattern)
        path = self._path(tokens)
        depth, node = len(path) - 1, path[-1]
        if pattern in node.patterns:
            return
        if node.children is not None and depth < len(tokens):
            child = node.children[tokens[depth]] = _Node()
            path.append(child)
            node, depth = child, depth + 1
        node.patterns.append(pattern)
        for each in path:
            each.count += 1
        while node.children is None and node.count > SMALL_TREE:
            node = node.fork(depth)
            depth += 1

    def discard(self, pattern: str) -> None:
        """Take `pattern` out. Idempotent."""
        tokens = split(pattern)
        path = self._path(tokens)
        if pattern not in path[-1].patterns:
            return
        path[-1].patterns.remove(pattern)
        for each in path:
            each.count -= 1
        for depth, node in enumerate(path):
            if node.count <= SMALL_TREE // 2:
                node.join()
                parent = path[depth - 1].children if depth else None
                if parent is not None and not node.count:
                    del parent[tokens[depth - 1]]
                return

    def _path(self, tokens: Tokens) -> list[_Node]:
        """Return the nodes from the root to where a pattern is, or would be put."""
        path = [self._root]
        for token in tokens:
            children = path[-1].children
            child = children.get(token) if children is not None else None
            if child is None:
                break
            path.append(child)
        return path

    def overlapping(self, pattern: str) -> list[str]:
        """Return those that match some subject which `pattern` matches, too."""
        return self._find(split(pattern), WILDCARDS, tokens_overlap)

    def matching(self, subject: str) -> list[str]:
        """Return those that match `subject`, of which every token stands for itself."""
        return self._find(split(subject), (), tokens_match)

    def _find(
        self, tokens: Tokens, wildcards: tuple[str, ...], fit: Callable[[Tokens, Tokens], bool]
    ) -> list[str]:
        """Return those that match a subject which `tokens` match, in which `wildcards` are such.

        `fit` tells whether the tokens of one of them do.
        """
        nodes, found = [self._root], list[str]()
        for token in tokens:
            following: list[_Node] = []
            for node in nodes:
                if node.children is None:
                    found += [each for each in node.patterns if fit(split(each), tokens)]
                elif token == ">" and wildcards:
                    for child in node.children.values():
                        child.gather(found)
                else:
                    following += node.following(token, wildcards, found)
            nodes = following
            if not nodes:
                return found
        for node in nodes:
            found += [each for each in node.patterns if fit(split(each), tokens)]
        return found


class _Node:
    __slots__ = ("children", "count", "patterns")

    def __init__(self) -> None:
        self.children: dict[str, _Node] | None = None
        """By the next token; None where there are few patterns."""
        self.patterns: list[str] = []
        """All from here on, or only the one that ends here if there are children."""
        self.count = 0
        """Of all patterns from here on."""

    def fork(self, depth: int) -> _Node:
        """Put the patterns into children, `depth` tokens from the root; return the largest."""
        patterns, self.patterns = self.patterns, []
        self.children = {}
        for pattern in patterns:
            tokens = split(pattern)
            if len(tokens) == depth:
                self.patterns.append(pattern)
            else:
                child = self.children.setdefault(tokens[depth], _Node())
                child.patterns.append(pattern)
                child.count += 1
        return max(self.children.values(), key=lambda child: child.count)

    def join(self) -> None:
        """Take all patterns back from the children. Idempotent."""
        patterns: list[str] = []
        self.gather(patterns)
        self.patterns, self.children = patterns, None

    def gather(self, found: list[str]) -> None:
        """Add all patterns from here on to `found`."""
        found += self.patterns
        for child in (self.children or {}).values():
            child.gather(found)

    def following(self, token: str, wildcards: tuple[str, ...], found: list[str]) -> list[_Node]:
        """Return the children for the next token; add to `found` what matches all that follows."""
        children = self.children or {}
        rest = children.get(">")
        if rest is not None:
            found += rest.patterns
        if token in wildcards:
            return [each for each in children.values() if each is not rest]
        names = ("*",) if token in WILDCARDS else ("*", token)
        return [children[name] for name in names if name in children]
