"""Browsers that go on where they were: at another gateway, after NATS was away, in a crowd."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

from tests.service.history.browsers import due, fill, is_balanced, is_well
from tests.support.browser_client import Browser
from tests.support.cursors import Resumer
from tests.support.jetstream import (
    Entry,
    api,
    consumers_of,
    entries_of,
    jetstream,
    last_of,
    make_stream,
    plain_client,
)
from tests.support.proxy import Proxy
from tests.support.servers import PATIENCE, Gateway, NatsServer, eventually, running

SUBJECTS = ["s.a", "s.b", "s.c.d", "s.rare"]
PATTERNS = [["s.>"], ["s.a"], ["s.*"], ["s.a", "s.c.>"], ["s.*", "s.a"], ["s.rare"]]
STORED = 1000
"""Messages there are at the beginning."""
WISHES: list[Any] = ["new", "new", "all", "last_per_subject", {"last": 300}, {"seq": 50}]


@asynccontextmanager
async def publishing(client: Client, rate: int) -> AsyncIterator[None]:
    """Publish as long as the block lasts and NATS is there; each message has its number."""
    over = asyncio.Event()

    async def publish() -> None:
        loop, sent = asyncio.get_running_loop(), 0
        begin = loop.time()
        while not over.is_set():
            while sent < (loop.time() - begin) * rate:
                subject = random.choice(SUBJECTS[:3]) if sent % 50 else "s.rare"
                await client.publish(subject, b"%d" % sent)
                sent += 1
            await asyncio.sleep(0.005)

    task = asyncio.create_task(publish())
    try:
        yield
    finally:
        over.set()
        await task
        await client.flush()


async def settled(client: Client, browsers: list[Resumer]) -> list[Entry]:
    """Wait until all browsers have what the stream has; return that."""
    truth = await entries_of(client, "S")
    # One more on each subject ends what is still to come.
    ends = {
        subject: (await client.jetstream().publish(subject, b'"end"')).seq for subject in SUBJECTS
    }
    last = max(ends.values())

    async with asyncio.timeout(PATIENCE):
        for each in browsers:
            while not each.is_live or newest(each) < last_due(each, ends):
                await asyncio.sleep(0.05)
    assert last == await last_of(client, "S")
    return truth


async def spread(count: int, *gateways: Gateway) -> list[Resumer]:
    """Return browsers that are live, by turns at each of the gateways."""
    browsers = [
        Resumer(*random.choice(PATTERNS), history=random.choice(WISHES)) for _ in range(count)
    ]
    for number, browser in enumerate(browsers):
        await browser.connect(gateways[number % len(gateways)].stream)
    # Whoever wants the latest and has had nothing asks for the latest again.
    await eventually(lambda: all(each.is_live for each in browsers))
    return browsers


def last_due(browser: Resumer, ends: dict[str, int]) -> int:
    truth = [Entry(sequence, subject, b"") for subject, sequence in ends.items()]
    return max(each for pattern in browser.patterns for each in due(truth, pattern))


def newest(browser: Resumer) -> int:
    return max((each.sequence for each in browser.got), default=0)


def faults(browser: Resumer, truth: list[Entry]) -> list[str]:
    """Return what it has not got, or more than once, or changed."""
    sequences = expected(browser, truth)
    wanted = {entry for entry in truth if entry.sequence in sequences}
    got = [each for each in browser.got if each.payload != b'"end"']
    found = []
    if missing := wanted - set(got):
        found.append(f"missing {sorted(missing)[:3]} of {len(missing)}")
    if extra := set(got) - wanted:
        found.append(f"extra {sorted(extra)[:3]} of {len(extra)}")
    twice = sorted(each for each, times in Counter(got).items() if times > 1)
    if twice:
        found.append(f"twice {twice[:3]} of {len(twice)}")
    found += [str(each) for each in browser.told if each.get("status") == "missed"]
    return [f"{browser.patterns} {browser.wish}: {each}" for each in found]


def expected(browser: Resumer, truth: list[Entry]) -> set[int]:
    """Return the sequences that are due to it; of the latest, as many of the past as it got."""
    is_latest = browser.wish == "last_per_subject"
    wanted = {each.sequence for each in browser.got if is_latest and each.sequence <= STORED}
    for pattern in browser.patterns:
        wanted |= set(due(truth, pattern, STORED if is_latest else browser.starts[pattern]))
    return wanted


@pytest.mark.parametrize(
    ("count", "rate"), [(12, 500), pytest.param(200, 40, marks=pytest.mark.long)]
)
async def test_whoever_was_at_a_gateway_that_is_killed_goes_on_at_another(
    tmp_path: Path, count: int, rate: int
) -> None:
    with running(NatsServer(tmp_path, jetstream(tmp_path))) as server:
        async with plain_client(server) as client:
            await make_stream(client, "S", ["s.>"])
            await fill(client, "S", SUBJECTS, [b"%d" % each for each in range(STORED)])
            settings = {"requests_per_second": 1000, "request_burst": 1000, "max_replay": 100000}
            one, two = (Gateway(server.url, log=tmp_path / name, **settings) for name in ("1", "2"))
            with running(one), running(two):
                browsers = await spread(count, one, two)
                async with publishing(client, rate):
                    for round_ in range(2):
                        await asyncio.sleep(0.5)
                        dies, lives = [(one, two), (two, one)][round_]
                        await asyncio.to_thread(dies.stop, signal.SIGKILL)
                        homeless = [each for each in browsers if each.address == dies.stream]
                        await asyncio.gather(*(each.gone() for each in homeless))
                        for each in homeless:
                            await each.connect(lives.stream)
                        await asyncio.to_thread(dies.start)
                    for each in random.sample(browsers, count // 3):
                        await each.disconnect()
                        await each.connect(random.choice([one, two]).stream)
                truth = await settled(client, browsers)
                assert [fault for each in browsers for fault in faults(each, truth)][:5] == []
                for each in browsers:
                    each.browser.kill()
                    await each.gone()
                assert is_well(one)
                assert is_well(two)


async def test_nothing_is_lost_while_nats_is_killed_and_consumers_are_deleted(
    tmp_path: Path,
) -> None:
    server = NatsServer(tmp_path, jetstream(tmp_path))
    with running(server):
        async with plain_client(server) as client:
            await make_stream(client, "S", ["s.>"])
            await fill(client, "S", SUBJECTS, [b"%d" % each for each in range(STORED)])
            program = "tests/programs/with_quick_streams.py"
            settings = {"requests_per_second": 1000, "request_burst": 1000, "max_replay": 100000}
            gateway = Gateway(server.url, log=tmp_path / "log", program=program, **settings)
            with running(gateway):
                browsers = [
                    Resumer(*each, history=wish) for each in PATTERNS for wish in ("new", "all")
                ]
                for each in browsers:
                    await each.connect(gateway.stream)
                await eventually(lambda: all(each.is_live for each in browsers))
                async with Browser(gateway.stream) as plain_one:
                    await plain_one.subscribe("s.nobody")
                    for _ in range(3):
                        async with publishing(client, 500):
                            await asyncio.sleep(0.3)
                            (consumer,) = await consumers_of(client, "S")
                            await api(client, f"CONSUMER.DELETE.S.{consumer}")
                            await asyncio.sleep(0.3)
                            server.crash()
                            await asyncio.to_thread(server.start)
                            await eventually(lambda: client.is_connected)
                        assert await plain_one.next() == {"status": "nats_down"}
                        assert await plain_one.next() == {"status": "nats_up", "gap": True}
                    truth = await settled(client, browsers)
                assert [fault for each in browsers for fault in faults(each, truth)][:5] == []
                for each in browsers:
                    lines = [line for line in each.told if line.get("status", "")[:5] == "nats_"]
                    assert (
                        lines == [{"status": "nats_down"}, {"status": "nats_up", "gap": False}] * 3
                    )
                    live = [e.sequence for e in each.got]
                    assert each.wish == "all" or live == sorted(live)
                    await each.disconnect()
                assert len(await consumers_of(client, "S")) <= 1
                assert is_well(gateway)
                await eventually(lambda: is_balanced(gateway))


async def test_of_more_than_may_be_replayed_after_an_outage_the_newest_come(
    tmp_path: Path,
) -> None:
    with running(NatsServer(tmp_path, jetstream(tmp_path))) as server:
        with running(Proxy(server.port)) as proxy:
            async with plain_client(server) as client:
                await make_stream(client, "S", ["s.>"])
                gateway = Gateway(proxy.url, log=tmp_path / "log", max_replay=500)
                with running(gateway):
                    async with Browser(gateway.stream) as browser:
                        await browser.ask({"subjects": ["s.>"], "history": "new"})
                        while (await browser.next()).get("status") != "live":
                            pass
                        proxy.black_hole()
                        proxy.reset()
                        assert await browser.next() == {"status": "nats_down"}
                        await fill(client, "S", SUBJECTS, [b"1"] * 5000)
                        for consumer in await consumers_of(client, "S"):
                            await api(client, f"CONSUMER.DELETE.S.{consumer}")
                        proxy.heal()
                        assert await browser.next() == {"status": "nats_up", "gap": False}
                        at, lines = 0, 0
                        while at < 5000:
                            line = await browser.next()
                            if line.get("status") == "missed":
                                assert (line["after"], line["reason"]) == (at, "too_many")
                                at = line["until"]
                            elif "data" in line:
                                assert line["seq"] == at + 1
                                at += 1
                                lines += 1
                        assert lines == 500
                    assert is_well(gateway)
