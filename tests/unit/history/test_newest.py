"""The newest so many, by counting, against looking at all of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bridge.history.newest import Count, newest

MOST_LOOKS = 2 * 17 + 2
"""Every other one halves what is left of 100,000."""


@given(st.sets(st.integers(1, 100000), max_size=200), st.integers(1, 250), st.integers(0, 50000))
async def test_exactly_those_come(matching: set[int], wanted: int, begin: int) -> None:
    looks = 0

    async def count_from(sequence: int) -> Count:
        nonlocal looks
        looks += 1
        left = sorted(each for each in matching if each >= sequence)
        return Count(len(left), left[0] if left else sequence)

    after, found = await newest(count_from, wanted, begin, 100000)
    expected = sorted(each for each in matching if each > begin)[-wanted:]
    assert sorted(each for each in matching if each > after) == expected
    assert found == len(expected)
    assert after >= begin
    assert looks <= MOST_LOOKS


async def test_where_messages_come_meanwhile_it_ends() -> None:
    matching = list(range(1, 100))

    async def count_from(sequence: int) -> Count:
        matching.extend(range(len(matching) + 1, len(matching) + 20))
        left = [each for each in matching if each >= sequence]
        return Count(len(left), left[0])

    after, found = await newest(count_from, 10, 0, 99)
    assert found >= 10
    assert after <= 99
