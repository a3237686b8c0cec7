"""At most so many messages a second of each subject, from a real NATS server."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, eventually, messages_by_fate, running

SUBJECTS = 100
ROUNDS = 200
LAST = ROUNDS - 1
RATE = 2


async def follow(browser: Browser, pattern: str, **options: object) -> None:
    answer = await browser.ask({"subjects": [pattern]} | options)
    assert answer["success"] is True, answer


async def read_to_the_last(browser: Browser, last: int) -> dict[str, list[int]]:
    """Read until the message with that number has come on each subject."""
    found: dict[str, list[int]] = {}
    while sum(numbers[-1] == last for numbers in found.values()) < SUBJECTS:
        for line in (await browser.frame()).splitlines():
            message: dict[str, Any] = json.loads(line)
            found.setdefault(message["subject"], []).append(message["data"])
    return found


def publish_all(nats: RawNats) -> None:
    """Publish a number on each subject, round by round, about 10,000 messages a second."""
    began = time.monotonic()
    for number in range(ROUNDS):
        nats.send(
            b"".join(
                nats.command(b"r1.%d" % subject, b"%d" % number) for subject in range(SUBJECTS)
            )
        )
        time.sleep(max(0.0, began + number * SUBJECTS / 10_000 - time.monotonic()))


async def test_the_newest_of_each_subject_come_at_the_rate_and_the_last_always(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    before = messages_by_fate(gateway.figures())
    stream = f"{gateway.stream}?batch=1"
    async with Browser(stream) as slow, Browser(gateway.stream) as also, Browser(stream) as plain:
        await follow(slow, "r1.*", max_rate=RATE)
        await follow(also, "r1.*", max_rate=RATE, meta=["time"])
        await follow(plain, "r1.*")
        readers = [
            asyncio.create_task(read_to_the_last(each, LAST)) for each in (slow, also, plain)
        ]
        began = time.monotonic()
        await asyncio.to_thread(publish_all, raw_nats)
        at_a_rate, with_times, everything = await asyncio.gather(*readers)
        most = 2 + RATE * (time.monotonic() - began)
    assert all(numbers == list(range(ROUNDS)) for numbers in everything.values())
    for numbers in (*at_a_rate.values(), *with_times.values()):
        assert numbers[0] == 0
        assert numbers == sorted(set(numbers))
        assert numbers[-1] == LAST
        assert len(numbers) <= most
    after = messages_by_fate(gateway.figures())
    fates = {fate: after[fate] - before[fate] for fate in after}
    received = SUBJECTS * ROUNDS
    delivered = sum(sum(map(len, each.values())) for each in (at_a_rate, with_times, everything))
    assert fates == {
        "received": received,
        "due": 3 * received,
        "delivered": delivered,
        "filtered": 3 * received - delivered,
        "dropped": 0,
        "pending": 0,
    }


async def test_what_waits_for_a_browser_that_leaves_is_accounted_for(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    before = messages_by_fate(gateway.figures())
    async with Browser(gateway.stream) as browser, Browser(gateway.stream) as leaving:
        await follow(browser, "r2.a", max_rate=0.01)
        await follow(leaving, "r2.a", max_rate=0.01)
        for number in range(3):
            raw_nats.publish("r2.a", b"%d" % number)
        assert [(await each.next())["data"] for each in (browser, leaving)] == [0, 0]
        assert messages_by_fate(gateway.figures())["due"] == before["due"] + 4
        await leaving.ws.close()
        await eventually(lambda: gateway.figures()["bridge_connections"] == 1)
        await browser.send({"subjects": ["r2.a"], "action": "unsubscribe"})
        assert (await browser.next())["data"] == 2
        assert (await browser.next())["action"] == "unsubscribe"
    fates = messages_by_fate(gateway.figures())
    due, *parts = (
        fates[each] - before[each] for each in ("due", "delivered", "filtered", "dropped")
    )
    assert (due, parts) == (6, [3, 2, 1])
    assert fates["pending"] == before["pending"]


async def test_a_stop_brings_what_waits_before_the_end(
    nats_server: NatsServer, raw_nats: RawNats, tmp_path: Path
) -> None:
    with running(Gateway(nats_server.url, log=tmp_path / "log")) as service:
        async with Browser(service.stream) as browser:
            await follow(browser, "r3.a", max_rate=0.01)
            for number in range(3):
                raw_nats.publish("r3.a", b"%d" % number)
            assert (await browser.next())["data"] == 0
            await eventually(lambda: messages_by_fate(service.figures())["received"] == 3)
            stopping = asyncio.create_task(asyncio.to_thread(service.stop))
            assert (await browser.next())["data"] == 2
            assert await browser.closed() == 1012
            assert await stopping == 0
