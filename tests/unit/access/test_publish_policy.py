"""What may be published, by whom."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from bridge.access.authentication import Authentication
from bridge.access.group_grants import GroupGrants
from bridge.access.policy import SubjectPolicy
from bridge.access.proxies import TrustedProxies
from bridge.access.proxy_sign_in import ProxySignIn
from bridge.access.publish_policy import ANYTHING, NEVER, NOTHING, PublishPolicy
from bridge.access.static_tokens import StaticTokens
from bridge.access.tokens import Tokens
from bridge.files import SettingError
from bridge.wire.subjects import contains
from tests.support import minting
from tests.unit.access.test_tokens import signed
from tests.unit.wire.test_subjects import EVERY_SUBJECT, PATTERNS

COMMON = SubjectPolicy(["common.>"])
TOKEN = "a-token-of-this-test"
ORDERS = {"allow": ["orders.>"], "deny": ["orders.secret"]}
GRANTED = PublishPolicy.of(ORDERS["allow"], ORDERS["deny"])


@given(st.lists(PATTERNS, max_size=3), st.lists(PATTERNS, max_size=3))
def test_nothing_outside_the_grants_or_within_a_denial_is_published(
    allow: list[str], deny: list[str]
) -> None:
    policy = PublishPolicy.of(allow, deny)
    for subject in EVERY_SUBJECT:
        granted = any(contains(grant, subject) for grant in allow)
        denied = any(contains(denial, subject) for denial in deny)
        assert policy.may_publish(subject) == (granted and not denied)


@pytest.mark.parametrize("never", NEVER)
def test_some_subjects_are_never_open_whatever_is_granted(never: str) -> None:
    for subject in (never.replace(">", "x"), never.replace(">", "x.y")):
        for grants in ([never], [subject], [">", never, subject, "*.>"]):
            assert not PublishPolicy.of(grants).may_publish(subject)
        assert not ANYTHING.may_publish(subject)


@pytest.mark.parametrize("subject", ["$KV.b.k", "$O.b.C.x", "panini_events.x.y"])
def test_others_are_open_by_name_alone(subject: str) -> None:
    first = subject.partition(".")[0]
    assert not PublishPolicy.of([">", "*.>"]).may_publish(subject)
    assert PublishPolicy.of([f"{first}.>"]).may_publish(subject)
    assert not PublishPolicy.of([f"{first}.>"], [subject]).may_publish(subject)
    assert ANYTHING.may_publish(subject), "what the gateway lets nobody do is not decided here"


@pytest.mark.parametrize(
    ("mine", "theirs", "shared"),
    [
        (PublishPolicy.of([">"]), ANYTHING, True),
        (PublishPolicy.of(["orders.*"]), PublishPolicy.of(["orders.new"]), True),
        (PublishPolicy.of(["*.new"]), PublishPolicy.of(["orders.*"]), True),
        (PublishPolicy.of(["orders.new"]), PublishPolicy.of(["orders.old"]), False),
        (PublishPolicy.of([">"]), NOTHING, False),
        (NOTHING, ANYTHING, False),
        (PublishPolicy.of([">"]), PublishPolicy.of(["$KV.>"]), False),
        (PublishPolicy.of(["$KV.b.>"]), PublishPolicy.of(["$KV.>"]), True),
        (PublishPolicy.of(["$KV.b.>"]), PublishPolicy.of([">"]), False),
        (PublishPolicy.of(["$JS.>", "_INBOX.>"]), ANYTHING, False),
        (PublishPolicy.of(["a.*"], ["a.>"]), ANYTHING, False),
        (PublishPolicy.of(["a.*"]), PublishPolicy.of([">", "a.*"], [">"]), False),
    ],
)
def test_whether_there_is_anything_to_publish(
    mine: PublishPolicy, theirs: PublishPolicy, shared: bool
) -> None:
    assert mine.shares_with(theirs) is shared
    assert theirs.shares_with(mine) is shared


# Who is granted what


def listed(folder: Path, **grants: object) -> StaticTokens:
    path = folder / "tokens"
    path.write_text(json.dumps({"name": "wall", "token": TOKEN, **grants}))
    return StaticTokens(str(path), COMMON)


def test_a_token_of_the_file_has_what_its_line_grants(tmp_path: Path) -> None:
    for grants, expected in (({"publish": ORDERS}, GRANTED), ({"allow": [">"]}, NOTHING)):
        principal = listed(tmp_path, **grants).principal(TOKEN, time.time())
        assert principal is not None
        assert principal.publish == expected
    deny_alone = listed(tmp_path, publish={"deny": ["a"]}).principal(TOKEN, time.time())
    assert deny_alone is not None
    assert not deny_alone.publish.shares_with(ANYTHING)


def test_other_grants_for_publishing_are_another_token(tmp_path: Path) -> None:
    holder = listed(tmp_path, publish=ORDERS).principal(TOKEN, time.time())
    assert holder is not None
    assert not listed(tmp_path, publish=ORDERS).revoked(holder)
    assert listed(tmp_path, publish={"allow": [">"]}).revoked(holder)


@pytest.mark.parametrize("publish", [["a"], "a", {"allow": "a"}, {"allow": ["a..b"]}, None])
def test_grants_that_make_no_sense_are_named(tmp_path: Path, publish: object) -> None:
    with pytest.raises(SettingError, match="line 1"):
        listed(tmp_path, publish=publish)


def test_a_jwt_has_what_nats_itself_would_grant_by_it(tmp_path: Path) -> None:
    tokens = signed(tmp_path, minting.key_file("HS256"))
    for nats, expected in (
        ({"pub": ORDERS}, GRANTED),
        ({"sub": {"allow": [">"]}}, NOTHING),
        ({}, NOTHING),
    ):
        principal = tokens.principal(minting.token("HS256", 60, nats=nats), time.time())
        assert principal.publish == expected


class Request:
    """An HTTP request of somebody who is signed in at a proxy."""

    remote = "10.1.2.3"
    cookies: dict[str, str] = {}  # noqa: RUF012

    def __init__(self, groups: str = "") -> None:
        headers = [("X-User", "ann"), ("X-Groups", groups)] if groups else []
        self.headers = CIMultiDictProxy(CIMultiDict(headers))


def test_groups_have_what_any_of_them_may_and_none_is_denied(tmp_path: Path) -> None:
    path = tmp_path / "groups"
    lines = (
        {"group": "ops", "publish": ORDERS},
        {"group": "sales", "allow": [">"], "publish": {"allow": ["sales.*"], "deny": ["orders.x"]}},
        {"group": "guests", "allow": [">"]},
    )
    path.write_text("\n".join(map(json.dumps, lines)))
    proxies = TrustedProxies(["10.0.0.0/8"])
    grants = GroupGrants(str(path), COMMON)
    signing_in = ProxySignIn("X-User", proxies, COMMON, groups_header="X-Groups", grants=grants)

    def may(groups: str, subject: str) -> bool:
        principal = signing_in.principal(Request(groups))
        assert principal is not None
        return principal.publish.may_publish(subject)

    assert may("ops", "orders.a") and may("ops", "orders.x") and not may("ops", "orders.secret")
    assert may("ops,sales", "sales.a") and not may("ops,sales", "orders.x")
    assert not may("guests", "orders.a") and not may("unknown", "orders.a")
    ann = signing_in.principal(Request("ops"))
    assert ann is not None
    assert not signing_in.changed(ann)
    path.write_text(json.dumps({"group": "ops"}))
    fresh = ProxySignIn(
        "X-User", proxies, COMMON, groups_header="X-Groups", grants=GroupGrants(str(path), COMMON)
    )
    assert fresh.changed(ann)


def test_anyone_may_publish_only_where_nobody_is_asked_who_they_are(tmp_path: Path) -> None:
    tokens = Tokens(listed(tmp_path))
    assert Authentication(COMMON).of_http(Request()).publish == ANYTHING
    beside_tokens = Authentication(COMMON, tokens, anonymous=True)
    assert beside_tokens.of_http(Request()).publish == NOTHING
