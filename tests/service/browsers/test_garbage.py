"""What a connection took is free when it ends, and not only when garbage is collected."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.support.browser_client import Browser
from tests.support.certificates import Authority
from tests.support.http_reader import HttpReader
from tests.support.raw_http import exchange, head
from tests.support.raw_nats import RawNats
from tests.support.secure import Secure, trusting
from tests.support.servers import Gateway, NatsServer, eventually, running

PROGRAM = "tests/programs/without_collection.py"
HELD = head("GET /held", {"Host": "x", "Connection": "close"})


class Held:
    """A gateway that collects no garbage, and tells how many connections are in its memory."""

    def __init__(self, gateway: Gateway, tls: ssl.SSLContext | None) -> None:
        self.gateway, self.tls = gateway, tls

    def __call__(self) -> int:
        status, body = exchange(self.gateway.port, HELD, tls=self.tls)
        assert status == 200
        return int(body.rpartition("\r\n\r\n")[2])


@asynccontextmanager
async def without_collection(
    nats_server: NatsServer, folder: Path, *, secure: bool, **settings: object
) -> AsyncIterator[Held]:
    context = None
    if secure:
        authority = Authority(folder / "ca")
        gateway: Gateway = Secure(nats_server.url, folder, program=PROGRAM, **settings)
        gateway.install(authority)
        context = trusting(authority)
    else:
        gateway = Gateway(nats_server.url, program=PROGRAM, log=folder / "log", **settings)
    with running(gateway):
        yield Held(gateway, context)
        await eventually(lambda: came(gateway) == went(gateway))
        assert "a request failed" not in gateway.output()


def came(gateway: Gateway) -> int:
    return gateway.output().count(" opened by ")


def went(gateway: Gateway) -> int:
    return gateway.output().count(" closed: code ")


async def nothing(browser: Browser) -> None:
    """Leave as one should."""


async def vanish(browser: Browser) -> None:
    browser.kill()


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("go", [nothing, vanish], ids=["leaves", "vanishes"])
async def test_a_browser_that_goes_frees_its_memory_at_once(
    go: Callable[[Browser], Awaitable[None]],
    secure: bool,
    nats_server: NatsServer,
    tmp_path: Path,
) -> None:
    async with without_collection(nats_server, tmp_path, secure=secure) as held:
        for _ in range(10):
            async with Browser(held.gateway.stream, ssl=held.tls) as browser:
                await browser.subscribe("garbage.a", "garbage.*")
                assert await asyncio.to_thread(held) == 1
                await go(browser)
            await eventually(lambda: held() == 0)


def leave(reader: HttpReader) -> None:
    """Leave as one should."""
    reader.__exit__()


def have_enough(reader: HttpReader) -> None:
    assert reader.rest().count('"subject":"garbage.h"') == 1


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("go", [leave, HttpReader.vanish, have_enough])
async def test_a_reader_that_goes_frees_its_memory_at_once(
    go: Callable[[HttpReader], None],
    secure: bool,
    nats_server: NatsServer,
    raw_nats: RawNats,
    tmp_path: Path,
) -> None:
    query = "subjects=garbage.*&subjects=garbage.>&limit=1"
    async with without_collection(nats_server, tmp_path, secure=secure) as held:
        port = held.gateway.port
        for _ in range(10):
            refused = await asyncio.to_thread(HttpReader, port, "subjects=a..b", tls=held.tls)
            refused.rest()
            refused.__exit__()
            reader = await asyncio.to_thread(HttpReader, port, query, tls=held.tls)
            await asyncio.to_thread(reader.begun)
            assert await asyncio.to_thread(held) == 1
            if go is have_enough:
                raw_nats.publish("garbage.h", b"1")
            await asyncio.to_thread(go, reader)
            await eventually(lambda: held() == 0)
            reader.__exit__()


async def wait(ws: ClientConnection) -> None:
    await ws.wait_closed()


async def vanish_too(ws: ClientConnection) -> None:
    """Answer nothing, not even the close frame."""
    ws.transport.abort()


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("go", [wait, vanish_too], ids=["leaves", "vanishes"])
async def test_one_whose_token_is_wrong_frees_its_memory_at_once(
    go: Callable[[ClientConnection], Awaitable[None]],
    secure: bool,
    nats_server: NatsServer,
    tmp_path: Path,
) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text(json.dumps({"name": "ann", "token": "the-token-of-ann!"}))
    async with without_collection(nats_server, tmp_path, secure=secure, tokens_file=tokens) as held:
        for _ in range(10):
            async with connect(held.gateway.stream, ssl=held.tls, proxy=None) as ws:
                await ws.recv()
                await ws.send('{"token": "a wrong one"}')
                await go(ws)
            await eventually(lambda: held() == 0)
