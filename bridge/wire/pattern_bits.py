"""A request's patterns: which of them overlap another one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import compress

from bridge.wire.subjects import split


class PatternBits:
    """Patterns of which those that overlap another are told as the bits of a number.

    It takes a step for each token whatever they look like; a tree may take one for each prefix.
    """

    __slots__ = ("_lengths", "_patterns", "_places")

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = list(patterns)
        self._places: list[_Place] = []
        self._lengths: dict[int, int] = {}
        """Number of tokens to those that have so many."""
        for index, pattern in enumerate(self._patterns):
            bit, tokens = 1 << index, split(pattern)
            self._lengths[len(tokens)] = self._lengths.get(len(tokens), 0) | bit
            while len(self._places) < len(tokens):
                self._places.append(_Place())
            for token, place in zip(tokens, self._places, strict=False):
                place.put(token, bit)

    def overlapping(self, pattern: str, among: int = -1) -> list[str]:
        """Return those that overlap `pattern`, in their order.

        `among`: how many of the first are looked at; all if it is negative.
        """
        tokens = split(pattern)
        alive, found = (1 << (len(self._patterns) if among < 0 else among)) - 1, 0
        for token, place in zip(tokens, self._places, strict=False):
            if token == ">":
                found |= alive & (place.one | place.rest)
                break
            found |= alive & place.rest
            alive &= place.one if token == "*" else place.star | place.exact.get(token, 0)
            if not alive:
                break
        else:
            found |= alive & self._lengths.get(len(tokens), 0)
        return list(compress(self._patterns, map(int, f"{found:b}"[::-1]))) if found else []


class _Place:
    """The tokens that patterns have in one place: each with the bits of those that have it."""

    __slots__ = ("exact", "one", "rest", "star")

    def __init__(self) -> None:
        self.exact: dict[str, int] = {}
        self.star = self.rest = 0
        self.one = 0
        """Those with a token that stands for one."""

    def put(self, token: str, bit: int) -> None:
        if token == ">":
            self.rest |= bit
            return
        self.one |= bit
        if token == "*":
            self.star |= bit
        else:
            self.exact[token] = self.exact.get(token, 0) | bit
