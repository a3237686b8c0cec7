"""A program with Panini's own App that keeps messages waiting loses none silently."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, eventually, http

pytestmark = pytest.mark.skipif(
    sys.version_info >= (3, 14),
    reason="Panini 0.8.4 applies nest_asyncio, and its own App does not start on Python 3.14",
)
PENDING_MESSAGES, TOO_MANY = 6000, 3000


@pytest.mark.parametrize("error_cb", ["own", "default"])
async def test_what_nats_py_drops_is_counted_and_told(
    error_cb: str, nats_server: NatsServer, raw_nats: RawNats, log: Path
) -> None:
    path = "tests/programs/that_waits.py"
    options: dict[str, object] = {"callback": "none", "error_cb": error_cb}
    options["pending_messages"] = PENDING_MESSAGES
    program = Gateway(nats_server.url, program=path, log=log, **options)

    def figures() -> dict[str, int]:
        return json.loads(http(f"{program.url}/figures")[1])

    program.start()
    try:
        async with Browser(program.stream) as one, Browser(program.stream) as two:
            await one.subscribe("flood.*")
            await two.subscribe("flood.a", "flood.*")
            raw_nats.publish("flood.a", b'"wait"')
            await eventually(lambda: figures()["received"] == 2)  # one by each subscription
            command = RawNats.command(b"flood.a", b"1")
            for count in (PENDING_MESSAGES, TOO_MANY):
                await asyncio.to_thread(raw_nats.send, command * count)
            # Both get all by flood.*, which waits; flood.a brings nothing but copies.
            sent = 1 + PENDING_MESSAGES + TOO_MANY
            await eventually(lambda: figures()["received"] == 1 + TOO_MANY + sent)
            await asyncio.to_thread(http, f"{program.url}/release")
            for browser in (one, two):
                received, dropped = await browser.received_and_dropped(sent)
                assert received + dropped == sent
                assert dropped >= TOO_MANY
            seen = figures()
        assert seen["received"] == 2 * sent
        assert seen["expected"] == 3 * sent
        assert seen["expected"] == seen["delivered"] + seen["filtered"] + seen["dropped"]
        assert seen["filtered"] == sent
        # On a busy machine the queue of flood.a is full for a moment, too.
        assert seen["errors"] >= TOO_MANY if error_cb == "own" else seen["errors"] == 0
        assert program.output().count("messages for 'flood.*' come too fast") == 1
        assert "nats: encountered error" not in program.output()
    finally:
        program.stop(signal.SIGKILL)  # Panini's own App has no orderly end
