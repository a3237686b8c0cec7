"""Origins and subject policies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.access import OriginPolicy, SubjectPolicy, is_loopback
from bridge.subjects import matches
from tests.unit.test_subjects import EVERY_SUBJECT, PATTERNS


@given(st.lists(PATTERNS, max_size=3), st.lists(PATTERNS, max_size=3), PATTERNS)
def test_no_subject_outside_the_grants_or_within_a_denial_is_delivered(
    allow: list[str], deny: list[str], pattern: str
) -> None:
    policy = SubjectPolicy(allow, deny)
    if not policy.may_follow(pattern):
        return
    for subject in EVERY_SUBJECT:
        granted = any(matches(grant, subject) for grant in allow)
        denied = any(matches(denial, subject) for denial in deny)
        assert policy.may_receive(subject) == (granted and not denied)
        if matches(pattern, subject):
            assert granted


def test_decisions_are_remembered_within_bounds() -> None:
    policy = SubjectPolicy()
    for number in range(25000):
        assert policy.may_receive(f"a.{number}")
        assert not policy.may_receive(f"$SYS.{number}")
    assert len(policy._decided) <= 10000


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://bridge:5001", True),
        ("http://BRIDGE:5001", True),
        ("https://bridge:5001", False),
        ("http://bridge", False),
        ("http://bridge:5001/path", False),
        ("http://me@bridge:5001", False),
        ("http://[::1", False),
        ("http://bridge:x", False),
        ("https://friend.example", True),
        ("https://friend.example:443", True),
        ("https://friend.example:444", False),
        ("ftp://friend.example", False),
        ("null", False),
        ("file://", False),
    ],
)
def test_origins_match_exactly_or_not_at_all(origin: str | None, allowed: bool) -> None:
    policy = OriginPolicy(["https://friend.example"])
    assert policy.allows(origin, "http", "bridge:5001") is allowed


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:5001", True),
        ("[::1]:5001", True),
        ("10.1.2.3", True),
        ("localhost:5001", True),
        ("page.localhost:5001", True),
        ("devbox:5001", True),
        ("rebound.evil.example:5001", False),
        ("friend.example", True),
    ],
)
def test_a_public_name_is_ours_only_if_it_is_allowed(host: str, ours: bool) -> None:
    policy = OriginPolicy(["http://friend.example"])
    assert policy.allows(f"http://{host}", "http", host) is ours


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("example.com", False),
    ],
)
def test_is_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
