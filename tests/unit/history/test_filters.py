"""What is brought, and what the ring therefore covers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.history.filters import MAX_FILTERS, Filters
from bridge.wire.subjects import contains

PATTERNS = st.sampled_from(["a", "a.b", "a.*", "*.b", "a.>", ">", "c.*.d", "c.>", "*.*", "d"])


@given(st.lists(PATTERNS))
def test_wanted_are_the_widest_and_all_that_is_followed_lies_within_them(added: list[str]) -> None:
    filters = Filters()
    filters.add(added)
    wanted = filters.wanted()
    for pattern in added:
        assert any(contains(each, pattern) for each in wanted)
    for each in wanted:
        assert each in added
        assert not any(other != each and contains(other, each) for other in wanted)


def test_a_pattern_goes_once_it_was_removed_as_often_as_it_was_added() -> None:
    filters = Filters()
    filters.add(["a", "b", "a"])
    filters.remove(["a"])
    assert set(filters.wanted()) == {"a", "b"}
    filters.remove(["a"])
    assert filters.wanted() == ("b",)


def test_more_filters_than_are_quick_to_make_are_none() -> None:
    filters = Filters()
    many = [f"a.{number}" for number in range(MAX_FILTERS)]
    filters.add(many)
    assert set(filters.wanted()) == set(many)
    filters.add(["b"])
    assert filters.wanted() == (">",)
    filters.add(f"c.{number}" for number in range(10000))
    assert filters.wanted() == (">",)
    filters.remove(f"c.{number}" for number in range(10000))
    filters.remove(["b"])
    assert set(filters.wanted()) == set(many)


@given(
    st.lists(st.tuples(st.sets(PATTERNS, min_size=1), st.integers(1, 9)), min_size=1, max_size=8)
)
def test_a_pattern_is_brought_since_all_of_it_has_been(steps: list[tuple[set[str], int]]) -> None:
    """Against every subject on its own: since when has one of the filters matched it?"""
    subjects = ["a", "d", "a.b", "a.x", "x.b", "a.b.c", "c.x.d", "c.y", "x.y"]
    filters, position = Filters(), 0
    since: dict[str, int] = {}
    for patterns, step in steps:
        wanted = Filters()
        wanted.add(patterns)
        filters.bring(wanted.wanted(), position)
        matched = {each for each in subjects if any(contains(p, each) for p in patterns)}
        since = {each: since.get(each, position) for each in matched}
        for pattern in patterns:
            exact = [at for subject, at in since.items() if contains(pattern, subject)]
            assert filters.has(pattern)
            assert filters.since(pattern) >= max(exact, default=0)
            assert filters.since(pattern) <= position
        position += step


def test_a_narrower_filter_inherits_and_a_wider_one_does_not() -> None:
    filters = Filters()
    filters.bring(["a.*"], 5)
    filters.bring(["a.b", "c"], 8)
    assert (filters.since("a.b"), filters.since("c")) == (5, 8)
    filters.bring(["a.>"], 9)
    assert filters.since("a.b") == 9
    filters.restart(20)
    assert filters.since("a.b") == 20
    assert not filters.has("c")
    with pytest.raises(ValueError):
        filters.since("c")
