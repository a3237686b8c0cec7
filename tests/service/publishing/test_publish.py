"""Publishing on the WebSocket: what arrives, and what is refused."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from nats.aio.client import Client
from websockets.asyncio.client import connect

from bridge.wire.publications import EXPECTED
from tests.support.browser_client import Browser
from tests.support.publishing import ask, heard, publish, refused
from tests.support.servers import Gateway, NatsServer, eventually, running

FULL = "The stream did not store it: maximum messages exceeded."


# What arrives


async def test_the_greeting_says_that_something_may_be_published(
    gateway: Gateway, nats_server: NatsServer, log: Path
) -> None:
    async with Browser(gateway.stream) as browser:
        assert browser.connection_id
    async with connect(gateway.stream, proxy=None) as ws:
        greeting = str(await ws.recv())
    head = '{"success":true,"data":"Successfully connected","connection_id":"'
    assert greeting.startswith(head)
    assert greeting[len(head) + 32 :] == '","publish":true,"history":true}'
    with running(Gateway(nats_server.url, log=log)) as closed:
        async with connect(closed.stream, proxy=None) as ws:
            greeting = str(await ws.recv())
        assert (greeting[: len(head)], greeting[len(head) + 32 :]) == (head, '","history":true}')


@pytest.mark.parametrize(
    ("keys", "payload"),
    [
        ('"data": 1.0', b"1.0"),
        ('"data":  {"total": 21.50,  "n": 1e400}  ', b'{"total": 21.50,  "n": 1e400}'),
        ('"data": "\\u00e9\\n"', b'"\\u00e9\\n"'),
        ('"data": "é\\r\\n", "encoding": "text"', "é\r\n".encode()),
        ('"data": "/wABAg==", "encoding": "base64"', b"\xff\x00\x01\x02"),
        ('"data": null', b"null"),
        ('"ack": false', b""),
        ('"data": "PUB a 0\\r\\n\\r\\n", "encoding": "text"', b"PUB a 0\r\n\r\n"),
    ],
)
async def test_each_payload_arrives_byte_for_byte(
    gateway: Gateway, client: Client, keys: str, payload: bytes
) -> None:
    async with Browser(gateway.stream) as browser, heard(client, "exact.>") as next_one:
        await browser.send(f'{{"action": "publish", "subject": "exact.é", "id": "x", {keys}}}')
        assert await browser.frame() == (
            '{"success":true,"action":"publish","subject":"exact.é","id":"x"}'
        )
        message = await next_one()
        assert (message.subject, message.data, message.reply) == ("exact.é", payload, "")
        assert message.headers is None


async def test_headers_arrive_as_they_are_and_those_for_the_server_are_refused(
    gateway: Gateway,
) -> None:
    async with Browser(gateway.stream) as browser, Browser(gateway.stream) as follower:
        await follower.ask({"subjects": ["heads"], "meta": ["headers"]})
        pairs = [["X-Trace", "7"], ["b", ""], ["X-Trace", "ü"]]
        for headers in (pairs, {"X-Trace": "7"}):
            answer = await browser.ask(publish("heads", headers=headers, msg_id="a1", data=1))
            assert answer["success"] is True
            sent = pairs if headers is pairs else [["X-Trace", "7"]]
            assert (await follower.next())["headers"] == [*sent, ["Nats-Msg-Id", "a1"]]
        for name in ("Nats-Rollup", "nats-rollup", "NATS-TRACE-DEST"):
            answer = await browser.ask(publish("heads", headers={name: "all"}, ack=True))
            assert "is not let through" in refused(answer, "bad_request")
        for value in ("a\r\nNats-Rollup: all", "a\0"):
            answer = await browser.ask(publish("heads", headers={"X": value}))
            assert "control character" in refused(answer, "bad_request")
        await follower.quiet()


@pytest.mark.parametrize("connections", [10, pytest.param(100, marks=pytest.mark.long)])
async def test_thousands_of_each_connection_arrive_once_and_in_order(
    gateway: Gateway, client: Client, connections: int
) -> None:
    each = 1000
    before = gateway.figures()['bridge_publishes_total{result="sent"}']
    found: dict[str, list[int]] = {}

    async def take(msg: Any) -> None:
        found.setdefault(msg.subject, []).append(int(msg.data))

    await client.subscribe("count.*", cb=take, pending_msgs_limit=-1, pending_bytes_limit=-1)
    await client.flush()

    async def run(number: int) -> None:
        async with Browser(gateway.stream) as browser:
            for index in range(each):
                await browser.send(
                    {"action": "publish", "subject": f"count.{number}", "data": index, "id": index}
                )
            ids = [(await browser.next())["id"] for _ in range(each)]
            assert ids == list(range(each))

    await asyncio.gather(*map(run, range(connections)))
    await client.flush()
    await eventually(lambda: sum(map(len, found.values())) >= each * connections)
    assert found == {f"count.{number}": list(range(each)) for number in range(connections)}
    after = gateway.figures()['bridge_publishes_total{result="sent"}']
    assert after - before == each * connections


# What is refused


async def test_each_refusal_names_its_cause_and_sends_nothing(
    gateway: Gateway, client: Client
) -> None:
    async with Browser(gateway.stream) as browser, heard(client, ">") as next_one:
        for subject in ("a..b", "a b", "a.*", ">", "", "a\r\nPUB b 0", "x" * 256):
            refused(await browser.ask(publish(subject)), "bad_subject")
        closed = ("$SYS.x", "$JS.API.INFO", "_INBOX.x", "nats_bridge.hello", "$O.b.x", "secret.x")
        for subject in closed:
            text = refused(await browser.ask(publish(subject)), "denied")
            assert text == f"Nothing may be published on {subject!r} here."
            assert refused(await browser.ask(ask(subject)), "denied") == text
        for request in (
            publish("forbidden.x"),
            publish("forbidden.x", ack=True),
            ask("forbidden.x"),
        ):
            text = refused(await browser.ask(request), "denied")
            assert text == "NATS does not let this gateway publish on 'forbidden.x'."
        text = refused(await browser.ask(publish("large", data="x" * 4095)), "too_large")
        assert text == "NATS takes 4096 bytes at most, with headers; these are 4097."
        text = refused(
            await browser.ask(publish("large", data="x" * 4080, msg_id="a1")), "too_large"
        )
        assert (await browser.ask(publish("large", data="x" * 4094)))["success"] is True
        message = await next_one()
        while message.subject.startswith(("nats_bridge.", "_INBOX.nats_bridge.", "$JS.")):
            message = await next_one()
        assert message.subject == "large"
        assert (await browser.ask(publish("$KV.b.key", data=1)))["success"] is True


async def test_a_stream_says_whether_it_has_stored_a_message(
    gateway: Gateway, client: Client
) -> None:
    js = client.jetstream()
    await js.add_stream(name="KEPT", subjects=["kept.*"])
    async with Browser(gateway.stream) as browser:
        first = await browser.ask(publish("kept.a", data=1, ack=True, msg_id="m1"))
        stored = {"success": True, "action": "publish", "subject": "kept.a", "stream": "KEPT"}
        assert first == {**stored, "seq": 1, "duplicate": False, "id": 1}
        again = await browser.ask(
            publish("kept.a", data=2, ack=True, headers={"NATS-MSG-ID": "m1"})
        )
        assert again == {**stored, "seq": 1, "duplicate": True, "id": 1}
        wrong = await browser.ask(
            publish("kept.a", data=3, ack=True, headers={"nats-expected-last-sequence": "7"})
        )
        assert refused(wrong, "not_stored") == (
            "The stream did not store it: wrong last sequence: 1."
        )
        assert wrong["err_code"] == 10071
        right = {
            **dict.fromkeys(EXPECTED[1:4:2], "1"),
            "Nats-Expected-Stream": "KEPT",
            "Nats-Expected-Last-Msg-Id": "m1",
        }
        answer = await browser.ask(publish("kept.a", data=4, ack=True, headers=right))
        assert (answer["seq"], answer["duplicate"]) == (2, False)
        nobody = await browser.ask(publish("kept.not.here", data=5, ack=True))
        assert refused(nobody, "no_responders") == (
            "Nobody stores what is published on 'kept.not.here'."
        )
        assert (await js.stream_info("KEPT")).state.messages == 2
        assert (await js.get_msg("KEPT", 2)).data == b"4"


async def test_a_stream_that_is_full_says_so(gateway: Gateway, client: Client) -> None:
    await client.jetstream().add_stream(name="FULL", subjects=["full"], max_msgs=1, discard="new")
    async with Browser(gateway.stream) as browser:
        assert (await browser.ask(publish("full", ack=True)))["seq"] == 1
        answer = await browser.ask(publish("full", ack=True))
        assert refused(answer, "not_stored") == FULL
        assert answer["err_code"] > 10000


async def test_an_answer_that_is_no_ack_is_passed_over(gateway: Gateway, client: Client) -> None:
    """A service that answers is no stream; whoever listens beside one may answer first."""
    answers = (b"", b"{}", b"+OK", b"[1]", b'{"stream":"","seq":1}', b'{"stream":"A"}', b"\xff")

    async def answer(msg: Any) -> None:
        for each in (*answers, b'{"stream":"A","seq":5,"domain":"d"}'):
            await client.publish(msg.reply, each)

    await client.subscribe("mixed", cb=answer)
    await client.flush()
    async with Browser(gateway.stream) as browser:
        told = await browser.ask(publish("mixed", ack=True))
        assert (told["stream"], told["seq"], told["duplicate"]) == ("A", 5, False)


async def test_without_jetstream_nobody_stores(nats_server: NatsServer, log: Path) -> None:
    with running(Gateway(nats_server.url, log=log, allow_publish=">")) as service:
        async with Browser(service.stream) as browser:
            refused(await browser.ask(publish("orders", ack=True)), "no_responders")
