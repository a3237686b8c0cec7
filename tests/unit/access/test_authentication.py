"""How long a token counts for a connection, on a clock made for it."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

import pytest

from bridge.access.key_sources import ALGORITHMS, KeyFile
from bridge.access.login import Login
from bridge.access.policy import SubjectPolicy
from bridge.access.signed_tokens import SignedTokens
from bridge.access.static_tokens import StaticTokens
from bridge.access.tokens import Principal, TokenError, Tokens
from bridge.wire.codes import CloseCode
from tests.support import minting


class Clocks:
    """The wall's and the event loop's time, which pass only when the test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall, self.monotonic = time.time(), 1000.0
        monkeypatch.setattr("bridge.access.login.time.time", lambda: self.wall)
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.monotonic)

    async def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds
        for _ in range(3):
            await asyncio.sleep(0)


@pytest.fixture
async def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    return Clocks(monkeypatch)


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    (tmp_path / "key").write_text(minting.key_file("ES256"))
    entries = ({"name": name, "token": f"token number {name}!"} for name in ("one", "two"))
    (tmp_path / "tokens").write_text("\n".join(map(json.dumps, entries)))
    static = StaticTokens(str(tmp_path / "tokens"), SubjectPolicy())
    keys = KeyFile(str(tmp_path / "key"), ALGORITHMS)
    return Tokens(static, SignedTokens(keys, SubjectPolicy()))


def visit(tokens: Tokens, token: str) -> tuple[Login, list[str]]:
    """Return a visit and why it ended, once it has."""
    ended: list[str] = []
    it = Login(tokens.principal(token, time.time()), tokens)
    it.watch(ended.append)
    return it, ended


async def test_a_visit_ends_when_its_token_expires(clocks: Clocks, tokens: Tokens) -> None:
    _, ended = visit(tokens, minting.token(seconds=100))
    for _ in range(9):
        await clocks.advance(11)
    assert ended == []
    await clocks.advance(1.1)
    assert ended == ["the token has expired"]
    await clocks.advance(100)
    assert len(ended) == 1


async def test_a_fresh_token_puts_the_end_off_and_a_visit_that_stops_has_none(
    clocks: Clocks, tokens: Tokens
) -> None:
    it, ended = visit(tokens, minting.token(seconds=20))
    it.renew(minting.token(seconds=50))
    await clocks.advance(25)
    assert ended == []
    await clocks.advance(26)
    assert len(ended) == 1
    it, ended = visit(tokens, minting.token(seconds=60))
    it.stop()
    it.stop()
    await clocks.advance(100)
    assert ended == []


async def test_a_clock_that_is_set_is_noticed_within_half_a_minute(
    clocks: Clocks, tokens: Tokens
) -> None:
    _, ended = visit(tokens, minting.token(seconds=3600))
    clocks.wall += 7200
    await clocks.advance(31)
    assert ended == ["the token has expired"]


async def test_a_token_that_is_taken_out_of_the_file_ends_its_visits_alone(
    clocks: Clocks, tokens: Tokens, tmp_path: Path
) -> None:
    _, one = visit(tokens, "token number one!")
    _, two = visit(tokens, "token number two!")
    path = tmp_path / "tokens"
    path.write_text(path.read_text().splitlines()[1])
    os.utime(path, ns=(1, 1))
    await clocks.advance(31)
    assert (one, two) == (["the token has been revoked"], [])


async def test_changed_grants_of_a_group_end_its_visits_and_ask_them_to_come_back(
    clocks: Clocks,
) -> None:
    changed: list[Principal] = []
    visitor = Principal(SubjectPolicy(), ("proxy", "ann"), groups=("ops",))
    ended: list[tuple[object, ...]] = []
    login = Login(visitor, None, changed.__contains__)
    login.watch(lambda *why: ended.append(why))
    await clocks.advance(31)
    assert ended == []
    changed.append(visitor)
    await clocks.advance(31)
    assert ended == [("the grants have changed", CloseCode.RESTART)]
    with pytest.raises(TokenError, match="no token is asked for here"):
        login.renew("any")
    login.stop()


@pytest.mark.parametrize("before", [(), ("proxy", "ann"), ("proxy", "eve")])
async def test_nobody_and_who_is_signed_in_at_a_proxy_may_become_the_holder_of_a_token(
    tokens: Tokens, before: tuple[str, ...]
) -> None:
    login = Login(Principal(SubjectPolicy(), before), tokens)
    login.renew(minting.token())
    assert login.principal.identity == ("jwt", "", "ann")
    login.renew(minting.token(seconds=100))
    for other in (minting.token(sub="eve"), minting.token(iss="other"), "token number one!"):
        with pytest.raises(TokenError, match="somebody else"):
            login.renew(other)
    assert login.principal.identity == ("jwt", "", "ann")
    login.stop()


async def test_a_token_that_does_not_count_takes_the_place_of_no_sign_in(tokens: Tokens) -> None:
    login = Login(Principal(SubjectPolicy(), ("proxy", "ann")), tokens)
    for wrong in ("wrong", minting.token(seconds=-100)):
        with pytest.raises(TokenError):
            login.renew(wrong)
    assert login.principal.identity == ("proxy", "ann")
    login.stop()


async def test_a_token_in_the_place_of_a_sign_in_ends_as_any_other(
    clocks: Clocks, tokens: Tokens
) -> None:
    ended: list[tuple[object, ...]] = []
    proxied = Principal(SubjectPolicy(), ("proxy", "ann"), groups=("ops",))
    login = Login(proxied, tokens, lambda principal: principal is proxied)
    login.renew(minting.token(seconds=20))
    login.watch(lambda *why: ended.append(why))
    await clocks.advance(19)
    assert ended == [], "what becomes of the groups is nothing to it"
    await clocks.advance(2)
    assert ended == [("the token has expired",)]
