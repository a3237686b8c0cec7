"""Under load, a pattern that overlaps another is taken away: what both match still comes once."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support import minting
from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import PATIENCE, Gateway, NatsServer, running

CHUNK, MOST, MOST_AHEAD = 2000, 1_000_000, 10_000
ROUNDS = 3
"""Often what was read from NATS ends between two messages, and nothing is shown."""
BATCH = "?batch=1"
ROOMY = {"max_pending_bytes": 1_000_000_000, "write_timeout": 60}


def publish(server: NatsServer, told: threading.Event, seen: list[int]) -> int:
    """Publish numbers until a while after `told`, and then -1; return how many numbers."""
    with RawNats(server.port) as nats:
        for number in range(0, MOST, CHUNK):
            # Not faster than the gateway: what tells of the end stands behind all of it.
            while number - len(seen) > MOST_AHEAD and not told.is_set():
                time.sleep(0.001)
            last = told.is_set()
            numbers = [b"%d" % n for n in range(number, number + CHUNK)]
            nats.send(b"".join(RawNats.command(b"load.a", each) for each in numbers))
            nats.publish("load.secret", b"0")
            if last:
                break
        nats.publish("load.a", b"-1")
    return number + CHUNK


async def nothing_is_lost_or_twice(
    browser: Browser, server: NatsServer, take_away: Callable[[], Awaitable[None]]
) -> None:
    """Fail unless each number on `load.a` comes once, although a pattern is taken away."""
    told = threading.Event()
    seen: list[int] = []
    publishing = asyncio.create_task(asyncio.to_thread(publish, server, told, seen))
    try:
        while seen[-1:] != [-1]:
            for frame in map(json.loads, (await browser.frame()).splitlines()):
                if frame.get("code") == "denied":
                    told.set()
                elif frame.get("subject") == "load.a":
                    seen.append(frame["data"])
                    if len(seen) == 100:
                        await take_away()
                elif told.is_set():
                    assert "subject" not in frame, "a message that is denied"
    finally:
        told.set()
    assert seen == [*range(await publishing), -1]


async def test_fewer_grants_under_load_lose_nothing_that_is_still_granted(
    nats_server: NatsServer, tmp_path: Path, log: Path
) -> None:
    def token(*allow: str) -> str:
        return minting.good(nats={"sub": {"allow": list(allow)}})

    (tmp_path / "key").write_text(minting.key_file("RS256"))
    settings = {"jwt_key": tmp_path / "key", "jwt_audience": "us", "jwt_issuer": "https://id"}
    with running(Gateway(nats_server.url, log=log, **settings, **ROOMY)) as service:
        for _ in range(ROUNDS):
            async with Browser(service.stream + BATCH, token("load.>")) as browser:
                await browser.subscribe("load.*", "load.a")
                fewer = {"token": token("load.a")}
                send = partial(browser.send, fewer)
                await nothing_is_lost_or_twice(browser, nats_server, send)


RESTRICTED = """
    authorization {{ users: [
        {{ user: gateway, password: pw, permissions: {{ subscribe: ["_INBOX.>", {allowed}] }} }}
        {{ user: other, password: pw }}
    ] }}
    no_auth_user: other
"""
ALL, FEWER = RESTRICTED.format(allowed='"load.>"'), RESTRICTED.format(allowed='"load.a"')


@pytest.mark.parametrize("gone", ["load.*", "load.>"])
async def test_a_permission_taken_away_under_load_costs_nothing_that_is_still_allowed(
    gone: str, tmp_path: Path, log: Path
) -> None:
    # The server sends the copy for `load.>` before the one for `load.a`, that for `load.*` after.
    with running(NatsServer(tmp_path, ALL)) as server:
        url = server.url.replace("//", "//gateway:pw@")
        generous = {"requests_per_second": 10000, "request_burst": 10000}
        with running(Gateway(url, log=log, **generous, **ROOMY)) as service:

            async def reload() -> None:
                server.reload(FEWER)

            for _ in range(ROUNDS):
                server.reload(ALL)
                async with (
                    Browser(service.stream + BATCH) as browser,
                    asyncio.timeout(3 * PATIENCE),
                ):
                    while not (await browser.ask({"subjects": gone}))["success"]:
                        await asyncio.sleep(0.01)  # the server has yet to read it
                    await browser.subscribe("load.a")
                    await nothing_is_lost_or_twice(browser, server, reload)
