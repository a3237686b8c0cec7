"""Which of very many subjects are told: of each branch some. Pure functions, no I/O."""

from __future__ import annotations

from collections.abc import Sequence

MOST_TOLD = 10_000
MOST_TOLD_BYTES = 393_216
"""Of their names."""


class Breadths:
    """Says of each name how many siblings come before it, at the token that has most of them."""

    def __init__(self) -> None:
        self._children: dict[str, int] = {}
        self._ranks: dict[str, int] = {}

    def of(self, name: str) -> int:
        """Return that of the next name."""
        breadth, parent, end = 0, "", 0
        while end != -1:
            end = name.find(".", end + 1)
            branch = name if end == -1 else name[:end]
            rank = self._ranks.get(branch)
            if rank is None:
                rank = self._ranks[branch] = self._children.get(parent, 0)
                self._children[parent] = rank + 1
            breadth, parent = max(breadth, rank), branch
        return breadth


def select(
    names: Sequence[str],
    breadths: Sequence[int],
    most: int,
    most_bytes: int,
) -> list[int]:
    """Return the places of those that are told, in order; `names` have to be in order, too.

    Where not all are, wide branches lose most: of ten thousand devices beside one order, the order
    stays.
    """
    places = sorted(range(len(names)), key=breadths.__getitem__)[:most]
    left = most_bytes
    for index, place in enumerate(places):
        left -= len(names[place].encode(errors="replace"))
        if left < 0:
            del places[index:]
            break
    return sorted(places)
