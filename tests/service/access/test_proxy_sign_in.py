"""Signing in at a reverse proxy in front of the gateway."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from bridge.web.proxy_protocol import V2
from tests.support import readme
from tests.support.browser_client import Browser
from tests.support.json_log import logged
from tests.support.raw_http import UPGRADE, exchange, head
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, eventually, http, running

USER, GROUPS = "X-Forwarded-User", "X-Forwarded-Groups"
OPERATOR = {"Authorization": "Bearer the operator's token"}
STRANGER = "127.0.0.2"
"""An address that is no proxy."""
LINES = [line for line in readme.examples("docs/access.md") if '"group"' in line]


@pytest.fixture(scope="module")
def guarded(nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway behind a proxy at 127.0.0.1, which says who is signed in there."""
    folder: Path = tmp_path_factory.mktemp("proxy")
    (folder / "groups").write_text("\n".join(LINES))
    service = Gateway(
        nats_server.url,
        log=folder / "log",
        trusted_proxies="127.0.0.1",
        auth_header=USER,
        auth_groups_header=GROUPS,
        auth_groups_file=folder / "groups",
        operator_token="the operator's token",
        log_level="debug",
        log_format="json",
    )
    with running(service):
        yield service


def of(name: str, *groups: str) -> dict[str, str]:
    """Return what the proxy says of somebody."""
    return {USER: name, GROUPS: ",".join(groups)}


async def test_groups_may_follow_what_the_readme_says(guarded: Gateway, raw_nats: RawNats) -> None:
    async with (
        Browser(guarded.stream, additional_headers=of("ann", "ops", "staff")) as ann,
        Browser(guarded.stream, additional_headers=of("bob", "sales")) as bob,
        Browser(guarded.stream, additional_headers=of("eve", "guests")) as eve,
    ):
        await ann.subscribe("orders.>", "logs.a")
        await bob.subscribe("orders.*")
        for browser, pattern in (
            (ann, ">"),
            (ann, "orders.secret.a"),
            (bob, "orders.>"),
            (bob, "logs.a"),
            (eve, "orders.a"),
        ):
            assert (await browser.ask({"subjects": pattern}))["code"] == "denied", pattern
        for subject in ("orders.secret.a", "logs.a", "orders.a"):
            raw_nats.publish(subject, b"1")
        assert [(await ann.next())["subject"] for _ in "12"] == ["logs.a", "orders.a"]
        assert (await bob.next())["subject"] == "orders.a"
        text = (await asyncio.to_thread(http, f"{guarded.url}/connections", None, **OPERATOR))[1]
        listed = {tuple(each["identity"]) for each in json.loads(text)["connections"]}
        assert listed >= {("proxy", "ann"), ("proxy", "bob"), ("proxy", "eve")}
    opened = await eventually(lambda: logged(guarded, "connection_opened"))
    assert {each["who"] for each in opened} >= {"ann", "bob", "eve"}


async def test_a_post_reaches_only_connections_of_the_same_name(guarded: Gateway) -> None:
    async with Browser(guarded.stream, additional_headers=of("ann", "ops")) as ann:
        body = {"connection_id": ann.connection_id, "subjects": ["orders.b"]}

        async def status(**headers: str) -> int:
            posted = json.dumps(body).encode()
            headers = {name.replace("-", "_"): value for name, value in headers.items()}
            return (await asyncio.to_thread(http, f"{guarded.url}/stream", posted, **headers))[0]

        assert await status(**of("ann", "ops")) == 200
        assert await status(**of("eve", "ops")) == 404
        assert await status(**of("Ann", "ops")) == 404
        assert await status() == 401
        assert await status(**of("eve,ann", "ops")) == 401


@pytest.mark.parametrize("line", ["GET /stream", "POST /stream"])
def test_the_header_of_anybody_else_counts_for_nothing(guarded: Gateway, line: str) -> None:
    upgrade = UPGRADE if line.startswith("GET") else {"Content-Length": "0"}
    request = head(line, {"Host": "127.0.0.1", **of("ann", "ops"), **upgrade})
    status, text = exchange(guarded.port, request, source=STRANGER)
    assert status == 401
    assert "One of TRUSTED_PROXIES has to say who it is, in X-Forwarded-User." in text
    assert exchange(guarded.port, request)[0] == (101 if upgrade is UPGRADE else 400)


@pytest.mark.parametrize("line", ["GET /stream", "POST /stream"])
def test_a_name_that_came_twice_is_nobody(guarded: Gateway, line: str) -> None:
    upgrade = UPGRADE if line.startswith("GET") else {"Content-Length": "0"}
    request = head(line, {"Host": "127.0.0.1", **of("ann"), USER.lower(): "eve", **upgrade})
    status, text = exchange(guarded.port, request)
    assert status == 401 and "The header X-Forwarded-User came more than once." in text


async def test_a_foreign_page_cannot_use_the_sign_in_of_its_reader(guarded: Gateway) -> None:
    headers = {**of("ann", "ops"), "Origin": "http://evil.example"}
    with pytest.raises(InvalidStatus) as refused:
        async with connect(guarded.stream, additional_headers=headers, proxy=None):
            pass
    assert refused.value.response.status_code == 403


async def test_beside_a_sign_in_tokens_count_as_well(nats_server: NatsServer, log: Path) -> None:
    tokens = log.parent / "tokens"
    entries = (
        {"name": "wall", "token": "a token for the wall", "allow": ["wall.>"]},
        {"name": "desk", "token": "a token for the desk"},
    )
    tokens.write_text("\n".join(map(json.dumps, entries)))
    service = Gateway(
        nats_server.url,
        log=log,
        tokens_file=tokens,
        trusted_proxies="127.0.0.1",
        auth_header=USER,
        allow_subjects="common.>",
    )
    with running(service):
        async with Browser(service.stream, additional_headers={USER: "ann"}) as ann:
            await ann.subscribe("common.a")
            assert (await ann.ask({"subjects": "else"}))["code"] == "denied"
            await ann.send({"token": "a token for the wall"})
            assert (await ann.next())["action"] == "token"
            assert (await ann.next())["code"] == "denied", "the token does not grant common.a"
            await ann.subscribe("wall.a")
            await ann.send({"token": "a token for the desk"})
            assert await ann.closed() == 4501, "it is for somebody else than the token before"
        async with Browser(service.stream, additional_headers={USER: "ann"}) as ann:
            await ann.send({"token": "wrong"})
            assert await ann.closed() == 4501
        async with Browser(service.stream, "a token for the wall") as wall:
            await wall.subscribe("wall.a")


@pytest.mark.parametrize(
    "header",
    [
        b"PROXY TCP4 203.0.113.9 10.0.0.1 5555 443\r\n",
        b"PROXY UNKNOWN\r\n",
        V2 + b"\x21\x00\x00\x00",
        V2 + b"\x21\x12\x00\x0c" + bytes(12),
        V2 + b"\x21\x31\x00\xd8" + b"/" * 216,
    ],
)
def test_who_comes_through_a_balancer_that_passes_tcp_on_signs_nobody_in(
    guarded: Gateway, header: bytes
) -> None:
    upgrade = head("GET /stream", {"Host": "x", **UPGRADE, USER: "admin"})
    status, _ = exchange(guarded.port, header + upgrade)
    assert status == 401
