"""Finds the newest so many messages by counting: how many match from some sequence on?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple


class Count(NamedTuple):
    """How many messages match from a sequence on, and the sequence of the first of them."""

    messages: int
    first: int


async def newest(
    count_from: Callable[[int], Awaitable[Count]], wanted: int, begin: int, end: int
) -> tuple[int, int]:
    """Return the sequence after which the newest `wanted` are, and how many are after it.

    They are after `begin` and not after `end`. Each look is where they would begin if they were
    spread evenly, and every other one in the middle of what is left.
    """
    low, high, fewer, in_middle = begin, end, 0, False
    look = low + 1
    found = await count_from(look)
    more = found.messages
    if more <= wanted:
        return low, more
    while True:
        if found.messages > wanted:
            low, more = found.first, found.messages - 1
        else:
            high, fewer = look - 1, found.messages
        if more <= wanted or low >= high:
            return low, more
        share = 0.5 if in_middle else (more - wanted) / (more - fewer)
        in_middle = not in_middle
        look = min(max(low + 1 + int((high - low) * share), low + 1), high)
        found = await count_from(look)
        if found.messages == wanted:
            return found.first - 1, wanted
