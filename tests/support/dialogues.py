"""Dialogues with real gateways in which everything is said that the wire knows, on a tape."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import connect

from tests.support.browser_client import Browser
from tests.support.http_reader import HttpReader
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, http

TOKEN = "the-token-of-this-dialogue"
TOKENS = json.dumps({"name": "somebody", "token": TOKEN})
NO_TOKEN = "of-nobody-in-this-dialogue"
MAX_SUBJECTS = 5
BURST = 30
SETTINGS: dict[str, object] = {
    "deny_subjects": "secret.>",
    "max_subjects": MAX_SUBJECTS,
    "requests_per_second": 0.001,
    "request_burst": BURST,
}
"""Of the gateway that lets anyone in: each limit is near enough to be reached."""
LARGE = b'"' + b"x" * 9998 + b'"'
HEADERS = b"NATS/1.0\r\nNats-Msg-Id: a1\r\nX-Trace: \r\nX-Key: \xff\r\n\r\n"


@dataclass(frozen=True)
class Said:
    """One JSON value, and what AsyncAPI calls where it went: a channel, and receive or send."""

    channel: str
    action: str
    text: str
    status: int | None = None
    """The status of HTTP that it came with."""

    @property
    def value(self) -> Any:
        return json.loads(self.text) if self.text[0] in "[{" else self.text


@dataclass
class Scene:
    """The servers there are, and what was said so far: each thing once."""

    nats: NatsServer
    open: Gateway
    late: Gateway
    """A replica of it that has no time to wait for NATS."""
    guarded: Gateway
    tape: dict[Said, None] = field(default_factory=dict)

    def note(self, *said: Said) -> None:
        self.tape |= dict.fromkeys(said)

    def connect(self, gateway: Gateway | None = None, query: str = "", **options: Any) -> Taped:
        return Taped(self, f"{(gateway or self.open).stream}{query}", **options)

    async def post(self, body: object, gateway: Gateway | None = None) -> int:
        """Make a request over HTTP; return the status.

        One that cannot be read, as text, is not noted. Requests and responses are also noted as
        those of a WebSocket, since they are meant to be the same.
        """
        text = body if isinstance(body, str) else json.dumps(body)
        address = f"{(gateway or self.open).url}/stream"
        status, answer = await asyncio.to_thread(http, address, text.encode())
        self.note(Said("requests", "send", answer, status))
        if not isinstance(body, str):
            self.note(Said("requests", "receive", text), Said("stream", "receive", text))
        if answer.startswith("["):
            self.note(*(Said("stream", "send", json.dumps(each)) for each in json.loads(answer)))
        return status


class Taped(Browser):
    """A connection of which every line is noted, in both directions."""

    def __init__(self, scene: Scene, stream: str, **options: Any) -> None:
        super().__init__(stream, **options)
        self._scene = scene

    async def frame(self) -> str:
        text = await super().frame()
        self._scene.note(*(Said("stream", "send", line) for line in text.split("\n")))
        return text

    async def send(self, request: object) -> None:
        """Send a request; text is sent as it is and not noted, as it may make no sense."""
        if not isinstance(request, str):
            self._scene.note(Said("stream", "receive", json.dumps(request)))
        await super().send(request)

    async def refused(self, code: str, request: object) -> None:
        answer = await self.ask(request)
        assert answer.get("code") == code, answer


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
        assert await scene.post("{") == 400
        assert await scene.post(" " * 70000) == 413
    assert await scene.post({"connection_id": "f" * 32, "subjects": ["a"]}) == 404
    async with scene.connect(scene.late) as browser:
        own = {"connection_id": browser.connection_id, "subjects": ["late"]}
        assert await scene.post(own) == 504
        assert (await browser.ask({"subjects": ["late"]}))["success"] is True


async def an_outage(scene: Scene) -> None:
    """natsDown and natsUp, what is refused in between and answered again; 503 over HTTP."""
    async with scene.connect() as browser:
        scene.nats.stop()
        assert await browser.next() == {"status": "nats_down"}
        await browser.refused("nats_down", {"subjects": ["waits"], "id": 5})
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
    an_outage,
    reading_until_the_stop,
]
