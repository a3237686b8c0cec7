"""Whatever is subscribed to and left, at whatever moment of a replay: nothing stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from nats.aio.client import Client
from websockets.exceptions import ConnectionClosed

from bridge.wire.subjects import matches
from tests.service.history.browsers import (
    fill,
    fresh_stream,
    is_balanced,
    is_well,
    sound,
    tasks,
)
from tests.support.browser_client import Browser
from tests.support.jetstream import api, consumers_of
from tests.support.servers import PATIENCE, Gateway, NatsServer, eventually

TEXT = b'"%s"' % (b"x" * 300)
LINE_BREAK = "\n"
WISHES = ["new", "auto", "all", "last_per_subject", {"last": 50}, {"seq": 700}, {"since": "1h"}]


@pytest.fixture(scope="module")
def gateway(
    stream_server: NatsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway with tails that end soon, which holds little for each connection."""
    log = tmp_path_factory.mktemp("gateway") / "log"
    settings = {"max_pending_bytes": 32768, "requests_per_second": 10000, "request_burst": 10000}
    program = "tests/programs/with_quick_streams.py"
    with sound(Gateway(stream_server.url, log=log, program=program, **settings)) as gateway:
        yield gateway


class Toggling:
    """A browser that subscribes and unsubscribes at random, and notes what should not come."""

    def __init__(self, gateway: Gateway, token: str, seed: int) -> None:
        self.faults: list[Any] = []
        self._gateway = gateway
        self._patterns = [f"{token}.{end}" for end in ("a", "b", "*", ">", "c.>", "c.*")]
        self._random = random.Random(seed)
        self._followed: dict[str, Any] = {}
        """What may bring messages: by pattern, what was asked for."""
        self._had: Counter[int] = Counter()
        """Messages since nothing was followed last."""
        self._number = 0

    async def run(self, rounds: int) -> None:
        async with Browser(self._gateway.stream + self._random.choice(["", "?batch=1"])) as browser:
            for _ in range(rounds):
                await self._toggle(browser)
                if self._random.random() < 0.1:
                    browser.ws.transport.pause_reading()
                    await asyncio.sleep(self._random.random() * 0.1)
                    browser.ws.transport.resume_reading()
            if self._random.random() < 0.5:
                browser.kill()

    async def _toggle(self, browser: Browser) -> None:
        pick = self._random
        self._number += 1
        request: dict[str, Any] = {"id": self._number}
        if pick.random() < 0.5:
            request["subjects"] = pick.sample(self._patterns, pick.randint(1, 3))
            request["history"] = pick.choice(WISHES)
            if pick.random() < 0.2:
                request["meta"] = ["time"]
            self._followed |= dict.fromkeys(request["subjects"], True)
        else:
            request["action"] = "unsubscribe"
            request["subjects"] = pick.sample(self._patterns, pick.randint(1, 4))
        await browser.send(request)
        if pick.random() < 0.3:
            return
        await self._read(browser, pick.choice([0, 0.001, 0.01, 0.05]))

    async def _read(self, browser: Browser, seconds: float) -> None:
        """Read on for so long, and at least up to the response to the latest request."""
        is_answered = False
        ends = asyncio.get_running_loop().time() + seconds
        with contextlib.suppress(ConnectionClosed):
            while True:
                left = max(ends - asyncio.get_running_loop().time(), 0)
                try:
                    async with asyncio.timeout(left if is_answered else PATIENCE):
                        frame = await browser.ws.recv()
                except TimeoutError:
                    if not is_answered:
                        raise
                    return
                lines = json.loads(f"[{frame.replace(LINE_BREAK, ',')}]")
                is_answered |= self._number in [self._take(line) for line in lines]

    def _take(self, line: dict[str, Any]) -> Any:
        """Note what a line says; return the request that it is about."""
        if line.get("action") == "unsubscribe" and line["id"] == self._number:
            for pattern in line["subjects"]:
                self._followed.pop(pattern, None)
        elif line.get("code") == "no_history" or line.get("code") == "stream_gone":
            self.faults.append(line)
        elif "seq" in line and "data" in line:
            if not any(matches(each, line["subject"]) for each in self._followed):
                self.faults.append(line)
        return line.get("id")


@pytest.mark.parametrize(
    ("count", "rounds"),
    [(10, 30), pytest.param(50, 20, marks=[pytest.mark.load, pytest.mark.timing])],
)
async def test_nothing_stays_of_what_was_toggled(
    client: Client, gateway: Gateway, count: int, rounds: int
) -> None:
    name, token = await fresh_stream(client)
    ends = ["a", "b", "c.1", "c.2"]
    await fill(client, name, [f"{token}.{end}" for end in ends], [TEXT] * 1500)
    calm = tasks(gateway) + 1  # what looks after streams stays
    seed = random.randrange(10**6)
    print("seed", seed)
    browsers = [Toggling(gateway, token, seed + number) for number in range(count)]
    over = asyncio.Event()

    async def publish() -> None:
        while not over.is_set():
            for end in ends:
                await client.publish(f"{token}.{end}", TEXT)
            await asyncio.sleep(0.005)

    publishing = asyncio.create_task(publish())
    await asyncio.gather(*(each.run(rounds) for each in browsers))
    over.set()
    await publishing
    assert [each.faults[:3] for each in browsers if each.faults] == []
    await eventually(lambda: gateway.figures()["bridge_connections"] == 0)
    await eventually(lambda: tasks(gateway) <= calm)
    await eventually(lambda: is_balanced(gateway))
    async with asyncio.timeout(10):
        while await consumers_of(client, name):
            await asyncio.sleep(0.1)
    assert is_well(gateway)


async def test_a_tail_is_on_what_is_followed_and_nothing_else(
    client: Client, gateway: Gateway
) -> None:
    name, token = await fresh_stream(client)
    await fill(client, name, [f"{token}.a"], [TEXT] * 2000)
    async with Browser(gateway.stream) as stays:
        await stays.ask({"subjects": [f"{token}.stays"], "history": "new"})
        for seed in range(5):
            await Toggling(gateway, token, seed).run(20)
        await stays.ask({"subjects": [f"{token}.new"], "history": "new"})

        async with asyncio.timeout(PATIENCE):
            while await filters(client, name) != [[f"{token}.new", f"{token}.stays"]]:
                await asyncio.sleep(0.1)


async def filters(client: Client, stream: str) -> list[list[str]]:
    """Return what each consumer of a stream brings."""
    consumers = (await api(client, f"CONSUMER.LIST.{stream}"))["consumers"]
    return [sorted(each["config"].get("filter_subjects", ())) for each in consumers]


async def test_requests_that_come_in_one_piece(client: Client, gateway: Gateway) -> None:
    name, token = await fresh_stream(client)
    await fill(client, name, [f"{token}.a"], [TEXT] * 100)
    calm = tasks(gateway) + 1  # what looks after streams stays
    async with Browser(gateway.stream) as browser:
        for number in range(50):
            for action in ("subscribe", "unsubscribe"):
                more = {"history": "all"} if action == "subscribe" else {}
                request = {"action": action, "subjects": [f"{token}.>"], "id": number, **more}
                browser.ws.protocol.send_text(json.dumps(request).encode())
            browser.ws.transport.write(b"".join(browser.ws.protocol.data_to_send()))
        seen: list[int] = []
        last: dict[str, Any] = {}
        while len(seen) < 100:
            line = await browser.next()
            if "id" in line:
                assert line["success"], line
                seen.append(line["id"])
                last = line
            else:
                assert last["action"] == "subscribe", line
        await browser.quiet()
    await eventually(lambda: tasks(gateway) <= calm)
