"""Under load, a pattern that overlaps another is taken away: what both match still comes once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from tests import minting
from tests.browser_client import Browser
from tests.raw_nats import RawNats
from tests.servers import Gateway, NatsServer, running

SENT = 20_000
ROUNDS = 5
"""Often what was read from NATS ends between two messages, and nothing is shown."""
ROOMY = {"max_pending_bytes": 100_000_000, "write_timeout": 60}


async def nothing_is_lost_or_twice(
    browser: Browser, server: NatsServer, take_away: Callable[[], Awaitable[None]]
) -> None:
    """Fail unless each number on `load.a` comes once, although a pattern is taken away."""
    commands = b"".join(
        RawNats.command(b"load.a", b"%d" % n) + RawNats.command(b"load.secret", b"%d" % n)
        for n in range(SENT)
    )
    seen: list[int] = []
    denied = False
    with RawNats(server.port) as nats:
        publishing = asyncio.create_task(asyncio.to_thread(nats.send, commands))
        while not seen or seen[-1] != SENT - 1:
            frame = await browser.next()
            if frame.get("code") == "denied":
                denied = True
            elif frame.get("subject") == "load.secret":
                assert not denied, "a subject was delivered that is denied"
            elif "data" in frame:
                seen.append(frame["data"])
                if len(seen) == 100:
                    await take_away()
        await publishing
    assert denied
    assert seen == list(range(SENT))


async def test_fewer_grants_under_load_lose_nothing_that_is_still_granted(
    nats_server: NatsServer, tmp_path: Path, log: Path
) -> None:
    def token(*allow: str) -> str:
        return minting.good(nats={"sub": {"allow": list(allow)}})

    (tmp_path / "key").write_text(minting.key_file("RS256"))
    settings = {"jwt_key": tmp_path / "key", "jwt_audience": "us", "jwt_issuer": "https://id"}
    with running(Gateway(nats_server.url, log=log, **settings, **ROOMY)) as service:
        for _ in range(ROUNDS):
            async with Browser(service.stream, token("load.>")) as browser:
                await browser.subscribe("load.*", "load.a")
                fewer = {"token": token("load.a")}
                send = partial(browser.send, fewer)
                await nothing_is_lost_or_twice(browser, nats_server, send)
