"""Streams that are deleted, and made again, while somebody follows them or nobody does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from nats.aio.client import Client

from tests.service.history.browsers import TEXT, fill, fresh_stream, slow_browser, sound
from tests.support.browser_client import Browser
from tests.support.jetstream import api, consumers_of, make_stream, until_stored
from tests.support.servers import Gateway, NatsServer, eventually


@pytest.fixture(scope="module")
def gateway(
    stream_server: NatsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway that soon notices what is gone, and holds little for each connection."""
    log = tmp_path_factory.mktemp("gateway") / "log"
    program = "tests/programs/with_quick_streams.py"
    with sound(
        Gateway(stream_server.url, log=log, program=program, max_pending_bytes=16384)
    ) as gateway:
        yield gateway


async def delete(client: Client, name: str) -> None:
    assert (await api(client, f"STREAM.DELETE.{name}"))["success"] is True


async def follow(browser: Browser, pattern: str, history: Any = "new") -> dict[str, Any]:
    answer = await browser.ask({"subjects": [pattern], "history": history})
    return answer["history"]


async def live(browser: Browser) -> list[dict[str, Any]]:
    """Return what comes up to the notice that it is live, and that."""
    lines = []
    while True:
        lines.append(await browser.next())
        if lines[-1].get("status") == "live":
            return lines


async def test_whoever_follows_a_stream_that_goes_is_told(client: Client, gateway: Gateway) -> None:
    name, token = await fresh_stream(client)
    await fill(client, name, [f"{token}.a"], [b"1"] * 5)
    async with Browser(gateway.stream) as browser:
        await follow(browser, f"{token}.>")
        await live(browser)
        await follow(browser, f"{token}.a", "all")
        await live(browser)
        await delete(client, name)
        gone = [await browser.next() for _ in range(2)]
        assert [each["code"] for each in gone] == ["stream_gone"] * 2
        assert [each["subjects"] for each in gone] == [[f"{token}.>"], [f"{token}.a"]]
        assert all(name in each["message"] and "id" not in each for each in gone)
        answer = await browser.ask({"subjects": [f"{token}.a"], "history": "all", "id": 2})
        assert (answer["code"], answer["reason"], answer["id"]) == ("no_history", "no_stream", 2)
        assert (await browser.ask({"subjects": [f"{token}.a"], "history": "auto"}))["success"]
        await client.publish(f"{token}.a", b"1")
        assert await browser.next() == {"subject": f"{token}.a", "data": 1}
        await browser.ask({"action": "unsubscribe", "subjects": [f"{token}.a"]})
        await make_stream(client, name, [f"{token}.>"])
        await client.publish(f"{token}.a", b"2")
        await until_stored(client, name, 1)
        answer = await browser.ask({"subjects": [f"{token}.a"], "history": "all", "id": 3})
        while not answer["success"]:  # that there is none was just found, and is kept for a moment
            await asyncio.sleep(0.2)
            answer = await browser.ask({"subjects": [f"{token}.a"], "history": "all", "id": 3})
        assert await browser.next() == {
            "subject": f"{token}.a",
            "seq": 1,
            "replay": True,
            "data": 2,
        }


@pytest.mark.parametrize("count", [1, 50])
async def test_a_stream_that_is_made_again_is_followed_from_its_start(
    client: Client, gateway: Gateway, count: int
) -> None:
    name, token = await fresh_stream(client)
    await fill(client, name, [f"{token}.a"], [b"1"] * 10)
    async with Browser(gateway.stream) as browser:
        before = await follow(browser, f"{token}.>")
        await live(browser)
        await delete(client, name)
        await make_stream(client, name, [f"{token}.>"])
        await fill(client, name, [f"{token}.a"], [b"2"] * count)
        missed = await browser.next()
        assert missed["epoch"] != before["epoch"]
        assert missed == {
            "status": "missed",
            "stream": name,
            "epoch": missed["epoch"],
            "after": 10,
            "until": 0,
            "reason": "stream_new",
            "subjects": [f"{token}.>"],
        }
        got = [await browser.next() for _ in range(count)]
        assert [each["seq"] for each in got] == [*range(1, count + 1)]
        assert all(each["data"] == 2 for each in got)


async def test_a_tail_that_lingers_does_not_bring_what_was(
    client: Client, gateway: Gateway
) -> None:
    name, token = await fresh_stream(client)
    await fill(client, name, [f"{token}.a"], [b"1"] * 10)
    async with Browser(gateway.stream) as browser:
        before = await follow(browser, f"{token}.>")
        await live(browser)
    await delete(client, name)
    await make_stream(client, name, [f"{token}.>"])
    await fill(client, name, [f"{token}.a"], [b"2"] * 3)
    async with Browser(gateway.stream) as browser:
        cursor = {"after": f"{name}.{before['epoch']}.10"}
        said = await follow(browser, f"{token}.>", cursor)
        if said["epoch"] == before["epoch"]:  # what was found before is kept for a moment
            missed = await browser.next()
            while missed.get("status") != "missed":
                missed = await browser.next()
            assert (missed["reason"], missed["after"], missed["until"]) == ("stream_new", 10, 0)
        else:
            assert (said["resumed"], said["reason"]) == (False, "stream_new")
        got: list[Any] = []
        while len(got) < 3:
            line = await browser.next()
            got += [(line["seq"], line["data"])] if "data" in line else []
        assert got == [(1, 2), (2, 2), (3, 2)]
        await client.publish(f"{token}.a", b"3")
        while (line := await browser.next()).get("data") != 3:
            pass
        assert line["seq"] == 4


async def test_a_replay_that_waits_goes_on_in_the_stream_that_was_made_again(
    client: Client, gateway: Gateway
) -> None:
    name, token = await fresh_stream(client)
    a, b = f"{token}.a", f"{token}.b"
    await fill(client, name, [a, b], [TEXT] * 2000)
    async with slow_browser(gateway) as browser, Browser(gateway.stream) as other:
        browser.ws.transport.pause_reading()
        await browser.send({"subjects": [a], "history": "all"})
        await asyncio.sleep(0.2)
        await browser.send({"subjects": [b], "history": {"seq": 1999}})
        await follow(other, f"{token}.c")
        await live(other)
        await asyncio.sleep(0.2)
        await delete(client, name)
        await make_stream(client, name, [f"{token}.>"])
        await fill(client, name, [a, b], [b'"new"'] * 6)
        while (await other.next()).get("reason") != "stream_new":
            pass
        browser.ws.transport.resume_reading()
        lines = [*await live(browser), *await live(browser)]
        new = [(e["subject"][-1], e["seq"]) for e in lines if e.get("data") == "new"]
        assert sorted(new) == [("a", 1), ("a", 3), ("a", 5), ("b", 2), ("b", 4), ("b", 6)]
        missed = {each["subjects"][0] for each in lines if each.get("reason") == "stream_new"}
        assert missed == {a, b}


async def test_whoever_is_behind_goes_on_in_the_stream_that_was_made_again(
    client: Client, gateway: Gateway
) -> None:
    name, token = await fresh_stream(client)
    a, b = f"{token}.a", f"{token}.b"
    async with slow_browser(gateway) as browser, Browser(gateway.stream) as other:
        await follow(browser, a)
        await live(browser)
        browser.ws.transport.pause_reading()
        await fill(client, name, [a], [TEXT] * 2000)
        await follow(other, b)
        await live(other)
        await delete(client, name)
        await make_stream(client, name, [f"{token}.>"])
        await fill(client, name, [a], [b'"new"'] * 6)
        while (await other.next()).get("reason") != "stream_new":
            pass
        browser.ws.transport.resume_reading()
        had = 0
        while (line := await browser.next()).get("reason") != "stream_new":
            had = line.get("seq", had) if "data" in line else had
        assert line["after"] == had < 2000
        got = [await browser.next() for _ in range(6)]
        assert [(each["seq"], each["data"]) for each in got] == [(n, "new") for n in range(1, 7)]


async def test_consumers_go_with_those_who_needed_them(client: Client, gateway: Gateway) -> None:
    name, token = await fresh_stream(client)
    async with Browser(gateway.stream) as browser:
        await follow(browser, f"{token}.>", "all")
        assert len(await consumers_of(client, name)) == 1
    async with asyncio.timeout(10):
        while await consumers_of(client, name):
            await asyncio.sleep(0.05)
    await eventually(lambda: gateway.figures()["bridge_connections"] == 0)
