"""Many patterns at once, against one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire import subjects
from bridge.wire.pattern_bits import PatternBits
from bridge.wire.pattern_tree import PatternTree
from bridge.wire.patterns import SMALL_SET, PatternSet
from tests.unit.wire.test_subjects import EVERY_SUBJECT, PATTERNS

MANY = st.lists(PATTERNS, max_size=20, unique=True)


@given(MANY, MANY, PATTERNS)
def test_a_tree_finds_what_one_by_one_finds(kept: list[str], gone: list[str], asked: str) -> None:
    tree = PatternTree([*gone, *kept])
    for pattern in gone:
        tree.discard(pattern)
        tree.discard(pattern)
    left = {each for each in kept if each not in gone}
    found = tree.overlapping(asked)
    assert len(found) == len(set(found))
    assert set(found) == {each for each in left if subjects.overlap(each, asked)}
    for subject in EVERY_SUBJECT[::7]:
        found = tree.matching(subject)
        assert len(found) == len(set(found))
        assert set(found) == {each for each in left if subjects.contains(each, subject)}


@given(st.sampled_from(["", "*.*.", "a.*."]), MANY, PATTERNS)
def test_bits_tell_what_one_by_one_tells(head: str, patterns: list[str], asked: str) -> None:
    """Those with a head that they share have places that decide nothing."""
    patterns = [f"{head}{each}" for each in patterns]
    bits = PatternBits(patterns)
    for each in (asked, f"{head}{asked}", f"*.{asked}"):
        assert bits.overlapping(each) == [one for one in patterns if subjects.overlap(one, each)]


@given(MANY)
def test_a_tree_from_which_all_was_taken_is_empty(patterns: list[str]) -> None:
    tree = PatternTree(patterns)
    for pattern in patterns:
        tree.discard(pattern)
    assert not tree._root.children


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("a.*", "a.>", True),
        ("a.>", "a.>", True),
        ("a.b", "a.*", False),
        ("a.b", "a.>", False),
        (">", "*", True),
        ("a.>", "a", False),
    ],
)
def test_tokens_of_a_subject_stand_for_themselves(pattern: str, name: str, matches: bool) -> None:
    assert PatternTree([pattern]).matching(name) == ([pattern] if matches else [])
    assert subjects.matches(pattern, name) is matches


@given(st.lists(PATTERNS, max_size=2 * SMALL_SET), PATTERNS)
def test_a_set_answers_the_same_small_and_large(patterns: list[str], asked: str) -> None:
    answers = PatternSet(patterns)
    assert answers.overlaps(asked) == any(subjects.overlap(each, asked) for each in patterns)
    assert answers.covers(asked) == any(subjects.contains(each, asked) for each in patterns)
