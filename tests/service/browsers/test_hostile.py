"""Hostile input is boring: it gets one sentence, and costs nobody else anything."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, http, running

HOSTILE_SUBJECTS = [
    "",
    " ",
    "a b",
    "a..b",
    ".a",
    "a.",
    ">.a",
    "a.>.b",
    "a*",
    "*a.b",
    "a\r\nPUB stolen 1\r\nx\r\nSUB b",
    "a\tqueue",
    "a\x00b",
    "a\x7f",
    "a\u2028b",
    "a\u00a0b",
    "x" * 256,
    "ü" * 128,
    "x" * 5000,
    "a\x0bb",
]


async def test_hostile_subjects_are_refused_and_reach_nobody(
    gateway: Gateway, nats_server: NatsServer, raw_nats: RawNats
) -> None:
    connection = [each["cid"] for each in nats_server.connections() if "name" in each]
    async with Browser(gateway.stream) as bystander, Browser(gateway.stream) as browser:
        await bystander.subscribe("bystander", "stolen")
        for subject in HOSTILE_SUBJECTS:
            answer = await browser.ask({"subjects": [subject]})
            assert (answer["success"], answer["code"]) == (False, "bad_subject"), subject
        assert nats_server.subscriptions() == ["bystander", "stolen"]
        raw_nats.publish("bystander", b"1")
        assert await bystander.next() == {"subject": "bystander", "data": 1}
        await bystander.quiet()
    assert [each["cid"] for each in nats_server.connections() if "name" in each] == connection


async def test_a_thousand_bad_requests_end_only_their_own_connection(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    async with Browser(gateway.stream) as bystander, Browser(gateway.stream) as browser:
        await bystander.subscribe("bystander")
        for _ in range(1000):
            await browser.send("{")
        answers = [await browser.next() for _ in range(60)]
        assert {answer["code"] for answer in answers} == {"bad_request"}
        assert await browser.closed() == 4400
        raw_nats.publish("bystander", b"1")
        assert await bystander.next() == {"subject": "bystander", "data": 1}


async def test_a_flood_of_requests_is_limited_then_ended(
    nats_server: NatsServer, raw_nats: RawNats, log
) -> None:
    service = Gateway(nats_server.url, log=log, requests_per_second=0.01)
    with running(service):
        async with Browser(service.stream) as bystander, Browser(service.stream) as browser:
            await bystander.subscribe("bystander")
            for number in range(1000):
                await browser.send({"subjects": ["flood"], "id": number})
            answers = [await browser.next() for _ in range(120)]
            assert [each.get("code") for each in answers[:41]] == [None] * 40 + ["rate_limited"]
            assert answers[40]["id"] == 40
            assert await browser.closed() == 4029
            raw_nats.publish("bystander", b"1")
            assert await bystander.next() == {"subject": "bystander", "data": 1}


async def test_frames_over_64_kib_close_with_1009(gateway: Gateway) -> None:
    async with Browser(gateway.stream) as browser:
        fits = json.dumps({"subjects": ["a"], "id": "x"})
        assert (await browser.ask(fits.ljust(65000)))["success"] is True
        await browser.send("x" * 65537)
        assert await browser.closed() == 1009


async def test_invalid_utf8_closes_with_1007(gateway: Gateway) -> None:
    async with Browser(gateway.stream) as browser:
        await browser.ws.send([b"\xff\xfe"], text=True)
        assert await browser.closed() == 1007


async def test_binary_frames_are_refused(gateway: Gateway) -> None:
    async with Browser(gateway.stream) as browser:
        await browser.ws.send(b'{"subjects": ["a"]}')
        answer = await browser.next()
        assert answer["message"] == "Send requests as text, not as binary frames."


@pytest.mark.parametrize(
    "poison",
    [
        RawNats.command(b"good.\xff", b"x"),
        RawNats.command(b"good.sub\x0bject", b"x"),
        RawNats.command(b"good.a\x0b2", b"x" * 5000),
        RawNats.command(b"good.headers", b"1", reply=b"re\x0bply"),
        RawNats.command(b"good.headers", b"1", reply=b"re\x0cply 1"[:7]),
        RawNats.command(b"good.headers", b"1", headers=b"NATS/1.0\r\nname: \xff\r\n\r\n"),
        RawNats.command(b"good.headers", b"1", headers=b"NATS/1.0\xff\xff\r\n\r\n"),
        RawNats.command(b"good.headers", b"1", headers=b"NATS/1.0 \xff\xff\xff\r\n\r\n"),
        RawNats.command(b"good.headers", b"1", headers=b"NATS/1.0\r\n\r\n"),
    ],
)
async def test_poison_from_a_publisher_does_not_make_the_gateway_deaf(
    gateway: Gateway, raw_nats: RawNats, poison: bytes
) -> None:
    async with Browser(gateway.stream) as browser:
        await browser.subscribe("good.*")
        counted = gateway.figures()["bridge_messages_unreadable_total"]
        raw_nats.send(poison)
        raw_nats.publish("good.after", b'"after"')
        answer = await browser.next()
        if answer["subject"] != "good.after":
            answer = await browser.next()
        else:
            assert gateway.figures()["bridge_messages_unreadable_total"] == counted + 1
        assert answer == {"subject": "good.after", "data": "after"}


async def test_wildcards_as_plain_names_harm_nobody(gateway: Gateway, raw_nats: RawNats) -> None:
    async with Browser(gateway.stream) as one, Browser(gateway.stream) as both:
        await one.subscribe("plain.*")
        await both.subscribe("plain.*", "plain.>")
        for subject in ("plain.>", "plain.*", "plain..x", "plain.after"):
            raw_nats.publish(subject, b"1")
        heard = [(await one.next())["subject"] for _ in range(3)]
        assert heard == ["plain.>", "plain.*", "plain.after"]
        while (await both.next())["subject"] != "plain.after":
            pass
    assert "lost" not in gateway.output()


async def test_a_control_character_in_a_subject_does_not_name_another_subscription(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    async with Browser(gateway.stream) as one, Browser(gateway.stream) as other:
        await one.subscribe("forged.>")
        await other.subscribe("exact")
        for sid in range(1, 400):
            raw_nats.publish(b"forged.x\x0b%d" % sid, b"1")
        for _ in range(399):
            assert (await one.next())["subject"].startswith("forged.x\x0b")
        await other.quiet()


async def test_connections_over_the_limit_are_refused_before_the_upgrade(
    nats_server: NatsServer, log
) -> None:
    with running(Gateway(nats_server.url, log=log, max_connections=2)) as service:
        async with Browser(service.stream), Browser(service.stream):
            assert await asyncio.to_thread(http, f"{service.url}/stream") == (
                503,
                "The gateway is full. Try again later.\n",
            )
