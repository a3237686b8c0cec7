"""A request's patterns: which of them overlap another one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import compress
from operator import or_
from typing import NamedTuple

from bridge.wire.subjects import Tokens, overlap, split

FEW = 4
"""Patterns that are looked at one by one as fast."""

_DIGITS = bytes.maketrans(b"01", b"\0\1")


class PatternBits:
    """Patterns of which those that overlap another are found as the bits of a number.

    It takes a step for each token whatever they look like; a tree may take one for each prefix.
    """

    __slots__ = ("_deciding", "_lengths", "_patterns", "_places")

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = list(patterns)
        self._lengths: dict[int, int] = {}
        """Number of tokens to those that have so many."""
        self._places: list[_Place] = []
        self._deciding: list[tuple[int, _Place]] = []
        """Those that are no `*` of all patterns, with where they are."""
        if len(self._patterns) > FEW:
            self._sort()

    def _sort(self) -> None:
        alike: dict[int, list[tuple[int, Tokens]]] = {}
        for index, pattern in enumerate(self._patterns):
            tokens = split(pattern)
            alike.setdefault(len(tokens), []).append((1 << index, tokens))
        places: list[dict[str, int]] = [{} for _ in range(max(alike, default=0))]
        for length, pairs in alike.items():
            bits, rows = zip(*pairs, strict=True)
            self._lengths[length] = sum(bits)
            for place, column in zip(places, zip(*rows, strict=True), strict=False):
                _note(place, column, bits, self._lengths[length])
        self._places = [_Place.of(each) for each in places]
        self._deciding = [(n, each) for n, each in enumerate(self._places) if each.decides]

    def overlapping(self, pattern: str) -> list[str]:
        """Return those that overlap `pattern`, in their order; itself, too, if it is there."""
        if not self._places:
            return [each for each in self._patterns if overlap(each, pattern)]
        tokens = split(pattern)
        end = len(tokens) - (tokens[-1] == ">")
        alive, found = (1 << len(self._patterns)) - 1, 0
        for index, (exact, star, one, rest) in self._deciding:
            if index >= end:
                break
            if rest:
                found |= alive & rest
            token = tokens[index]
            alive &= one if token == "*" else star | exact.get(token, 0)
            if not alive:
                break
        if end == len(tokens):
            found |= alive & self._lengths.get(end, 0)
        elif end < len(self._places):
            found |= alive & (self._places[end].one | self._places[end].rest)
        digits = f"{found:b}".encode().translate(_DIGITS)
        return list(compress(self._patterns, reversed(digits))) if found else []


def _note(place: dict[str, int], column: Tokens, bits: Sequence[int], every: int) -> None:
    """Note which patterns have which token in one place: `column` has those of `every` one."""
    first = column[0]
    if column.count(first) == len(column):  # as in most places of most requests
        place[first] = place.get(first, 0) | every
        return
    for token, bit in zip(column, bits, strict=True):
        place[token] = place.get(token, 0) | bit


class _Place(NamedTuple):
    """The tokens that patterns have in one place: bits of those that have each."""

    exact: dict[str, int]
    star: int
    one: int
    """Those with a token that stands for one."""
    rest: int

    @property
    def decides(self) -> bool:
        """Whether it makes a difference which token another pattern has here."""
        return self.star != self.one | self.rest

    @classmethod
    def of(cls, tokens: dict[str, int]) -> _Place:
        """Sort them; `tokens` is used up."""
        rest = tokens.pop(">", 0)
        one = reduce(or_, tokens.values(), 0)
        return cls(tokens, tokens.pop("*", 0), one, rest)
