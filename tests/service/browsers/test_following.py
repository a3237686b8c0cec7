"""Who gets what: shared subscriptions, overlapping patterns, and what is left behind."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import (
    OWN_SUBSCRIPTIONS,
    Gateway,
    NatsServer,
    eventually,
    messages_by_fate,
)


def numbers(first: int, last: int, subject: bytes = b"shared.feed") -> bytes:
    """Return the commands that publish the numbers `first` to `last - 1`."""
    return b"".join(RawNats.command(subject, b"%d" % n) for n in range(first, last))


async def received(browser: Browser, count: int) -> list[int]:
    return [(await browser.next())["data"] for _ in range(count)]


async def test_all_followers_of_a_pattern_share_one_nats_subscription(
    gateway: Gateway, nats_server: NatsServer, raw_nats: RawNats
) -> None:
    browsers = [Browser(gateway.stream) for _ in range(20)]
    for browser in browsers:
        await browser.__aenter__()
    # All at once: the first ones must not each make a subscription of their own.
    await asyncio.gather(*(browser.subscribe("one.for.all") for browser in browsers))
    assert nats_server.subscriptions() == ["one.for.all"]
    raw_nats.publish("one.for.all", b"7")
    for browser in browsers:
        assert await browser.next() == {"subject": "one.for.all", "data": 7}
    for browser in browsers[1:]:
        await browser.__aexit__()
    await eventually(lambda: gateway.figures()["bridge_connections"] == 1)
    assert nats_server.subscriptions() == ["one.for.all"]
    await browsers[0].__aexit__()
    await eventually(lambda: nats_server.subscriptions() == [])


@pytest.mark.parametrize("leave", ["unsubscribe", "close", "kill"])
async def test_one_follower_leaving_costs_the_other_nothing(
    gateway: Gateway, raw_nats: RawNats, leave: str
) -> None:
    async with Browser(gateway.stream) as stays, Browser(gateway.stream) as leaves:
        await stays.subscribe("shared.feed")
        await leaves.subscribe("shared.feed")
        publishing = asyncio.create_task(asyncio.to_thread(raw_nats.send, numbers(0, 5000)))
        assert await received(leaves, 10) == list(range(10))
        if leave == "unsubscribe":
            await leaves.ask({"subjects": ["shared.feed"], "action": "unsubscribe"})
        elif leave == "close":
            await leaves.ws.close()
        else:
            leaves.kill()
        await publishing
        raw_nats.send(numbers(5000, 5100))
        assert await received(stays, 5100) == list(range(5100))
        await stays.quiet()


async def test_overlapping_patterns_deliver_once_and_in_order(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    async with Browser(gateway.stream) as browser:
        await browser.subscribe("over.*", "over.lap", "over.>", "*.lap")
        raw_nats.send(numbers(0, 2000, b"over.lap"))
        assert await received(browser, 2000) == list(range(2000))
        raw_nats.publish("over.two.levels", b'"deep"')
        assert await browser.next() == {"subject": "over.two.levels", "data": "deep"}
        await browser.quiet()


async def test_unsubscribing_one_of_two_overlapping_patterns_keeps_the_other(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    async with Browser(gateway.stream) as browser:
        await browser.subscribe("lap.*", "lap.a")
        await browser.ask({"subjects": ["lap.*"], "action": "unsubscribe"})
        raw_nats.publish("lap.b", b"1")
        raw_nats.publish("lap.a", b"2")
        assert await browser.next() == {"subject": "lap.a", "data": 2}
        await browser.quiet()


async def test_changing_overlapping_patterns_under_load_loses_nothing(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    async with Browser(gateway.stream) as browser:
        await browser.subscribe("load.*", "load.a")
        commands = numbers(0, 20000, b"load.a")
        publishing = asyncio.create_task(asyncio.to_thread(raw_nats.send, commands))
        seen: list[int] = await received(browser, 100)
        await browser.send({"subjects": ["load.*"], "action": "unsubscribe"})
        while not seen or seen[-1] != 19999:
            answer = await browser.next()
            if "data" in answer:
                seen.append(answer["data"])
        await publishing
        assert seen == list(range(20000))


async def test_a_thousand_abrupt_ends_leave_nothing_behind(
    gateway: Gateway, nats_server: NatsServer
) -> None:
    async def visit(number: int) -> None:
        async with Browser(gateway.stream) as browser:
            await browser.subscribe(f"visit.{number}", "visit.*", "visit.all")
            browser.kill()

    async def visits(first: int, last: int) -> None:
        for start in range(first, last, 50):
            await asyncio.gather(*(visit(n) for n in range(start, start + 50)))
        await eventually(lambda: nats_server.subscriptions() == [])
        await eventually(lambda: gateway.figures()["bridge_connections"] == 0)

    await visits(0, 50)
    tasks, files = gateway.figures()["bridge_tasks"], gateway.ps().num_fds()
    await visits(50, 1050)
    await eventually(lambda: gateway.figures()["bridge_tasks"] <= tasks)
    await eventually(lambda: gateway.ps().num_fds() <= files)
    figures = gateway.figures()
    assert figures["bridge_patterns"] == 0
    assert figures["bridge_nats_subscriptions"] == OWN_SUBSCRIPTIONS


async def test_every_message_due_is_delivered_filtered_or_dropped(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    before = messages_by_fate(gateway.figures())
    async with Browser(gateway.stream) as one, Browser(gateway.stream + "?batch=1") as two:
        await one.subscribe("sum.>", "sum.a", ">")
        await two.subscribe("sum.a")
        raw_nats.send(numbers(0, 500, b"sum.a") + numbers(0, 5, b"_INBOX.sum"))
        await received(one, 500)
        await one.quiet()
    await eventually(lambda: gateway.figures()["bridge_connections"] == 0)
    after = messages_by_fate(gateway.figures())
    grown = {fate: after[fate] - before[fate] for fate in before}
    probes = grown["received"] - (500 * 3 + 5)
    assert 0 <= probes < 20, "the canary's messages come under > as well, and are denied"
    assert grown["due"] == 500 * 4 + 5 + probes
    assert after["pending"] == 0
    assert grown["delivered"] + grown["filtered"] + grown["dropped"] == grown["due"]
    assert grown["filtered"] == 1005 + probes
