"""However messages are read, each comes once and in order, or is told: through all that goes on.

By frames, batches, server-sent events and NDJSON (also compressed), and a program's own callback;
while others come and go, patterns overlap, NATS is away for a while, and one reads slowly.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser_client import Browser
from tests.support.http_reader import GZIP, SSE, HttpReader
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, messages_by_fate, running, until

pytestmark = pytest.mark.load

BLOCK = 200
LAST = b'"the last one"'
PATTERNS = ["n.>", "n.*"]
BALLAST = b"x" * 200


class Account:
    """What one reader has got: each message once, and nothing missing that was not told."""

    def __init__(self) -> None:
        self.latest = -1
        self.got = self.told = self.missed = 0
        self.was_away = self.is_done = False

    def take(self, line: str) -> None:
        told = json.loads(line)
        if "dropped" in told:
            self.told += told["dropped"]
        elif told.get("status") == "nats_up":
            self.was_away = True
        elif told.get("subject", "").startswith("n."):
            self._take_message(told)

    def _take_message(self, message: dict[str, Any]) -> None:
        if message["data"] == json.loads(LAST):
            self.is_done = True
            return
        number = message["data"]["n"]
        assert message["headers"] == [["N", str(number)]]
        assert number > self.latest, "doubled, or out of order"
        hole = number - self.latest - 1
        if hole and self.was_away:
            self.was_away, hole = False, 0  # published while the gateway was away
        self.missed += hole
        self.latest = number
        self.got += 1

    def take_all(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.take(line)


async def read_socket(browser: Browser, account: Account, *, slowly: bool = False) -> None:
    await browser.ask({"subjects": PATTERNS, "meta": ["headers"]})
    while not account.is_done:
        account.take_all((await browser.frame()).split("\n"))
        if slowly and random.random() < 0.001:
            browser.ws.transport.pause_reading()
            await asyncio.sleep(0.3)
            browser.ws.transport.resume_reading()


def read_response(reader: HttpReader, account: Account) -> None:
    while not account.is_done:
        line = reader.line().removeprefix("data: ")
        if line.startswith("{"):
            account.take(line)


async def come_and_go(stream: str) -> None:
    """Follow what overlaps, in other ways each time, until cancelled."""
    choice = random.Random(7)
    async with Browser(f"{stream}?batch=1") as browser:

        async def read() -> None:
            while True:
                await browser.frame()

        reading = asyncio.create_task(read())
        try:
            while True:
                wants = choice.choice([{}, {"meta": ["time"]}, {"max_rate": 5}])
                some = choice.sample(["n.a", "n.*", "n.>", ">"], 2)
                await browser.send({"subjects": some, **wants})
                await asyncio.sleep(0.05)
                await browser.send({"subjects": some[:1], "action": "unsubscribe"})
                await asyncio.sleep(0.05)
        finally:
            reading.cancel()


async def publish(nats: NatsServer, accounts: list[Account], first: int, last: int) -> None:
    with RawNats(nats.port) as client:
        for start in range(first, last, BLOCK):
            commands = (
                RawNats.command(
                    b"n.a" if number % 2 else b"n.b",
                    b'{"n":%d,"x":"%b"}' % (number, BALLAST),
                    headers=b"NATS/1.0\r\nN: %d\r\n\r\n" % number,
                )
                for number in range(start, min(start + BLOCK, last))
            )
            await asyncio.to_thread(client.send, b"".join(commands))
            while min(each.latest for each in accounts) < start - 5 * BLOCK:
                await asyncio.sleep(0.001)  # those that read fast lose nothing


@pytest.mark.parametrize("count", [10_000, pytest.param(100_000, marks=pytest.mark.long)])
async def test_each_message_comes_once_or_is_told_however_it_is_read(
    tmp_path: Path, count: int
) -> None:
    nats = NatsServer(tmp_path)
    limits: dict[str, object] = {"requests_per_second": 10000, "request_burst": 10000}
    program = "tests/programs/that_calls_back.py"
    with (
        running(nats),
        running(Gateway(nats.url, log=tmp_path / "log", **limits)) as gateway,
        running(Gateway(nats.url, log=tmp_path / "log2", program=program, **limits)) as calling,
        HttpReader(gateway.port, {"subjects": PATTERNS, "meta": "headers"}, SSE) as events,
        HttpReader(gateway.port, {"subjects": PATTERNS, "meta": "headers"}) as lines,
        HttpReader(gateway.port, {"subjects": PATTERNS, "meta": "headers"}, SSE | GZIP) as zipped,
    ):
        async with contextlib.AsyncExitStack() as stack:
            open_ = stack.enter_async_context
            frames = await open_(Browser(gateway.stream))
            batch = await open_(Browser(f"{gateway.stream}?batch=1", compression="deflate"))
            callback = await open_(Browser(calling.stream))
            slow = await open_(Browser(gateway.stream))
            fast = [Account() for _ in range(6)]
            late = Account()
            reading = [
                asyncio.create_task(each)
                for each in (
                    read_socket(frames, fast[0]),
                    read_socket(batch, fast[1]),
                    read_socket(callback, fast[2]),
                    asyncio.to_thread(read_response, events, fast[3]),
                    asyncio.to_thread(read_response, lines, fast[4]),
                    asyncio.to_thread(read_response, zipped, fast[5]),
                    read_socket(slow, late, slowly=True),
                )
            ]
            churn = [asyncio.create_task(come_and_go(gateway.stream)) for _ in range(4)]
            until(lambda: {"n.>", "n.*"} <= set(nats.subscriptions()))
            await asyncio.sleep(0.5)
            await publish(nats, fast, 0, count // 2)
            while min(each.latest for each in fast) < count // 2 - 1:
                await asyncio.sleep(0.01)
            nats.stop()
            nats.start()
            for each in churn:
                each.cancel()
            while not all(each.was_away for each in fast):
                await asyncio.sleep(0.01)
            await publish(nats, fast, count // 2, count)
            with RawNats(nats.port) as client:
                for _ in range(100):
                    client.publish("n.a", LAST)
                    await asyncio.sleep(0.05)
                    if all(each.is_done for each in (*fast, late)):
                        break
            await asyncio.gather(*reading)
        for each in fast:
            assert (each.got, each.told, each.missed) == (count, 0, 0)
        assert late.got + late.told + late.missed >= count
        assert late.missed <= late.told
        for each in (gateway, calling):
            until(lambda each=each: each.figures()["bridge_connections"] <= 3)
            fates = messages_by_fate(each.figures())
            done = fates["delivered"] + fates["filtered"] + fates["dropped"] + fates["pending"]
            assert fates["due"] == done
