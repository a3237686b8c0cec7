"""JWT_KEY as the URL of a key set, which somebody else serves, changes and breaks."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.support import minting
from tests.support.browser_client import Browser
from tests.support.certificates import Authority
from tests.support.json_log import logged
from tests.support.key_server import KeyServer, key_set
from tests.support.raw_nats import RawNats
from tests.support.servers import PATIENCE, Gateway, NatsServer, eventually, http, running

QUICK = "tests/programs/with_quick_keys.py"


@pytest.fixture
def keys() -> Iterator[KeyServer]:
    with KeyServer() as server:
        yield server


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def opens(service: Gateway, token: str) -> bool:
    """Tell whether `token` opens a WebSocket now."""
    try:
        async with Browser(service.stream, additional_headers=bearer(token)) as browser:
            await browser.subscribe("a")
    except InvalidStatus:
        return False
    return True


async def opens_soon(service: Gateway, token: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await opens(service, token):
            await asyncio.sleep(0.1)


async def test_a_key_that_is_new_counts_soon_and_one_that_was_withdrawn_no_more(
    nats_server: NatsServer, log: Path, keys: KeyServer
) -> None:
    keys.body = key_set(RS256="one")
    service = Gateway(nats_server.url, program=QUICK, log=log, jwt_key=keys.url, log_format="json")
    one, two = minting.token("RS256", kid="one"), minting.token("ES256", kid="two")
    with running(service):
        await opens_soon(service, one)
        assert not await opens(service, two)
        keys.body = key_set(ES256="two")
        await opens_soon(service, two)
        assert not await opens(service, one)
        assert len(logged(service, "keys_fetched")) == 2
        # What cannot be fetched changes nothing, and is told once.
        asked, keys.status = keys.asked, 503
        await eventually(lambda: keys.asked > asked + 2)
        assert await opens(service, two)
        (stale,) = logged(service, "keys_stale")
        assert stale["reason"] == "the answer is 503"


async def test_until_there_are_keys_browsers_are_asked_to_come_back(
    nats_server: NatsServer, log: Path
) -> None:
    with KeyServer() as gone:
        port, url = gone.port, gone.url
    token = minting.token("RS256")
    service = Gateway(nats_server.url, log=log, jwt_key=url, log_format="json")
    with running(service):
        await eventually(lambda: logged(service, "keys_missing"))
        with pytest.raises(InvalidStatus) as refused:
            async with connect(service.stream, additional_headers=bearer(token), proxy=None):
                pass
        response = refused.value.response
        assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
        assert response.body == b"The token's key has yet to be fetched, try again in a moment.\n"
        status, _ = await asyncio.to_thread(http, f"{service.url}/stream", b"{}", **bearer(token))
        assert status == 503
        cookie = {"Cookie": f"nats_bridge_token={token}", "Origin": service.url}
        with pytest.raises(InvalidStatus, match="503"):
            async with connect(service.stream, additional_headers=cookie, proxy=None):
                pass
        for way in ("first frame", "subprotocol"):
            offered = ["bearer", token] if way == "subprotocol" else None
            async with connect(service.stream, subprotocols=offered, proxy=None) as ws:
                with pytest.raises(ConnectionClosed):
                    if way == "first frame":
                        assert json.loads(await ws.recv()) == {"status": "token_required"}
                        await ws.send(json.dumps({"token": token}))
                    await ws.recv()
                assert ws.close_code == 1012
        assert await asyncio.to_thread(http, f"{service.url}/readyz") == (200, '{"status": "ok"}')
        with KeyServer(port=port):
            await opens_soon(service, token)
        assert await opens(service, token)


async def test_a_host_that_hangs_holds_up_no_message(
    nats_server: NatsServer, log: Path, keys: KeyServer, raw_nats: RawNats
) -> None:
    service = Gateway(nats_server.url, program=QUICK, log=log, jwt_key=keys.url)
    with running(service):
        await opens_soon(service, minting.token("RS256"))
        headers = bearer(minting.token("RS256"))
        async with Browser(service.stream, additional_headers=headers) as browser:
            await browser.subscribe("tick")
            asked, keys.delay = keys.asked, 30.0
            await eventually(lambda: keys.asked > asked)
            longest = 0.0
            for number in range(100):
                begun = time.monotonic()
                raw_nats.publish("tick", str(number).encode())
                assert await browser.next() == {"subject": "tick", "data": number}
                longest = max(longest, time.monotonic() - begun)
                await asyncio.sleep(0.01)
            assert longest < 0.5
        keys.delay = 0.0


async def test_the_certificate_has_to_be_one_that_this_machine_trusts(
    nats_server: NatsServer, log: Path, tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "authority")
    token = minting.token("RS256")
    with KeyServer(authority.issue("127.0.0.1")) as keys:
        settings = {"jwt_key": keys.url, "log_format": "json"}
        with running(Gateway(nats_server.url, log=log, **settings)) as service:
            (missing,) = await eventually(lambda: logged(service, "keys_missing"))
            assert missing["reason"].startswith("its certificate does not count here: ")
            assert not await opens(service, token)
        trusting = Gateway(nats_server.url, log=log, ssl_cert_file=authority.ca, **settings)
        with running(trusting):
            await opens_soon(trusting, token)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (
            {"jwt_key": "http://planted:planted-secret@id.example.com/"},
            "JWT_KEY: the URL has to begin with https://: whoever is on the way could sign tokens",
        ),
        (
            {"jwt_key": "https://id.example.com/", "jwt_algorithms": "HS256"},
            "JWT_KEY: a URL has public keys only, and HS256 needs a secret",
        ),
    ],
)
def test_a_url_that_could_do_harm_ends_the_start(
    log: Path, settings: dict[str, str], line: str
) -> None:
    service = Gateway("nats://127.0.0.1:1", log=log, **settings)
    service.launch()
    assert service.wait() == 2
    assert service.output().splitlines() == [line]


def test_a_file_with_a_url_is_no_secret(log: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("https://id.example.com/.well-known/jwks.json\n")
    settings = {"jwt_key": tmp_path / "key", "jwt_algorithms": "HS256"}
    service = Gateway("nats://127.0.0.1:1", log=log, **settings)
    service.launch()
    assert service.wait() == 2
    assert service.output().startswith("JWT_KEY: the file holds a URL and no key")
