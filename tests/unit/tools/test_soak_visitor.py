"""What the visitors of the long run notice."""

from __future__ import annotations

import pytest

from tests.soak.idle import got_each_once
from tests.soak.visitor import TEXT, Visitor


@pytest.mark.parametrize(
    ("numbers", "all_of_three"),
    [
        ([0, 1, 2], True),
        ([1, 2], False),
        ([0, 1], False),
        ([0, 2], False),
        ([0, 0, 2], False),
        ([0, 1, 1, 2], False),
        ([0, 2, 1], False),
        ([], False),
    ],
)
async def test_it_is_seen_which_of_three_messages_is_missing_or_twice(
    numbers: list[int], all_of_three: bool
) -> None:
    visitor = Visitor("a")
    for number in numbers:
        visitor._take(TEXT, b'{"subject":"a","data":{"n":%d}}' % number)
    assert got_each_once(visitor, 3) is all_of_three
