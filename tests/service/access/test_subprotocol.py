"""A token in Sec-WebSocket-Protocol, the one header that a page can write to."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support import minting
from tests.support.browser_client import Browser
from tests.support.raw_http import UPGRADE, exchange, head
from tests.support.servers import PATIENCE, Gateway, NatsServer, http, running

STATIC = "b4b1f9a0c2d34e5f8a7b6c5d4e3f2a1b"
WRONG = "0123456789abcdef0123456789abcdef"
UNAUTHORIZED = 'bridge_refused_total{reason="unauthorized"}'


@pytest.fixture(scope="module")
def guarded(nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that asks for tokens."""
    folder: Path = tmp_path_factory.mktemp("subprotocol")
    (folder / "tokens").write_text(json.dumps({"name": "wall", "token": STATIC}))
    (folder / "key").write_text(minting.key_file("RS256"))
    service = Gateway(
        nats_server.url,
        log=folder / "log",
        tokens_file=folder / "tokens",
        jwt_key=folder / "key",
        log_level="debug",
    )
    with running(service):
        yield service


def offering(*names: str) -> list[Subprotocol]:
    return [Subprotocol(name) for name in names]


def answer_to(service: Gateway, *lines: str) -> str:
    """Return the head of the response to an upgrade with these lines of the header."""
    request = head("GET /stream", {"Host": "127.0.0.1", **UPGRADE}).removesuffix(b"\r\n")
    request += "".join(f"Sec-WebSocket-Protocol: {line}\r\n" for line in lines).encode() + b"\r\n"
    status, text = exchange(service.port, request)
    assert status == 101
    return text.partition("\r\n\r\n")[0]


@pytest.mark.parametrize("kind", ["static", "JWT"])
@pytest.mark.parametrize("before", [(), ("graphql-ws",)])
async def test_a_right_token_opens_and_bearer_alone_is_echoed(
    guarded: Gateway, kind: str, before: tuple[str, ...]
) -> None:
    token = STATIC if kind == "static" else minting.good()
    offered = offering(*before, "bearer", token)
    async with Browser(guarded.stream, subprotocols=offered) as browser:
        assert browser.ws.subprotocol == "bearer"
        await browser.subscribe("a")
    assert token not in answer_to(guarded, ", ".join(offered))


@pytest.mark.parametrize(
    ("lines", "echoed"),
    [
        ([f"bearer, {STATIC}"], ["bearer"]),
        ([f"bearer,{STATIC},other"], ["bearer"]),
        ([f"other,  bearer  ,  {STATIC}"], ["bearer"]),
        (["bearer", STATIC], ["bearer"]),
        ([f"{STATIC}, bearer"], ["bearer"]),
        (["bearer"], ["bearer"]),
        (["bearer,"], ["bearer"]),
        (["graphql-ws"], []),
        ([f"Bearer, {STATIC}"], []),
        (["", ",,"], []),
    ],
)
def test_one_protocol_that_was_offered_is_named_or_none(
    guarded: Gateway, lines: list[str], echoed: list[str]
) -> None:
    answer = answer_to(guarded, *lines)
    assert re.findall(r"(?im)^sec-websocket-protocol: (.*?)\r?$", answer) == echoed


@pytest.mark.parametrize(
    "offered", [["graphql-ws"], ["bearer"], [STATIC, "bearer"], [STATIC], ["Bearer", STATIC]]
)
async def test_what_is_no_token_is_no_error_either(guarded: Gateway, offered: list[str]) -> None:
    before = guarded.figures()[UNAUTHORIZED]
    async with connect(guarded.stream, subprotocols=offering(*offered), proxy=None) as ws:
        assert json.loads(await ws.recv()) == {"status": "token_required"}
        await ws.send(json.dumps({"token": STATIC}))
        assert json.loads(await ws.recv())["success"] is True
    assert guarded.figures()[UNAUTHORIZED] == before


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (lambda: WRONG, "the token is not valid"),
        (lambda: minting.good(seconds=-31), "the token has expired"),
    ],
)
async def test_a_page_sees_what_is_wrong_with_its_token(
    guarded: Gateway, token: object, reason: str
) -> None:
    assert callable(token)
    before = guarded.figures()[UNAUTHORIZED]
    offered = offering("bearer", token())
    async with connect(guarded.stream, subprotocols=offered, proxy=None) as ws:
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(PATIENCE):
                raise AssertionError(await ws.recv())
        assert (ws.close_code, ws.close_reason) == (4501, reason)
    assert guarded.figures()[UNAUTHORIZED] == before + 1


async def test_the_header_counts_before_the_subprotocol_and_that_before_the_cookie(
    guarded: Gateway,
) -> None:
    cookie = {"Cookie": f"nats_bridge_token={WRONG}", "Origin": guarded.url}
    offered = offering("bearer", STATIC)
    async with Browser(guarded.stream, additional_headers=cookie, subprotocols=offered):
        pass
    header = {"Authorization": f"Bearer {STATIC}"}
    offered = offering("bearer", WRONG)
    async with Browser(guarded.stream, additional_headers=header, subprotocols=offered):
        pass


def test_a_post_needs_its_token_elsewhere(guarded: Gateway) -> None:
    status, _ = http(f"{guarded.url}/stream", b"{}", Sec_WebSocket_Protocol=f"bearer, {STATIC}")
    assert status == 401


async def test_where_no_token_is_asked_for_it_is_as_if_none_came(gateway: Gateway) -> None:
    async with Browser(gateway.stream, subprotocols=offering("bearer", WRONG)) as browser:
        assert browser.ws.subprotocol == "bearer"
        await browser.subscribe("a")
