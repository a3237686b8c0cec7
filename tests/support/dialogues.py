"""Dialogues with real gateways in which everything is said that the wire knows, on a tape."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import nats
from websockets.asyncio.client import connect

from tests.support import stream_dialogues
from tests.support.http_reader import HttpReader
from tests.support.publishing import ask, publish
from tests.support.raw_nats import RawNats
from tests.support.stream_dialogues import LOOK
from tests.support.tape import Said, Scene

TOKEN = "the-token-of-this-dialogue"
OTHER_TOKEN = "of-who-publishes-in-this-dialogue"
TOKENS = "\n".join(
    map(
        json.dumps,
        (
            {"name": "somebody", "token": TOKEN, "history": []},
            {"name": "other", "token": OTHER_TOKEN, "deny": ["a"], "publish": {"allow": ["b"]}},
        ),
    )
)
NO_TOKEN = "of-nobody-in-this-dialogue"
MAX_SUBJECTS = 5
BURST = 30
SETTINGS: dict[str, object] = {
    "deny_subjects": "secret.>",
    "max_subjects": MAX_SUBJECTS,
    "requests_per_second": 0.001,
    "request_burst": BURST,
    "allow_publish": ">",
    "max_replay": stream_dialogues.MAX_REPLAY,
}
"""Of the gateway that lets anyone in: each limit is near enough to be reached."""
MAX_PAYLOAD = 20000
LARGE = b'"' + b"x" * 9998 + b'"'
HEADERS = b"NATS/1.0\r\nNats-Msg-Id: a1\r\nX-Trace: \r\nX-Key: \xff\r\n\r\n"


def nats_config(folder: Path) -> str:
    """Return the configuration of a server with streams, which takes no large payloads."""
    return f'max_payload: {MAX_PAYLOAD}\njetstream {{ store_dir: "{folder}" }}'


async def following(scene: Scene) -> None:
    """subscribe, unsubscribe, ping, what answers them, and refusals of all but two codes."""
    async with scene.connect() as browser:
        both = ["test.subject", "orders.*"]
        await browser.ask({"subjects": both, "action": "subscribe", "id": 1})
        await browser.ask({"subjects": "alone"})
        await browser.ask({"subjects": ["alone"], "action": "unsubscribe"})
        await browser.ask({"subjects": "orders.*", "action": "unsubscribe", "id": "two"})
        await browser.ask({"action": "ping"})
        await browser.ask({"action": "ping", "id": 3})
        await browser.refused("bad_subject", {"subjects": ["a..b"], "id": 2.5})
        await browser.refused("not_subscribed", {"subjects": ["alone"], "action": "unsubscribe"})
        await browser.refused("denied", {"subjects": ["secret.this"]})
        await browser.refused("bad_request", "{")
        await browser.refused("bad_request", '{"subjects": ["a"], "subject": "b", "id": 4}')
        await browser.ask({"subjects": [f"many.{n}" for n in range(MAX_SUBJECTS)]})
        assert (await browser.next())["code"] == "limit"


async def asking_too_often(scene: Scene) -> None:
    """A refusal that says so."""
    async with scene.connect() as browser:
        for _ in range(BURST):
            await browser.ask({"action": "ping"})
        await browser.refused("rate_limited", {"action": "ping"})


async def messages(scene: Scene) -> None:
    """message, in each encoding, with all that can be asked for beside it, and in a batch."""
    async with scene.connect() as plain, scene.connect(query="?batch=1") as batched:
        await plain.ask({"subjects": ["m"], "max_rate": 100})
        await plain.subscribe("m")
        await batched.ask({"subjects": ["m"], "meta": ["time", "reply", "headers"]})
        with RawNats(scene.nats.port) as client:
            for payload in (b'{"price": 21.50}', b"plain text", b"\xff\xd8", b""):
                client.publish("m", payload)
                client.publish("m", payload, reply="_INBOX.x.y", headers=HEADERS)
                for _ in range(2):
                    assert (await plain.next())["subject"] == "m"
            client.send(RawNats.command(b"m", b"1") * 20)
        left = 8 + 20
        while left:
            left -= len((await batched.frame()).splitlines())


async def reading_too_slowly(scene: Scene) -> None:
    """dropped."""
    count = 2000
    async with scene.connect() as browser:
        await browser.subscribe("flood")
        browser.ws.transport.pause_reading()
        with RawNats(scene.nats.port) as client:
            for _ in range(count // 20):
                await asyncio.to_thread(client.send, RawNats.command(b"flood", LARGE) * 20)
        browser.ws.transport.resume_reading()
        _, dropped = await browser.received_and_dropped(count)
        assert dropped > 0


async def tokens(scene: Scene) -> None:
    """token, signedIn, and tokenRequired, also with a reason."""
    async with scene.connect(scene.guarded, token=TOKEN) as browser:
        await browser.ask({"token": TOKEN})
        await browser.ask({"token": TOKEN, "id": 7})
        await browser.refused("no_history", {"subjects": ["m"], "history": "all"})
        assert (await browser.ask({**LOOK, "id": 8}))["reason"] == "off"
    async with scene.connect(scene.guarded, token=OTHER_TOKEN) as browser:
        await browser.ask({"token": OTHER_TOKEN})
    cookie = {"Cookie": f"nats_bridge_token={NO_TOKEN}", "Origin": scene.guarded.url}
    async with connect(scene.guarded.stream, additional_headers=cookie, proxy=None) as ws:
        scene.note(Said("stream", "send", str(await ws.recv())))


async def posts(scene: Scene) -> None:
    """Requests over HTTP, and each status but 503 that is answered with JSON; one with text."""
    async with scene.connect() as browser:
        own = {"connection_id": browser.connection_id}
        both = {**own, "subjects": ["by.post", "a..b"], "id": 4}
        assert await scene.post(both) == 200
        assert await scene.post({**own, "subjects": ["by.post"], "action": "unsubscribe"}) == 200
        assert await scene.post({**own, "action": "ping"}) == 200
        assert await scene.post({**own, **LOOK}) == 200
        assert await scene.post("{") == 400
        assert await scene.post(" " * 70000) == 413
    assert await scene.post({"connection_id": "f" * 32, "subjects": ["a"]}) == 404
    async with scene.connect(scene.late) as browser:
        own = {"connection_id": browser.connection_id, "subjects": ["late"]}
        assert await scene.post(own) == 504
        assert (await browser.ask({"subjects": ["late"]}))["success"] is True


async def publications(scene: Scene) -> None:
    """publish and what answers it, also by HTTP; what is refused of it only."""
    client = await nats.connect(scene.nats.url)
    await client.jetstream().add_stream(name="TWO", subjects=["kept.*"], max_msgs=2, discard="new")
    await client.close()
    kept = publish("kept.a", data="/9j/4AAQ", encoding="base64", headers={"X-Trace": "7"})
    async with scene.connect() as browser:
        own = {"connection_id": browser.connection_id}
        await browser.ask({"action": "publish", "subject": "plain"})
        await browser.ask(publish("plain", data={"total": 21.50}, headers=[["X-Trace", ""]]))
        await browser.ask(publish("plain", data="a text", encoding="text", ack=False))
        for _ in range(2):
            assert "seq" in await browser.ask({**kept, "ack": True, "msg_id": "a1"})
        stored = {"action": "publish", "subject": "kept.a", "ack": True}
        assert "seq" in await browser.ask(stored)
        await browser.refused("not_stored", stored)
        await browser.refused("too_large", publish("plain", data="x" * MAX_PAYLOAD))
        await browser.refused("no_responders", publish("plain", ack=True))
        assert await scene.post({**kept, **own}) == 200
    assert await scene.post_to("publishing", "publish/plain", '{"total": 21.50}') == 200
    for headers, status in (({"Nats-Msg-Id": "a1"}, 200), ({}, 409)):
        path = "publish/kept.a?ack=1"
        assert await scene.post_to("publishing", path, "a text", **headers) == status
    assert await scene.post_to("publishing", "publish/plain", "x" * 70000) == 413


async def asking(scene: Scene) -> None:
    """request and what answers it, also by HTTP."""
    client = await nats.connect(scene.nats.url)
    await client.subscribe("rpc.*", cb=_echo)
    await client.subscribe("silent")
    await client.flush()
    async with scene.connect() as browser:
        own = {"connection_id": browser.connection_id}
        await browser.ask(ask("rpc.a", data=[1, 2], meta=["headers"], timeout=9000))
        await browser.ask(ask("rpc.a"))
        for encoding in ("text", "base64"):
            request = ask("rpc.a", data="/9j/4AAQ", encoding=encoding, headers={"X-Trace": "7"})
            await browser.ask({**request, "meta": ["headers"]})
        await browser.refused("timeout", ask("silent", timeout=10))
        assert await scene.post({**ask("rpc.a", data=3), **own}) == 200
    for path, status in (("rpc.a", 200), ("nobody", 503), ("silent?timeout=10", 504)):
        assert await scene.post_to("asking", f"request/{path}", "[1, 2]") == status
    assert await scene.post_to("asking", "request/rpc.a", "a text") == 200
    foreign = {"Origin": "http://of.others.example"}
    assert await scene.post_to("asking", "request/rpc.a", "[1, 2]", **foreign) == 403
    await client.close()


async def _echo(msg: Any) -> None:
    await msg.respond(msg.data)  # with the headers, too


async def an_outage(scene: Scene) -> None:
    """natsDown and natsUp, what is refused in between and answered again; 503 over HTTP."""
    async with scene.connect() as browser:
        scene.nats.stop()
        assert await browser.next() == {"status": "nats_down"}
        await browser.refused("nats_down", {"subjects": ["waits"], "id": 5})
        assert (await browser.ask({**LOOK, "subjects": "waits"}))["reason"] == "nats_down"
        assert await scene.post({"connection_id": "f" * 32, "subjects": ["a"]}) == 503
        scene.nats.start()
        while not (await browser.next()).get("success"):
            pass


async def reading_until_the_stop(scene: Scene) -> None:
    """What a GET gets, and closed at the end of its gateway."""
    query = {"subjects": ["read", "a..b"], "meta": "time"}
    with HttpReader(scene.open.port, query) as reader:
        with RawNats(scene.nats.port) as client:
            client.publish("read", b"1")
        while "data" not in (line := reader.next()) or "subject" not in line:
            scene.note(Said("reading", "send", json.dumps(line)))
        scene.note(Said("reading", "send", json.dumps(line)))
        await asyncio.to_thread(scene.open.stop)
        while line := reader.line().strip():
            scene.note(Said("reading", "send", line))


ALL: list[Callable[[Scene], Awaitable[None]]] = [
    following,
    asking_too_often,
    messages,
    reading_too_slowly,
    tokens,
    posts,
    publications,
    asking,
    *stream_dialogues.ALL,
    an_outage,
    reading_until_the_stop,
]
