"""A request's patterns: which of them overlap another one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from itertools import compress
from operator import or_
from typing import NamedTuple

from bridge.wire.subjects import split

_DIGITS = bytes.maketrans(b"01", b"\0\1")


class PatternBits:
    """Patterns of which those that overlap another are found as the bits of a number.

    It takes a step for each token whatever they look like; a tree may take one for each prefix.
    """

    __slots__ = ("_lengths", "_patterns", "_places")

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = list(patterns)
        self._lengths: dict[int, int] = {}
        """Number of tokens to those that have so many."""
        places: list[dict[str, int]] = []
        for index, pattern in enumerate(self._patterns):
            bit, tokens = 1 << index, split(pattern)
            self._lengths[len(tokens)] = self._lengths.get(len(tokens), 0) | bit
            while len(places) < len(tokens):
                places.append({})
            for token, place in zip(tokens, places, strict=False):
                place[token] = place.get(token, 0) | bit
        self._places = [_Place.of(each) for each in places]

    def overlapping(self, pattern: str) -> list[str]:
        """Return those that overlap `pattern`, in their order; itself, too, if it is there."""
        tokens = split(pattern)
        alive, found = (1 << len(self._patterns)) - 1, 0
        for token, (exact, star, one, rest) in zip(tokens, self._places, strict=False):
            if token == ">":
                found |= alive & (one | rest)
                break
            if rest:
                found |= alive & rest
            alive &= one if token == "*" else star | exact.get(token, 0)
            if not alive:
                break
        else:
            found |= alive & self._lengths.get(len(tokens), 0)
        digits = f"{found:b}".encode().translate(_DIGITS)
        return list(compress(self._patterns, reversed(digits))) if found else []


class _Place(NamedTuple):
    """The tokens that patterns have in one place: bits of those that have each."""

    exact: dict[str, int]
    star: int
    one: int
    """Those with a token that stands for one."""
    rest: int

    @classmethod
    def of(cls, tokens: dict[str, int]) -> _Place:
        """Sort them; `tokens` is used up."""
        rest = tokens.pop(">", 0)
        one = reduce(or_, tokens.values(), 0)
        return cls(tokens, tokens.pop("*", 0), one, rest)
