"""Subject policies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.access.addresses import is_loopback
from bridge.access.policy import RESERVED, Decided, Rule, SubjectPolicy
from bridge.wire.patterns import PatternSet
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


@given(
    st.lists(PATTERNS, max_size=3),
    st.lists(PATTERNS, max_size=12),
    st.lists(PATTERNS, max_size=2),
    PATTERNS,
)
def test_a_rule_decides_as_the_policy_does_on_all_that_its_pattern_brings(
    allow: list[str], common: list[str], deny: list[str], pattern: str
) -> None:
    policy = SubjectPolicy(allow, deny, common=SubjectPolicy(deny=common))
    if not policy.may_follow(pattern):
        return
    rule = policy.rule(pattern)
    for subject in EVERY_SUBJECT:
        if contains(pattern, subject):
            allowed = rule is None or rule.allows(subject, {})
            assert allowed == policy.may_receive(subject)


@pytest.mark.parametrize(
    ("allow", "subject", "allowed"),
    [
        ([">"], "$SYS.a", False),
        ([">", "$SYS.a"], "$SYS.a", True),
        ([">", "$SYS.a"], "$SYS.b", False),
        ([">", "nats_bridge.x"], "nats_bridge.x", False),
        ([">"], "a", True),
    ],
)
def test_a_rule_knows_what_needs_a_grant_by_name(
    allow: list[str], subject: str, allowed: bool
) -> None:
    policy = SubjectPolicy(allow)
    rule = policy.rule(">")
    assert rule is not None
    assert rule.allows(subject, {}) is policy.may_receive(subject) is allowed


def test_where_policies_make_no_difference_they_have_the_same_rule() -> None:
    common = SubjectPolicy(deny=["common.secret"])
    one, other = (
        SubjectPolicy(["public.>", f"user.{n}.>"], [f"user.{n}.secret"], common=common)
        for n in (1, 2)
    )
    assert one.rule("public.>") is other.rule("public.>") is None
    assert one.rule("user.1.>") == Rule((PatternSet(["user.1.secret"]),), None)
    everything = [SubjectPolicy(deny=[], common=common).rule(">") for _ in range(2)]
    assert everything[0] == everything[1]
    assert hash(everything[0]) == hash(everything[1])


def test_what_rules_share_is_decided_once_for_a_subject(monkeypatch: pytest.MonkeyPatch) -> None:
    common = SubjectPolicy(deny=["common.secret"])
    rules = [SubjectPolicy(deny=[f"x.{n}"], common=common).rule(">") for n in range(100)]
    asked: list[PatternSet] = []
    overlaps = PatternSet.overlaps
    monkeypatch.setattr(
        PatternSet, "overlaps", lambda self, name: asked.append(self) or overlaps(self, name)
    )
    decided: Decided = {}
    assert all(rule is not None and rule.allows("a.b", decided) for rule in rules)
    assert len(asked) == 100 + 3, "those of its own; ours, the common and the reserved ones once"


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
