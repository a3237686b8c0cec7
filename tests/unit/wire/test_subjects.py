"""The subject grammar, against brute force."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire import subjects

TOKENS = st.sampled_from(["a", "b", "*"])
PATTERNS = st.builds(
    lambda tokens, tail: ".".join([*tokens, *tail]),
    st.lists(TOKENS, max_size=3),
    st.sampled_from([["a"], ["*"], [">"]]),
)
EVERY_SUBJECT = [
    ".".join(tokens) for size in range(1, 6) for tokens in itertools.product("abc", repeat=size)
]


def matched(pattern: str) -> set[str]:
    """Return the subjects of up to five tokens that `pattern` matches, token by token."""
    wanted = pattern.split(".")
    found = set()
    for subject in EVERY_SUBJECT:
        tokens = subject.split(".")
        if wanted[-1] == ">":
            fits = len(tokens) >= len(wanted)
            pairs = zip(wanted[:-1], tokens, strict=False)
        else:
            fits = len(tokens) == len(wanted)
            pairs = zip(wanted, tokens, strict=False)
        if fits and all(want in ("*", token) for want, token in pairs):
            found.add(subject)
    return found


@given(PATTERNS, PATTERNS)
def test_contains_and_overlap_agree_with_brute_force(one: str, other: str) -> None:
    assert subjects.contains(one, other) == (matched(other) <= matched(one))
    assert subjects.overlap(one, other) == bool(matched(one) & matched(other))


@given(PATTERNS, PATTERNS)
def test_an_intersection_has_what_both_match(one: str, other: str) -> None:
    both = subjects.intersection(one, other)
    assert (set() if both is None else matched(both)) == matched(one) & matched(other)
    assert both is None or subjects.fault(both) is None
    assert both == subjects.intersection(other, one)


@given(PATTERNS)
def test_matches_agrees_with_brute_force(pattern: str) -> None:
    subjects_matched = {each for each in EVERY_SUBJECT if subjects.contains(pattern, each)}
    assert subjects_matched == matched(pattern)


@pytest.mark.parametrize(
    "pattern", ["a", "test.subject", "*", ">", "a.*.b", "a.>", "*.*.>", "$SYS.x", "ü.€", "a-b_c:1"]
)
def test_valid_patterns_have_no_fault(pattern: str) -> None:
    assert subjects.fault(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "word"),
    [
        ("", "empty"),
        ("a..b", "empty"),
        (".a", "empty"),
        ("a.", "empty"),
        ("a b", "white space"),
        ("a\u00a0b", "white space"),
        ("a\r\nb", "white space"),
        ("a\x00", "control"),
        ("a\x85b", "control"),
        ("a*", "stand alone"),
        ("a.>b", "stand alone"),
        ("a.>.b", "last token"),
        (">.>", "last token"),
        ("x" * 256, "255 bytes"),
        ("ü" * 128, "255 bytes"),
        ("\ud800", "Unicode"),
    ],
)
def test_faults_are_named(pattern: str, word: str) -> None:
    assert word in (subjects.fault(pattern) or "")


@given(st.text(max_size=300))
def test_whatever_passes_is_safe_on_the_line_protocol(text: str) -> None:
    if subjects.fault(text) is not None:
        return
    line = text.encode()
    assert 1 <= len(line) <= 255
    assert len(line.split()) == 1
    assert all(byte > 0x20 and byte != 0x7F for byte in line)
    assert all(text.split("."))
