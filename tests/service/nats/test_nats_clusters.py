"""A cluster of NATS servers: what the loss of one costs."""

from __future__ import annotations

import asyncio
import statistics
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, eventually, free_port, running
from tests.timing import Stopwatch

DOWN = {"status": "nats_down"}
UP = {"status": "nats_up", "gap": True}
SWITCHED = 1.0
"""Seconds in which the loss of a server has to be over: the median."""
LOSSES = 3
QUICK_CANARY = "tests/programs/with_a_quick_canary.py"

CONFIG = """
    cluster {{ name: three, listen: "127.0.0.1:{port}", routes: [{routes}] }}
    authorization {{ users: [{{ user: gateway, password: pw }}, {{ user: other, password: pw }}] }}
    no_auth_user: other
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[list[NatsServer]]:
    ports = [free_port() for _ in range(3)]
    routes = ", ".join(f'"nats://127.0.0.1:{port}"' for port in ports)
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                running(NatsServer(tmp_path, CONFIG.format(port=port, routes=routes)))
            )
            for port in ports
        ]


def home(cluster: list[NatsServer]) -> NatsServer | None:
    """Return the server that the gateway is connected to."""
    for server in cluster:
        if server.runs and server.inboxes():
            return server
    return None


@asynccontextmanager
async def counting(server: NatsServer) -> AsyncIterator[None]:
    """Publish 0, 1, 2 … to `count`, as fast as `server` confirms them."""
    over = threading.Event()

    def publish() -> None:
        with RawNats(server.port) as client:
            number = 0
            while not over.wait(0.001):
                client.publish("count", b"%d" % number)
                number += 1

    task = asyncio.create_task(asyncio.to_thread(publish))
    try:
        yield
    finally:
        over.set()
        await task


async def numbers_until(browser: Browser, last: Any, most: int = 100_000) -> list[int]:
    """Return the numbers that come before the frame `last`; `most` bounds the wait."""
    numbers: list[int] = []
    for _ in range(most):
        if (frame := await browser.next()) == last:
            return numbers
        numbers.append(frame["data"])
    raise AssertionError(f"no {last}")


def assert_gapless(numbers: list[int]) -> None:
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.timing
async def test_the_loss_of_a_server_costs_what_was_in_flight_and_a_moment(
    cluster: list[NatsServer], log: Path
) -> None:
    # One URL is enough: the others are named by the cluster, and want the same credentials.
    service = Gateway(cluster[0].url.replace("//", "//gateway:pw@"), log=log)
    with running(service):
        await eventually(lambda: all(server.knows_others(2) for server in cluster))
        async with Browser(service.stream) as browser, Browser(service.stream) as bystander:
            await browser.subscribe("count")
            await bystander.subscribe("quiet.*")
            took: list[float] = []
            for _ in range(LOSSES):
                lost = await eventually(lambda: home(cluster))
                rest = [server for server in cluster if server is not lost]
                async with counting(rest[0]):
                    begins = (await browser.next())["data"]
                    watch = Stopwatch()
                    lost.stop()
                    before = await numbers_until(browser, DOWN)
                    between = await numbers_until(browser, UP)
                    first = (await browser.next())["data"]
                    took.append(watch.own)
                    after = [(await browser.next())["data"] for _ in range(100)]
                assert_gapless([begins, *before])
                assert_gapless([*between, first, *after])
                assert [*between, first][0] > [begins, *before][-1]
                assert await bystander.next() == DOWN
                assert await bystander.next() == UP
                await bystander.quiet()
                await browser.ask({"subjects": ["count"], "action": "unsubscribe"})
                lost.start()
                await eventually(lambda: all(server.knows_others(2) for server in cluster))
                await browser.subscribe("count")
            assert service.figures()["bridge_nats_reconnects_total"] == LOSSES
    print(f"\nseconds from the loss to the next message: {sorted(took)}")
    assert statistics.median(took) <= SWITCHED


async def test_a_frozen_server_is_left_for_another_one(
    cluster: list[NatsServer], log: Path
) -> None:
    url = ",".join(server.url.replace("//", "//gateway:pw@") for server in cluster)
    with running(Gateway(url, program=QUICK_CANARY, log=log)) as service:
        await eventually(lambda: all(server.knows_others(2) for server in cluster))
        async with Browser(service.stream) as browser:
            await browser.subscribe("a")
            server = await eventually(lambda: home(cluster))
            server.freeze()
            assert await browser.next() == DOWN
            # It would be tried for two seconds, and again: while it is frozen only others can do.
            assert await browser.next() == UP
            rest = [each for each in cluster if each is not server]
            with RawNats((await eventually(lambda: home(rest))).port) as client:
                await asyncio.to_thread(client.publish, "a", b"1")
            assert await browser.next() == {"subject": "a", "data": 1}
            server.thaw()
            await eventually(lambda: not server.inboxes())


@pytest.mark.timing
async def test_a_server_that_says_that_it_stops_is_left_before_it_does(
    cluster: list[NatsServer], log: Path
) -> None:
    url = cluster[0].url.replace("//", "//gateway:pw@")
    with running(Gateway(url, log=log)) as service:
        await eventually(lambda: all(server.knows_others(2) for server in cluster))
        async with Browser(service.stream) as browser:
            await browser.subscribe("count")
            left = await eventually(lambda: home(cluster))
            rest = [server for server in cluster if server is not left]
            async with counting(rest[0]):
                begins = (await browser.next())["data"]
                watch = Stopwatch()
                left.lame_duck()
                before = [begins, *await numbers_until(browser, DOWN)]
                between = await numbers_until(browser, UP)
                after = [*between, *[(await browser.next())["data"] for _ in range(100)]]
                took = watch.own
        assert home(rest) and not left.inboxes()  # it is still there, for the grace period
        assert_gapless(before)
        assert_gapless(after)
        print(f"\nmissed {after[0] - before[-1] - 1} of {after[-1] - begins} in {took:.3f} s")
        assert after[0] > before[-1]
        assert "is about to stop" in service.output()
        assert " ERROR " not in service.output()


async def test_a_lone_server_that_says_that_it_stops_is_used_to_its_end(
    tmp_path: Path, log: Path
) -> None:
    server = NatsServer(tmp_path)
    with running(server), running(Gateway(server.url, log=log)) as service:
        with RawNats(server.port) as client:
            async with Browser(service.stream) as browser:
                await browser.subscribe("a")
                server.lame_duck()
                await eventually(lambda: "Connect call failed" in service.output())
                await asyncio.to_thread(client.publish, "a", b"1")
                assert await browser.next() == {"subject": "a", "data": 1}
                server.stop()
                assert await browser.next() == DOWN
                server.start()
                assert await browser.next() == UP
