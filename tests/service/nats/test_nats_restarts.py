"""Many subscriptions over many restarts of NATS. RESTARTS=100 in the environment for more."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import statistics
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import PATIENCE, Gateway, NatsServer, eventually, running
from tests.timing import Stopwatch

DOWN = {"status": "nats_down"}
UP = {"status": "nats_up", "gap": True}
RESTARTS = int(os.environ.get("RESTARTS", "5"))
SUBJECTS = [f"many.{number}" for number in range(2000)]
EACH = 100  # for each connection
FLOWS_AGAIN = 2.0
"""Seconds from the port to all of them: the median is asserted."""


def begin_to_answer(port: int) -> Stopwatch:
    """Return once somebody listens on `port`."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return Stopwatch()
        time.sleep(0.002)
    raise AssertionError(f"nobody on {port}")


def publish_to_all(server: NatsServer) -> None:
    with RawNats(server.port) as client:
        client.send(b"".join(RawNats.command(each.encode(), b"1") for each in SUBJECTS))


async def all_flow_again(server: NatsServer, browsers: list[Browser]) -> float:
    """Start the server; return how long after its port is back every subject has brought one."""
    answers = asyncio.create_task(asyncio.to_thread(begin_to_answer, server.port))
    starts = asyncio.create_task(asyncio.to_thread(server.start))
    for browser in browsers:
        assert await browser.next() == UP
    await starts
    await asyncio.to_thread(publish_to_all, server)
    for number, browser in enumerate(browsers):
        subjects = [(await browser.next())["subject"] for _ in range(EACH)]
        assert subjects == SUBJECTS[number * EACH : (number + 1) * EACH]
    return (await answers).own


@pytest.mark.timing
@pytest.mark.load
async def test_after_restarts_every_subscription_flows_again(tmp_path: Path, log: Path) -> None:
    server = NatsServer(tmp_path)
    took: list[float] = []
    with running(server), running(Gateway(server.url, log=log)) as service:
        async with AsyncExitStack() as stack:
            browsers = [
                await stack.enter_async_context(Browser(service.stream))
                for _ in range(0, len(SUBJECTS), EACH)
            ]
            for number, browser in enumerate(browsers):
                await browser.subscribe(*SUBJECTS[number * EACH : (number + 1) * EACH])
            for _ in range(RESTARTS):
                server.stop()
                for browser in browsers:
                    assert await browser.next() == DOWN
                await asyncio.sleep(random.uniform(0, 1))  # an outage, of any length
                took.append(await all_flow_again(server, browsers))
                assert server.subscriptions() == sorted(SUBJECTS)
                assert len(server.inboxes()) == 1
            for browser in browsers:
                await browser.quiet()
        await eventually(lambda: server.subscriptions() == [])
    took.sort()
    print(
        f"\n{RESTARTS} restarts, seconds from the port to all {len(SUBJECTS)}: "
        f"p50 {statistics.median(took):.2f}, p99 {took[int(0.99 * (RESTARTS - 1))]:.2f}, "
        f"max {took[-1]:.2f}"
    )
    assert statistics.median(took) <= FLOWS_AGAIN
