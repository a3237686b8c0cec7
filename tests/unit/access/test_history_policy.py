"""Whose past may be read, by whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.access.history_policy import NOTHING, HistoryPolicy
from bridge.access.policy import SubjectPolicy
from bridge.access.tokens import Principal
from bridge.wire.patterns import PatternSet
from bridge.wire.subjects import contains
from tests.unit.wire.test_subjects import EVERY_SUBJECT, PATTERNS


def policy(
    allow: list[str], common: list[str], own: list[str] | None = None, deny: tuple[str, ...] = ()
) -> HistoryPolicy:
    return HistoryPolicy.of(SubjectPolicy(allow, deny), PatternSet(common), own)


@given(
    st.lists(PATTERNS, max_size=3),
    st.lists(PATTERNS, max_size=3),
    st.none() | st.lists(PATTERNS, max_size=3),
    PATTERNS,
)
def test_no_message_outside_any_of_the_grants_is_read(
    allow: list[str], common: list[str], own: list[str] | None, pattern: str
) -> None:
    found = policy(allow, common, own)
    grants = [allow, common] if own is None else [allow, common, own]
    if found.may_read(pattern):
        for subject in filter(lambda each: contains(pattern, each), EVERY_SUBJECT):
            for each in grants:
                assert any(contains(grant, subject) for grant in each)
        assert found.is_open


@given(
    st.lists(PATTERNS, max_size=3),
    st.lists(PATTERNS, max_size=3),
    st.none() | st.lists(PATTERNS, max_size=3),
    st.lists(PATTERNS, min_size=1, max_size=3),
)
def test_what_is_within_patterns_is_all_of_them_that_may_be_read(
    allow: list[str], common: list[str], own: list[str] | None, patterns: list[str]
) -> None:
    found = policy(allow, common, own)
    within = found.within(patterns)
    assert all(map(found.may_read, within))
    for subject in EVERY_SUBJECT:
        is_asked = any(contains(each, subject) for each in patterns)
        is_within = any(contains(each, subject) for each in within)
        assert is_within == (is_asked and found.may_read(subject))


@pytest.mark.parametrize(
    ("pattern", "grant", "may"),
    [
        ("a.x", "a.x", True),
        ("a.x", "a.*", True),
        ("a.x", "*.x", True),
        ("a.*", "a.>", True),
        ("a.>", "a.>", True),
        ("a.*.>", "a.>", True),
        ("*.x", "a.x", False),
        ("a.*", "a.x", False),
        ("a.>", "a.x", False),
        ("a.>", "a.*", False),
        ("*.*", "a.*", False),
        ("*.>", "a.>", False),
        ("*", ">", True),
        (">", "*.>", False),
        (">", "a.>", False),
        ("a", "a.>", False),
        ("a.*", "*.x", False),
    ],
)
def test_a_pattern_lies_wholly_within_a_grant(pattern: str, grant: str, may: bool) -> None:
    assert policy([">"], [">"], [grant]).may_read(pattern) is may
    assert policy([">"], [grant]).may_read(pattern) is may
    assert policy([grant], [">"]).may_read(pattern) is may
    others = [f"other.{number}" for number in range(20)]
    assert policy([">"], [">"], [*others, grant]).may_read(pattern) is may


def test_two_grants_together_do_not_make_one_that_is_wider() -> None:
    assert not policy([">"], [">"], ["a.x", "a.y"]).may_read("a.*")
    assert not policy([">"], [">"], ["*", "*.>"]).may_read(">")


def test_reserved_subjects_are_read_by_whom_they_are_granted_to_by_name() -> None:
    bucket = "$KV.config.>"
    assert not policy([">"], [">", bucket], [">", bucket]).may_read(bucket)
    assert not policy(["*.config.>"], [">"], [bucket]).may_read(bucket)
    by_name = policy([bucket], [">"])
    assert by_name.may_read(bucket) and by_name.is_open
    assert not by_name.may_read("$KV.>") and not by_name.may_read(">")
    assert not policy([bucket], ["orders.>"]).may_read(bucket)
    assert not policy(["nats_bridge.>"], [">"]).may_read("nats_bridge.x")


def test_a_denial_wins() -> None:
    found = policy([">"], [">"], deny=("a.>",))
    assert not found.may_read("a.x") and found.may_read("b")


@pytest.mark.parametrize(
    ("allow", "common", "own", "is_open"),
    [
        ([">"], [">"], None, True),
        ([">"], [">"], ["a"], True),
        (["a.*"], ["*.x"], ["a.x"], True),
        (["a.*"], ["*.x"], [">"], True),
        (["b", "a.*"], ["c", "*.x"], ["d", "a.>"], True),
        ([">"], ["a.>"], ["b.>"], False),
        (["a"], ["b"], None, False),
        (["a.*"], ["*.x"], ["a.y"], False),
        ([">"], ["$KV.>"], None, False),
        (["$KV.b.>"], ["$KV.>"], None, True),
        ([">"], [], None, False),
        ([">"], [">"], [], False),
        ([], [">"], None, False),
    ],
)
def test_whether_there_is_any_past_to_read(
    allow: list[str], common: list[str], own: list[str] | None, is_open: bool
) -> None:
    assert policy(allow, common, own).is_open is is_open
    assert not policy(allow, common, own, deny=(">",)).is_open


def test_what_is_denied_altogether_is_no_past_to_read() -> None:
    assert not policy(["a.*"], ["*.x"], deny=("a.x",)).is_open
    assert policy(["a.*"], ["*.x", "*.y"], deny=("a.x",)).is_open


def test_those_with_the_same_grants_are_equal_and_so_are_all_that_open_nothing() -> None:
    one, same = policy(["a", "b"], [">"], ["a"]), policy(["a", "b"], [">"], ["a"])
    assert one == same and hash(one) == hash(same)
    for other in (
        policy(["a"], [">"], ["a"]),
        policy(["a", "b"], ["a"], ["a"]),
        policy(["a", "b"], [">"], ["b"]),
        policy(["a", "b"], [">"]),
    ):
        assert one != other
    assert (
        policy(["a"], [])
        == policy(["b"], ["a"], [])
        == NOTHING
        == Principal(SubjectPolicy()).history
    )
    assert not NOTHING.may_read("a") and not NOTHING.is_open
