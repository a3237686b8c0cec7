"""Who may read which past: anyone, tokens, groups, and those who are signed in at a proxy."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from bridge.access.authentication import Authentication
from bridge.access.group_grants import GroupGrants
from bridge.access.history_policy import NO_PATTERNS, NOTHING, HistoryPolicy
from bridge.access.key_sources import KeyFile
from bridge.access.login import Login
from bridge.access.policy import SubjectPolicy
from bridge.access.proxies import TrustedProxies
from bridge.access.proxy_sign_in import ProxySignIn
from bridge.access.signed_tokens import SignedTokens
from bridge.access.static_tokens import StaticTokens
from bridge.access.tokens import Principal, TokenError, Tokens
from bridge.files import SettingError
from bridge.wire.patterns import PatternSet
from tests.support import minting
from tests.unit.access.test_tokens import written

COMMON = SubjectPolicy(["a.>", "b.>"], ["a.secret"])
READABLE = PatternSet(["a.>", "c.>"])
TOKEN = "a-token-of-this-test"


def past(*granted: str) -> HistoryPolicy:
    """Return the policy of a holder without grants to follow of its own."""
    return HistoryPolicy.of(COMMON, READABLE, granted)


def listed(folder: Path, **grants: Any) -> StaticTokens:
    path = folder / "tokens"
    path.write_text(json.dumps({"name": "wall", "token": TOKEN, **grants}))
    return StaticTokens(str(path), COMMON, READABLE)


def holder(folder: Path, **grants: Any) -> Principal:
    found = listed(folder, **grants).principal(TOKEN, time.time())
    assert found is not None
    return found


def signed(folder: Path, readable: PatternSet = READABLE) -> SignedTokens:
    keys = KeyFile(written(folder, minting.key_file("ES256")), ["ES256"])
    return SignedTokens(keys, COMMON, readable=readable)


def of_jwt(folder: Path, **claims: Any) -> Principal:
    return signed(folder).principal(minting.token(**claims), time.time())


def test_tokens_have_what_they_say_within_what_may_be_read_at_all(tmp_path: Path) -> None:
    everything = HistoryPolicy.of(COMMON, READABLE)
    assert everything.may_read("a.>") and not everything.may_read("b.x")
    assert not everything.may_read("a.secret") and not everything.may_read("c.x")
    for found in (holder(tmp_path), of_jwt(tmp_path), of_jwt(tmp_path, bridge={"other": 1})):
        assert found.history == everything
    for granted in (["a.x", "b.x", "c.x"], ["a.*"], [">"], []):
        of_file = holder(tmp_path, history=granted)
        of_claim = of_jwt(tmp_path, bridge={"history": granted})
        assert of_file.history == of_claim.history == past(*granted)
        for pattern in ("b.x", "c.x", "a.secret"):
            assert not of_file.history.may_read(pattern)
        assert of_file.history.may_read("a.x") is bool(granted)


def test_a_token_reads_the_past_of_its_own_grants_to_follow(tmp_path: Path) -> None:
    of_file = holder(tmp_path, allow=["c.>", "a.*"], deny=["c.secret"])
    of_claim = of_jwt(tmp_path, nats={"sub": {"allow": ["c.>", "a.*"], "deny": ["c.secret"]}})
    assert of_file.history == of_claim.history
    assert of_file.history.may_read("c.x") and not of_file.history.may_read("c.secret")
    assert not of_file.history.may_read("a.>")
    assert not holder(tmp_path, allow=[], history=[">"]).history.is_open


def test_another_history_is_another_token(tmp_path: Path) -> None:
    had = holder(tmp_path, history=["a.x"])
    assert not listed(tmp_path, history=["a.x"]).revoked(had)
    for other in ({}, {"history": []}, {"history": ["a.x", "a.y"]}):
        assert listed(tmp_path, **other).revoked(had)


MALFORMED = [
    *("a", None, True, 1, {"allow": ["a"]}, ["a..b"], ["a b"], ["a*"], [">.a"], [1], [None]),
    *([["a"]], [""], ["a", "\ud83d"]),
]


@pytest.mark.parametrize("history", MALFORMED, ids=json.dumps)
def test_a_history_that_makes_no_sense_is_named(tmp_path: Path, history: Any) -> None:
    with pytest.raises(SettingError) as fault:
        listed(tmp_path, history=history)
    sentence = "line 1 is not a JSON object with valid grants"
    assert str(fault.value) == f"TOKENS_FILE: {sentence}"
    path = tmp_path / "groups"
    path.write_text(json.dumps({"group": "ops", "history": history}))
    with pytest.raises(SettingError) as fault:
        GroupGrants(str(path), COMMON, READABLE)
    assert str(fault.value) == f"AUTH_GROUPS_FILE: {sentence}"
    with pytest.raises(TokenError, match=r"^the token's grants are not valid$"):
        of_jwt(tmp_path, bridge={"history": history})


@pytest.mark.parametrize("bridge", ["history", "", ["a"], [], 1, True])
def test_a_claim_that_is_no_object_opens_nothing(tmp_path: Path, bridge: Any) -> None:
    with pytest.raises(TokenError, match=r"^the token's grants are not valid$"):
        of_jwt(tmp_path, bridge=bridge)


class Request:
    """An HTTP request of somebody who is signed in at a proxy, or of nobody."""

    remote = "10.1.2.3"
    cookies: dict[str, str] = {}  # noqa: RUF012

    def __init__(self, groups: str = "", user: str = "") -> None:
        headers = [("X-Groups", groups), ("X-User", user)]
        self.headers = CIMultiDictProxy(CIMultiDict(each for each in headers if each[1]))


PROXIES = TrustedProxies(["10.0.0.0/8"])


def test_who_has_no_grants_of_its_own_reads_what_may_be_read_at_all(tmp_path: Path) -> None:
    everything = HistoryPolicy.of(COMMON, READABLE)
    tokens = Tokens(listed(tmp_path))
    for authentication in (
        Authentication(COMMON, readable=READABLE),
        Authentication(COMMON, tokens, anonymous=True, readable=READABLE),
    ):
        assert authentication.of_http(Request()).history == everything
    ann = ProxySignIn("X-User", PROXIES, COMMON, readable=READABLE).principal(Request(user="ann"))
    assert ann is not None and ann.history == everything


LINES = (
    {"group": "ops", "allow": ["a.>", "c.>"], "history": ["c.x"]},
    {"group": "closed", "allow": ["a.>"], "history": []},
    {"group": "sales", "allow": ["c.*"]},
    {"group": "guests"},
)


@pytest.mark.parametrize(
    ("groups", "may", "may_not"),
    [
        ("ops", ["c.x"], ["a.x", "c.y", "c.*"]),
        ("closed", [], ["a.x", "a.>"]),
        ("sales", ["c.x", "c.*"], ["c.>", "a.x"]),
        ("guests", ["a.x", "a.>"], ["b.x", "c.x", "a.secret"]),
        # What others allow does not open what one group has closed.
        ("closed,sales", ["c.*"], ["a.x", "a.>"]),
        ("closed,ops", ["c.x"], ["a.x", "c.y"]),
        ("ops,sales", ["c.x", "c.*"], ["a.x", "c.>"]),
        ("closed,guests", ["a.>"], ["b.x"]),
        ("unknown", [], ["a.x", "c.x"]),
    ],
)
def test_groups_read_what_any_of_them_says(
    tmp_path: Path, groups: str, may: list[str], may_not: list[str]
) -> None:
    path = tmp_path / "groups"
    path.write_text("\n".join(map(json.dumps, LINES)))
    grants = GroupGrants(str(path), COMMON, READABLE)
    history = grants.rights(groups.split(",")).history
    for pattern in may:
        assert history.may_read(pattern), pattern
    for pattern in may_not:
        assert not history.may_read(pattern), pattern
    assert history.is_open is bool(may)


def test_a_group_with_another_history_is_noticed(tmp_path: Path) -> None:
    def signing_in(**grants: Any) -> ProxySignIn:
        path = tmp_path / "groups"
        path.write_text(json.dumps({"group": "ops", **grants}))
        listed = GroupGrants(str(path), COMMON, READABLE)
        return ProxySignIn("X-User", PROXIES, COMMON, groups_header="X-Groups", grants=listed)

    before = signing_in(history=["a.x"])
    ann = before.principal(Request("ops", "ann"))
    assert ann is not None and ann.history == past("a.x")
    assert not before.changed(ann)
    assert signing_in(history=["a.x", "a.y"]).changed(ann)
    assert signing_in(history=[]).changed(ann)


async def test_a_fresh_token_brings_its_own_history(tmp_path: Path) -> None:
    keys = signed(tmp_path)
    first, second = (minting.token(bridge={"history": granted}) for granted in (["a.x"], []))
    login = Login(keys.principal(first, time.time()), Tokens(keys))
    assert login.principal.history.may_read("a.x")
    login.renew(second)
    assert login.principal.history == NOTHING
    login.renew(first)
    assert login.principal.history == past("a.x")


def test_without_what_may_be_read_at_all_nobody_reads_any_past(tmp_path: Path) -> None:
    tokens = StaticTokens(listed_path(tmp_path), COMMON)
    of_file = tokens.principal(TOKEN, time.time())
    token = minting.token(bridge={"history": [">"]})
    of_claim = signed(tmp_path, NO_PATTERNS).principal(token, time.time())
    ann = ProxySignIn("X-User", PROXIES, COMMON).principal(Request(user="ann"))
    anyone = Authentication(COMMON).of_http(Request())
    for found in (of_file, of_claim, ann, anyone):
        assert found is not None and found.history == NOTHING


def listed_path(folder: Path) -> str:
    path = folder / "all"
    path.write_text(json.dumps({"name": "wall", "token": TOKEN, "history": [">"]}))
    return str(path)
