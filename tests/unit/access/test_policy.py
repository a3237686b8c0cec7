"""Origins and subject policies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.access.addresses import is_loopback
from bridge.access.origins import OriginPolicy
from bridge.access.policy import RESERVED, SubjectPolicy
from bridge.wire.subjects import contains
from tests.unit.wire.test_subjects import EVERY_SUBJECT, PATTERNS


@given(st.lists(PATTERNS, max_size=3), st.lists(PATTERNS, max_size=3), PATTERNS)
def test_no_subject_outside_the_grants_or_within_a_denial_is_delivered(
    allow: list[str], deny: list[str], pattern: str
) -> None:
    policy = SubjectPolicy(allow, deny)
    if not policy.may_follow(pattern):
        return
    for subject in EVERY_SUBJECT:
        granted = any(contains(grant, subject) for grant in allow)
        denied = any(contains(denial, subject) for denial in deny)
        assert policy.may_receive(subject) == (granted and not denied)
        if contains(pattern, subject):
            assert granted


@pytest.mark.parametrize(
    ("allow", "pattern", "allowed"),
    [
        (">", "$SYS.>", False),
        (">", "$SYS.a", False),
        (">", "_INBOX.a.b", False),
        ("*.>", "$JS.API.INFO", False),
        ("*.*", "$KV.bucket", False),
        ("$SYS.>", "$SYS.>", True),
        ("$SYS.a", "$SYS.a", True),
        ("$SYS.a", "$SYS.b", False),
        ("_INBOX.foo.>", "_INBOX.foo.*", True),
        ("_INBOX.foo.>", "_INBOX.>", False),
        (">", ">", True),
        (">", "*.a", True),
        ("$SYS", "$SYS", True),
    ],
)
def test_reserved_subjects_need_a_grant_by_name(allow: str, pattern: str, allowed: bool) -> None:
    policy = SubjectPolicy([allow])
    assert policy.may_follow(pattern) is allowed
    if not {"*", ">"} & set(pattern.split(".")):
        assert policy.may_receive(pattern) is allowed


@pytest.mark.parametrize("reserved", RESERVED)
def test_a_denial_wins_over_a_grant_by_name(reserved: str) -> None:
    subject = reserved.replace(">", "x")
    assert SubjectPolicy([reserved]).may_receive(subject)
    assert not SubjectPolicy([reserved], [subject]).may_receive(subject)
    assert not SubjectPolicy([reserved], [reserved]).may_follow(reserved)


@pytest.mark.parametrize(
    ("deny", "subject"), [("a.*", "a.>"), ("a.b", "a.*"), ("$SYS.x", "*.x"), ("a.>", ">")]
)
def test_a_name_that_looks_like_a_pattern_evades_no_denial(deny: str, subject: str) -> None:
    assert not SubjectPolicy([">"], [deny]).may_receive(subject)


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
