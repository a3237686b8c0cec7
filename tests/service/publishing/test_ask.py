"""Asking on the WebSocket: one answer to each request, or a reason why there is none."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client

from tests.service.publishing.conftest import FAST
from tests.support.browser_client import Browser
from tests.support.publishing import ask, heard, publish, refused
from tests.support.servers import Gateway, NatsServer, eventually, running


@contextlib.asynccontextmanager
async def sums(client: Client, subject: str) -> AsyncIterator[list[Any]]:
    """A service that adds what it is sent; notes who asked."""
    asked: list[Any] = []

    async def add(msg: Any) -> None:
        asked.append(msg)
        await msg.respond(str(sum(json.loads(msg.data))).encode())

    subscription = await client.subscribe(subject, cb=add)
    await client.flush()
    yield asked
    await subscription.unsubscribe()


async def test_a_request_has_one_answer(gateway: Gateway, client: Client) -> None:
    async with Browser(gateway.stream) as browser, sums(client, "rpc.sum") as asked:
        await browser.send(ask("rpc.sum", data=[1, 2.5], headers={"X-A": "b"}))
        assert await browser.frame() == (
            '{"success":true,"action":"request","subject":"rpc.sum","reply":{"data":3.5},"id":1}'
        )
        assert asked[0].headers == {"X-A": "b"}
        assert asked[0].reply.startswith("_INBOX.nats_bridge.p.")
        figures = gateway.figures()
        assert figures["bridge_requests_seconds_count"] >= 1


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (b'{"a":\n 1.50}', '{"data":{"a":\n 1.50}}'.replace("\n", " ")),
        (b"plain", '{"data":"plain","encoding":"text"}'),
        (b"\xff\x00", '{"data":"/wA=","encoding":"base64"}'),
        (b"", '{"data":"","encoding":"text"}'),
    ],
)
async def test_an_answer_is_shown_as_messages_are(
    gateway: Gateway, client: Client, payload: bytes, shown: str
) -> None:
    async def answer(msg: Any) -> None:
        await client.publish(msg.reply, payload, headers={"X-A": "b"})
        await client.publish(msg.reply, b"one too many")

    subscription = await client.subscribe("rpc.show", cb=answer)
    await client.flush()
    async with Browser(gateway.stream) as browser:
        await browser.send(ask("rpc.show"))
        assert f'"reply":{shown},"id":1}}' in await browser.frame()
        await browser.send(ask("rpc.show", meta=["headers"]))
        assert f'"reply":{{"headers":[["X-A","b"]],{shown[1:]},"id":1}}' in await browser.frame()
        await browser.quiet()
    await subscription.unsubscribe()


async def test_who_asks_nobody_is_told_at_once_and_who_waits_for_long_in_the_end(
    gateway: Gateway, client: Client
) -> None:
    async with Browser(gateway.stream) as browser:
        text = refused(await browser.ask(ask("rpc.nobody", timeout=9000)), "no_responders")
        assert text == "Nobody answers requests on 'rpc.nobody'."
        async with heard(client, "rpc.silent"):
            text = refused(await browser.ask(ask("rpc.silent", timeout=50)), "timeout")
            assert text == "No answer on 'rpc.silent' within 0.05 s."
        text = refused(await browser.ask(ask("rpc.silent", timeout=10001)), "bad_request")
        assert text == "timeout may be 10000 milliseconds at most."


async def test_requests_run_beside_each_other_up_to_sixteen(
    gateway: Gateway, client: Client
) -> None:
    async with heard(client, "rpc.wait") as next_one, Browser(gateway.stream) as browser:
        for number in range(17):
            await browser.send(ask("rpc.wait", id=number, data=number, timeout=10000))
        answer = await browser.next()
        assert (answer["code"], answer["id"]) == ("limit", 16)
        asked = [await next_one() for _ in range(16)]
        for msg in reversed(asked):
            await client.publish(msg.reply, msg.data)
        ids = [(await browser.next())["id"] for _ in range(16)]
        assert ids == list(range(15, -1, -1)), "answered as answers come"
        await browser.send(ask("rpc.wait", id=20, timeout=10))
        assert (await browser.next())["code"] == "timeout"


async def test_a_connection_that_ends_waits_for_nothing_any_more(
    gateway: Gateway, client: Client
) -> None:
    before = gateway.figures()['bridge_publishes_total{result="left"}']
    async with heard(client, "rpc.gone") as next_one:
        async with Browser(gateway.stream) as browser:
            for number in range(16):
                await browser.send(ask("rpc.gone", id=number, timeout=10000))
            asked = [await next_one() for _ in range(16)]
        await eventually(
            lambda: gateway.figures()['bridge_publishes_total{result="left"}'] == before + 16
        )
        for msg in asked:
            await client.publish(msg.reply, b"too late")
        await client.flush()
    assert "Traceback" not in gateway.output()


async def test_nobody_answers_in_the_name_of_another(gateway: Gateway, client: Client) -> None:
    """A browser that sees the reply subject of a request cannot publish there."""
    async with Browser(gateway.stream) as browser, Browser(gateway.stream) as thief:
        await thief.ask({"subjects": ["rpc.seen"], "meta": ["reply"]})
        await browser.send(ask("rpc.seen", timeout=300))
        reply = (await thief.next())["reply"]
        assert reply.startswith("_INBOX.nats_bridge.")
        refused(await thief.ask(publish(reply, data="forged")), "denied")
        refused(await thief.ask(ask(reply, data="forged")), "denied")
        refused(await browser.next(), "timeout")


async def test_answers_that_nobody_reads_are_bounded_and_told(tmp_path: Path) -> None:
    answer = b'"%b"' % (b"x" * 500_000)  # two of them are the most that may be pending
    with (
        running(NatsServer(tmp_path)) as server,
        running(Gateway(server.url, log=tmp_path / "log", allow_publish=">", **FAST)) as service,
    ):
        client = await nats.connect(server.url)
        waiting: list[Any] = []

        async def hold(msg: Any) -> None:
            waiting.append(msg)

        await client.subscribe("rpc.large", cb=hold)
        await client.flush()
        async with Browser(service.stream) as browser:
            for number in range(16):
                await browser.send(ask("rpc.large", timeout=10_000, id=number))
            await eventually(lambda: len(waiting) == 16)
            browser.ws.transport.pause_reading()
            for each in waiting:
                await each.respond(answer)
            await client.flush()
            limit = 'bridge_refused_total{reason="limit"}'
            await eventually(lambda: service.figures()[limit] >= 4)
            browser.ws.transport.resume_reading()
            told = [await browser.next() for _ in range(16)]
        await client.close()
    assert {each["id"] for each in told} == set(range(16)), "each is told what became of it"
    refused_ = [each for each in told if not each["success"]]
    assert {each["code"] for each in refused_} == {"limit"}
    assert len(refused_) >= 4
