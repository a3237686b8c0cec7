"""Which of very many subjects are told: of each branch some. Pure functions, no I/O."""

from __future__ import annotations

from collections.abc import Sequence

MOST_TOLD = 10_000
MOST_TOLD_BYTES = 393_216
"""Of their names."""


def select(
    names: Sequence[str], most: int = MOST_TOLD, most_bytes: int = MOST_TOLD_BYTES
) -> list[int]:
    """Return the places of those that are told, in order; `names` have to be in order, too.

    Where not all are, wide branches lose most: of ten thousand devices beside one order, the order
    stays.
    """
    places = sorted(range(len(names)), key=_breadths(names).__getitem__)[:most]
    left = most_bytes
    for index, place in enumerate(places):
        left -= len(names[place].encode(errors="replace"))
        if left < 0:
            del places[index:]
            break
    return sorted(places)


def _breadths(names: Sequence[str]) -> list[int]:
    """Return of each name how many siblings come before it, at the token that has most of them."""
    children: dict[str, int] = {}
    known: dict[str, int] = {}
    breadths = []
    for name in names:
        breadth, parent, end = 0, "", 0
        while end != -1:
            end = name.find(".", end + 1)
            branch = name if end == -1 else name[:end]
            rank = known.get(branch)
            if rank is None:
                rank = known[branch] = children.get(parent, 0)
                children[parent] = rank + 1
            breadth, parent = max(breadth, rank), branch
        breadths.append(breadth)
    return breadths
