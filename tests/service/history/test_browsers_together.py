"""Many browsers on one stream share a consumer and what is read; losses are told to each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client

from tests.service.history.browsers import (
    TEXT,
    fill,
    fresh_stream,
    is_balanced,
    is_well,
    slow_browser,
    sound,
)
from tests.support.browser_client import Browser
from tests.support.jetstream import (
    api,
    consumers_of,
    jetstream,
    make_stream,
    plain_client,
    until_stored,
)
from tests.support.servers import Gateway, NatsServer, eventually, running


@pytest.fixture(scope="module")
def gateway(
    stream_server: NatsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway that holds little for each connection."""
    log = tmp_path_factory.mktemp("gateway") / "log"
    settings = {"max_pending_bytes": 32768, "max_replay": 100000, "write_timeout": 60}
    with sound(Gateway(stream_server.url, log=log, **settings)) as gateway:
        yield gateway


async def opened(gateway: Gateway, count: int) -> list[Browser]:
    browsers = [Browser(gateway.stream) for _ in range(count)]
    await asyncio.gather(*(each.__aenter__() for each in browsers))
    return browsers


async def api_requests(client: Client) -> int:
    """Return how many requests JetStream has had so far."""
    answer = json.loads((await client.request("$JS.API.INFO", b"", timeout=10)).data)
    return int(answer["api"]["total"])


@pytest.mark.parametrize("count", [40, pytest.param(300, marks=pytest.mark.long)])
async def test_any_number_of_browsers_has_one_consumer(
    client: Client, gateway: Gateway, count: int
) -> None:
    name, token = await fresh_stream(client)
    browsers = await opened(gateway, count)
    most = 0
    over = asyncio.Event()

    async def watch() -> None:
        nonlocal most
        while not over.is_set():
            most = max(most, len(await consumers_of(client, name)))
            await asyncio.sleep(0.01)

    watching = asyncio.create_task(watch())
    asking = []
    for number, browser in enumerate(browsers):
        patterns = [f"{token}.{number}.{end}" for end in ("a", "b", "*")]
        asking.append(browser.ask({"subjects": patterns, "history": "new"}))
    assert all(answer["success"] for answer in await asyncio.gather(*asking))
    over.set()
    await watching
    assert most <= 2
    async with asyncio.timeout(10):
        while len(await consumers_of(client, name)) > 1:
            await asyncio.sleep(0.05)
    for number in range(count):
        await client.publish(f"{token}.{number}.a", b"%d" % number)
    for number, browser in enumerate(browsers):
        while "data" not in (line := await browser.next()):
            pass
        assert (line["data"], line["seq"]) == (number, number + 1)
    for browser in browsers:
        browser.kill()


async def test_a_crowd_that_resumes_asks_little_of_jetstream(
    client: Client, gateway: Gateway
) -> None:
    name, token = await fresh_stream(client)
    async with Browser(gateway.stream) as first:
        start = (await first.ask({"subjects": [f"{token}.>"], "history": "new"}))["history"]
        count = 3000
        payloads = [b"%d" % each for each in range(count)]
        await fill(client, name, [f"{token}.{each}" for each in range(40)], payloads)
        while (await first.next()).get("seq") != count:
            pass
        for after, most in ((count - 500, 0), (500, 20)):
            browsers = await opened(gateway, 40)
            requests = await api_requests(client)
            wish = {"after": f"{name}.{start['epoch']}.{after}"}
            for number, browser in enumerate(browsers):
                await browser.send({"subjects": [f"{token}.{number}"], "history": wish})
            for number, browser in enumerate(browsers):
                got = []
                while (line := await browser.next()).get("status") != "live":
                    got += [line["seq"]] if "data" in line else []
                assert got == [
                    each for each in range(after + 1, count + 1) if (each - 1) % 40 == number
                ]
            asked = await api_requests(client) - requests - 1
            # What the stream is like is asked once in some seconds.
            assert asked <= most + 3
            for browser in browsers:
                browser.kill()


@pytest.mark.parametrize("way", ["purge", "expiry"])
async def test_what_goes_in_the_middle_of_a_replay_is_told(
    client: Client, gateway: Gateway, way: str
) -> None:
    name, token = await fresh_stream(client)
    await fill(client, name, [f"{token}.a", f"{token}.b"], [TEXT] * 6000)
    async with slow_browser(gateway) as slow:
        slow.ws.transport.pause_reading()
        await slow.send({"subjects": [f"{token}.>"], "history": "all"})
        await asyncio.sleep(0.3)
        if way == "purge":
            await api(client, f"STREAM.PURGE.{name}", {"seq": 5001})
        else:
            config = (await api(client, f"STREAM.INFO.{name}"))["config"]
            await api(client, f"STREAM.UPDATE.{name}", {**config, "max_msgs": 1000})
        slow.ws.transport.resume_reading()
        at, missed, lines = 0, [], 0
        while (line := await slow.next()).get("status") != "live":
            if line.get("status") == "missed":
                assert (line["after"], line["reason"]) == (at, "expired")
                missed.append(line)
                at = line["until"]
            elif "data" in line:
                lines += 1
                at += 1
                assert line["seq"] == at
        assert at == 6000
        assert [each["until"] for each in missed] == [5000]
        assert lines == 6000 - sum(each["until"] - each["after"] for each in missed)


@pytest.mark.parametrize(
    ("count", "crowd"), [(5000, 4), pytest.param(50000, 20, marks=pytest.mark.long)]
)
async def test_the_event_loop_is_held_up_by_no_replay(
    client: Client, gateway: Gateway, count: int, crowd: int
) -> None:
    name, token = await fresh_stream(client)
    for start in range(0, count, 1000):
        for number in range(start, start + 1000):
            await client.publish(f"{token}.{number % 10}", b"%d" % number)
        await client.flush()
    await until_stored(client, name, count)
    browsers = await opened(gateway, crowd)

    async def read(browser: Browser) -> int:
        await browser.send({"subjects": [f"{token}.>"], "history": "all"})
        had = 0
        while (line := await browser.next()).get("status") != "live":
            if "data" in line:
                had += 1
                assert line["seq"] == had
        return had

    def late() -> float:
        figures = gateway.figures()
        total = figures["bridge_event_loop_lag_seconds_count"]
        return total - figures['bridge_event_loop_lag_seconds_bucket{le="0.5"}']

    before = late()
    assert await asyncio.gather(*map(read, browsers)) == [count] * crowd
    assert late() - before == 0
    for browser in browsers:
        browser.kill()


async def test_what_is_asked_for_while_nats_is_away_comes_later(tmp_path: Path) -> None:
    server = NatsServer(tmp_path, jetstream(tmp_path))
    with running(server):
        async with plain_client(server) as client:
            await make_stream(client, "S", ["s.>"])
            await fill(client, "S", ["s.a"], [b"1"] * 5)
        with running(Gateway(server.url, log=tmp_path / "log")) as gateway:
            async with Browser(gateway.stream) as browser:
                server.stop()
                assert await browser.next() == {"status": "nats_down"}
                for number, wish in enumerate(["all", "auto", {"last": 2}, "last_per_subject"]):
                    patterns = [["s.>"], ["s.a"], ["s.*"], ["*.a"]][number]
                    more: dict[str, Any] = {"stream": "S"} if number == 3 else {}
                    request = {"subjects": patterns, "history": wish, "id": number, **more}
                    answer = await browser.ask(request)
                    assert (answer["code"], answer["id"]) == ("nats_down", number)
                await browser.ask({"action": "unsubscribe", "subjects": ["s.*"]})
                await asyncio.to_thread(server.start)
                told: dict[int, Any] = {}
                live: set[str] = set()
                got = []
                while len(live) < 3:
                    line = await browser.next()
                    if "id" in line:
                        told[line["id"]] = line["history"]["messages"]
                    elif line.get("status") == "live":
                        live |= set(line["subjects"])
                    elif "data" in line:
                        got.append(line["seq"])
                assert told.keys() == {0, 1, 3}
                assert live == {"s.>", "s.a", "*.a"}
                assert sorted(got) == [1, 2, 3, 4, 5]
                await eventually(lambda: is_balanced(gateway))
            assert is_well(gateway)


async def test_a_gateway_that_starts_without_nats_takes_wishes(tmp_path: Path) -> None:
    server = NatsServer(tmp_path, jetstream(tmp_path))
    with running(server):
        async with plain_client(server) as client:
            await make_stream(client, "S", ["s.>"])
            await fill(client, "S", ["s.a"], [b"1"] * 5)
    gateway = Gateway(server.url, log=tmp_path / "log")
    try:
        gateway.launch()
        await eventually(lambda: gateway.figures())
        async with Browser(gateway.stream) as browser:
            assert await browser.next() == {"status": "nats_down"}
            answer = await browser.ask({"subjects": ["s.>"], "history": "all", "id": 1})
            assert (answer["code"], answer["id"]) == ("nats_down", 1), answer
            await asyncio.to_thread(server.start)
            while (line := await browser.next()).get("status") != "live":
                last = line
            assert last["seq"] == 5
    finally:
        gateway.stop()
        server.stop()
