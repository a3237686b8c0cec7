"""Who is signed in at a reverse proxy, and what the groups of whom may follow."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from bridge.access.authentication import Authentication
from bridge.access.group_grants import GroupGrants
from bridge.access.policy import SubjectPolicy
from bridge.access.proxies import TrustedProxies
from bridge.access.proxy_sign_in import ProxySignIn, is_header_of_names
from bridge.access.publish_policy import ANYTHING
from bridge.access.static_tokens import StaticTokens
from bridge.access.tokens import Principal, TokenError, Tokens
from bridge.files import SettingError

PROXY, STRANGER = "10.1.2.3", "203.0.113.9"
USER, GROUPS = "X-Forwarded-User", "X-Forwarded-Groups"
COMMON = SubjectPolicy(["common.>"], ["common.secret"])
LINES = (
    {"group": "ops", "allow": ["orders.>", "logs.>"], "deny": ["orders.secret"]},
    {"group": "sales", "allow": ["orders.*"]},
    {"group": "guests"},
    {"group": "nobody", "allow": []},
    {"group": "Zoë & co", "allow": ["zoë.>"]},
)


class Request:
    """An HTTP request from `remote`; `headers` are those of its lines."""

    def __init__(
        self, headers: Iterable[tuple[str, str]] = (), remote: str | None = PROXY, cookie: str = ""
    ) -> None:
        self.headers = CIMultiDictProxy(CIMultiDict(headers))
        self.cookies = {"nats_bridge_token": cookie} if cookie else {}
        self.remote = remote


def sign_in(grants: GroupGrants | None = None) -> ProxySignIn:
    proxies = TrustedProxies(["10.0.0.0/8"])
    return ProxySignIn(USER, proxies, COMMON, groups_header=GROUPS, grants=grants)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "groups"
    path.write_text("# groups\n\n" + "\n".join(map(json.dumps, LINES)))
    return path


def test_what_a_trusted_proxy_says_counts_and_nobody_elses_word() -> None:
    said = [("x-forwarded-USER", " ann@example.com ")]
    expected = Principal(COMMON, ("proxy", "ann@example.com"), publish=ANYTHING)
    assert sign_in().principal(Request(said)) == expected
    assert expected.name == "ann@example.com"
    for remote in (STRANGER, None, "", "unknown"):
        assert sign_in().principal(Request(said, remote)) is None
    for nothing in ([], [(USER, "")], [(USER, "  ")], [("X_Forwarded_User", "ann")]):
        assert sign_in().principal(Request(nothing)) is None


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([(USER, "ann"), (USER, "eve")], "the header X-Forwarded-User came more than once"),
        ([(USER, "ann"), (USER.lower(), "ann")], "the header X-Forwarded-User came more than once"),
        ([(USER, "ann"), (USER, "")], "the header X-Forwarded-User came more than once"),
        ([(USER, "eve, ann")], "the header X-Forwarded-User holds more than one name"),
        ([(USER, "ann\udcff")], "the header X-Forwarded-User is not valid Unicode"),
        ([(USER, "eyJhbGciOiJub25lIn0.eyJz.c2ln")], "holds a token and no name"),
        (
            [(USER, "ann"), (GROUPS, "guests"), (GROUPS, "ops")],
            "the header X-Forwarded-Groups came more than once",
        ),
        ([(USER, "ann"), (GROUPS, "\udcff")], "the header X-Forwarded-Groups is not valid Unicode"),
    ],
)
def test_whoever_cannot_be_told_apart_is_refused(
    listed: Path, headers: list[tuple[str, str]], reason: str
) -> None:
    signing_in = sign_in(GroupGrants(str(listed), COMMON))
    with pytest.raises(TokenError, match=reason) as refused:
        signing_in.principal(Request(headers))
    assert "eyJ" not in str(refused.value)
    # Neither is anybody taken for anyone in particular, nor for just anyone.
    for anonymous in (False, True):
        authentication = Authentication(COMMON, None, signing_in, anonymous=anonymous)
        for ask in (authentication.of_websocket, authentication.of_http):
            with pytest.raises(TokenError, match=reason):
                ask(Request(headers))


@pytest.mark.parametrize(
    ("groups", "allow", "deny"),
    [
        ("ops", {"orders.>", "logs.>"}, {"orders.secret"}),
        ("sales", {"orders.*"}, set()),
        (" sales ,unknown, ops", {"orders.*", "orders.>", "logs.>"}, {"orders.secret"}),
        ("guests", {"common.>"}, set()),
        ("guests,sales", {"common.>", "orders.*"}, set()),
        ("nobody", set(), set()),
        ("Zoë & co", {"zoë.>"}, set()),
        ("unknown", set(), set()),
        ("OPS", set(), set()),
        ("", set(), set()),
        (None, set(), set()),
    ],
)
def test_groups_have_what_any_of_them_allows_and_none_denies(
    listed: Path, groups: str | None, allow: set[str], deny: set[str]
) -> None:
    headers = [(USER, "ann"), *([(GROUPS, groups)] if groups is not None else [])]
    found = sign_in(GroupGrants(str(listed), COMMON)).principal(Request(headers))
    assert found is not None
    assert set(found.policy.allow) == allow
    assert set(found.policy.deny) == {"common.secret", *deny}
    assert not found.policy.may_follow("common.secret")


def test_the_same_groups_have_the_same_policy_and_a_changed_file_is_noticed(listed: Path) -> None:
    signing_in = sign_in(GroupGrants(str(listed), COMMON))
    one = signing_in.principal(Request([(USER, "ann"), (GROUPS, "ops,sales")]))
    two = signing_in.principal(Request([(USER, "bob"), (GROUPS, "sales,ops,other")]))
    guest = signing_in.principal(Request([(USER, "eve"), (GROUPS, "guests")]))
    assert one is not None and two is not None and guest is not None
    assert one.policy is two.policy, "a thousand connections would have a thousand"
    people = (one, two, guest, Principal(COMMON), Principal(SubjectPolicy(["x"]), ("token", "x")))
    assert [signing_in.changed(each) for each in people] == [False] * 5
    listed.write_text(json.dumps({"group": "sales", "allow": ["orders.*"]}))
    os.utime(listed, ns=(1, 1))
    assert [signing_in.changed(each) for each in people] == [True, True, True, False, False]
    listed.write_text("{")
    os.utime(listed, ns=(2, 2))
    still = signing_in.principal(Request([(USER, "ann"), (GROUPS, "sales")]))
    assert still is not None and still.policy.allow == ("orders.*",)


@pytest.mark.parametrize(
    "line",
    [
        "ops",
        "[]",
        "{}",
        '{"group": ""}',
        '{"group": " "}',
        '{"group": 1}',
        '{"group": "a\\ud83d"}',
        '{"group": "a,b"}',
        '{"group": "ops"}',
        '{"group": "a", "allwo": []}',
        '{"group": "a", "token": "sixteen letters!"}',
        '{"group": "a", "allow": ["a..b"]}',
        '{"group": "a", "allow": "a"}',
        '{"group": "a", "deny": [1]}',
    ],
)
def test_a_useless_line_is_named_by_its_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "groups"
    path.write_text(f'{{"group": "ops"}}\n{line}')
    with pytest.raises(SettingError, match=r"^AUTH_GROUPS_FILE: line 2 ") as fault:
        GroupGrants(str(path), COMMON)
    assert "letters" not in str(fault.value)
    path.write_text("# soon")
    with pytest.raises(SettingError, match="lists no group"):
        GroupGrants(str(path), COMMON)


def test_a_token_that_is_shown_counts_before_the_sign_in_and_the_cookie_after_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "tokens"
    path.write_text(json.dumps({"name": "wall", "token": "token number one!"}))
    tokens = Tokens(StaticTokens(str(path), COMMON))
    authentication = Authentication(COMMON, tokens, sign_in())
    wall, ann = ("token", "wall"), ("proxy", "ann")
    origin = ("Origin", "http://here")
    bearer = ("Authorization", "Bearer token number one!")
    for headers, cookie, identity in (
        ([(USER, "ann"), bearer], "", wall),
        ([(USER, "ann"), origin], "token number one!", ann),
        ([(USER, "ann"), origin], "wrong", ann),
        ([(USER, "ann"), ("Authorization", "Basic YTpi")], "", ann),
        ([origin], "token number one!", wall),
    ):
        for ask in (authentication.of_websocket, authentication.of_http):
            found = ask(Request(headers, cookie=cookie))
            assert isinstance(found, Principal) and found.identity == identity
    offered = ("Sec-WebSocket-Protocol", "bearer, wrong")
    assert isinstance(authentication.of_websocket(Request([(USER, "ann"), offered])), TokenError)
    assert authentication.of_websocket(Request([])) == ""


def test_who_comes_round_the_proxy_is_told_what_is_missing() -> None:
    said = [(USER, "ann")]
    authentication = Authentication(COMMON, None, sign_in())
    for request in (Request(said, STRANGER), Request([])):
        for ask in (authentication.of_websocket, authentication.of_http):
            with pytest.raises(TokenError, match=r"TRUSTED_PROXIES .* X-Forwarded-User"):
                ask(request)
    open_to_all = Authentication(COMMON, None, sign_in(), anonymous=True)
    for ask in (open_to_all.of_websocket, open_to_all.of_http):
        assert ask(Request(said, STRANGER)) == Principal(COMMON)


@pytest.mark.parametrize(
    ("header", "right"),
    [
        *((name, True) for name in ("X-Forwarded-User", "Remote-User", "x-auth-request-email")),
        *((name, False) for name in ("Authorization", "cookie", "HOST", "Origin", "X User", "X:")),
        *((name, False) for name in ("Sec-WebSocket-Protocol", "X_User", "Ünser", "")),
    ],
)
def test_a_header_that_anybody_writes_names_nobody(header: str, right: bool) -> None:
    assert is_header_of_names(header) is right
