"""What a connection took is free when it ends, and not only when garbage is collected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support.browser_client import Browser
from tests.support.servers import Gateway, NatsServer, eventually, http, running

PROGRAM = "tests/programs/without_collection.py"


async def come_and_go(nats_server: NatsServer, log: Path, go: Callable[[Browser], object]) -> None:
    """Have browsers come, follow and end as `go` says; return when nothing of them is left."""
    with running(Gateway(nats_server.url, program=PROGRAM, log=log)) as gateway:
        held = f"{gateway.url}/held"
        for _ in range(10):
            async with Browser(gateway.stream) as browser:
                await browser.subscribe("garbage.a", "garbage.*")
                assert http(held) == (200, "1")
                go(browser)
            await eventually(lambda: http(held) == (200, "0"))


async def test_a_browser_that_leaves_frees_its_memory_at_once(
    nats_server: NatsServer, log: Path
) -> None:
    await come_and_go(nats_server, log, lambda browser: None)


async def test_a_browser_that_vanishes_frees_its_memory_at_once(
    nats_server: NatsServer, log: Path
) -> None:
    await come_and_go(nats_server, log, Browser.kill)
