"""Compression, once for all: what is agreed on, what is compressed, and clients of many kinds."""

from __future__ import annotations

import asyncio
import base64
import json
import random

import aiohttp
import pytest
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.raw_websocket import (
    COMPRESSED,
    FINAL,
    TEXT,
    RawWebSocket,
    client_frame,
)
from tests.support.servers import PATIENCE, Gateway, NatsServer, messages_by_fate, running, until

OFFER = "permessage-deflate; client_max_window_bits"
ANSWER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
INPUT = "bridge_compression_input_bytes_total"
OUTPUT = "bridge_compression_output_bytes_total"
LONG = json.dumps({"name": "long", "values": list(range(400))}).encode()


def payloads() -> list[bytes]:
    """Payloads of many sizes and kinds, the last of which is `"end"`."""
    chance = random.Random(16)
    alphabet = 'abcdefgh ijkl"\\ü€🦀{}[]'
    texts = ["".join(chance.choices(alphabet, k=size)) for size in (0, 1, 50, 300, 3000, 40000)]
    numbers = [json.dumps([chance.random() for _ in range(size)]) for size in (1, 20, 500)]
    mixed = [*map(json.dumps, texts), *numbers, '{\n  "line": "breaks"\n}', "no json"] * 3
    return [*(each.encode() for each in mixed), b"\xff" * 5000, LONG, b'"end"']


def expected(subject: str, payload: bytes) -> object:
    try:
        return {"subject": subject, "data": json.loads(payload)}
    except UnicodeDecodeError:
        return None
    except ValueError:
        return {"subject": subject, "data": payload.decode(), "encoding": "text"}


def is_the_same(subject: str, messages: list[object], published: list[bytes]) -> None:
    """Fail if `messages` are not those of `published`; those in base64 are only counted."""
    wanted = [expected(subject, payload) for payload in published]
    assert len(messages) == len(wanted)
    for message, want in zip(messages, wanted, strict=True):
        assert want is None or message == want


def follow(raw: RawWebSocket, *subjects: str) -> None:
    request = json.dumps({"subjects": subjects}).encode()
    raw.send(client_frame(FINAL | TEXT, request))
    assert json.loads(raw.text()[1])["success"] is True


@pytest.mark.parametrize(
    ("offer", "answer"),
    [
        (None, None),
        ("", None),
        ("permessage-deflate", ANSWER),
        (OFFER, ANSWER),
        ("permessage-deflate; server_max_window_bits=15", f"{ANSWER}; server_max_window_bits=12"),
        ("permessage-deflate; server_max_window_bits=9", f"{ANSWER}; server_max_window_bits=9"),
        ("permessage-deflate; server_max_window_bits=8", None),
        ("permessage-deflate; nonsense, permessage-deflate", ANSWER),
        ("permessage-deflate; server_max_window_bits", None),
        ('x; y="z', None),
    ],
)
def test_an_offer_is_answered_and_one_that_makes_no_sense_is_not(
    gateway: Gateway, offer: str | None, answer: str | None
) -> None:
    with RawWebSocket(gateway.port, offer) as raw:
        assert raw.extensions == answer


@pytest.mark.parametrize("path", ["/stream", "/stream?batch=1"])
def test_only_those_who_offer_it_get_compressed_frames_made_once_for_all(
    gateway: Gateway, raw_nats: RawNats, path: str
) -> None:
    with (
        RawWebSocket(gateway.port, OFFER, path) as one,
        RawWebSocket(gateway.port, "permessage-deflate; server_max_window_bits=15", path) as two,
        RawWebSocket(gateway.port, None, path) as plain,
    ):
        for each in (one, two, plain):
            follow(each, "shared")
        before = gateway.figures()
        raw_nats.publish("shared", LONG)
        frame = one.frame()
        assert frame[0] == FINAL | COMPRESSED | TEXT
        assert two.frame() == frame
        is_packed, text = plain.text()
        assert not is_packed
        raw_nats.publish("shared", b'"short"')
        assert [each.text()[0] for each in (one, two, plain)] == [False] * 3
        after = gateway.figures()
        assert after[INPUT] - before[INPUT] == len(text)
        assert after[OUTPUT] - before[OUTPUT] == len(frame[1]) < len(text) // 2


def test_a_window_of_nine_bits_is_kept_to(gateway: Gateway, raw_nats: RawNats) -> None:
    with RawWebSocket(gateway.port, "permessage-deflate; server_max_window_bits=9") as raw:
        follow(raw, "window")
        raw_nats.publish("window", LONG)
        assert raw.text() == (True, b'{"subject":"window","data":%b}' % LONG)


def test_responses_and_notices_are_never_compressed(gateway: Gateway) -> None:
    with RawWebSocket(gateway.port, OFFER, "/stream?batch=1") as raw:
        subjects = [f"a.rather.long.subject.{number}" for number in range(100)]
        raw.send(client_frame(FINAL | TEXT, json.dumps({"subjects": subjects}).encode()))
        is_packed, text = raw.text()
        assert len(text) > 2000
        assert not is_packed


@pytest.mark.parametrize(
    ("compression", "sizes"),
    [("off", []), ("on", [250]), ("100", [120, 250])],
)
def test_the_setting_says_what_is_compressed(
    nats_server: NatsServer, log, compression: str, sizes: list[int]
) -> None:
    with (
        running(Gateway(nats_server.url, log=log, compression=compression)) as service,
        RawWebSocket(service.port, OFFER) as raw,
        RawNats(nats_server.port) as raw_nats,
    ):
        assert (raw.extensions is None) == (compression == "off")
        follow(raw, "sizes")
        for size in (50, 120, 250):
            raw_nats.publish("sizes", b'"%b"' % (b"x" * size))
        seen = [
            (json.loads(text)["data"], is_packed)
            for is_packed, text in (raw.text() for _ in range(3))
        ]
        assert [len(data) for data, is_packed in seen if is_packed] == sizes


@pytest.mark.parametrize("path", ["/stream", "/stream?batch=1"])
def test_a_slow_one_is_told_of_all_it_missed(nats_server: NatsServer, log, path: str) -> None:
    chance, count = random.Random(16), 2000
    payloads = (base64.b64encode(chance.randbytes(3000)) for _ in range(count))
    commands = b"".join(RawNats.command(b"slow", b'"%b"' % each) for each in payloads)
    limits = {"max_pending_bytes": 50_000, "write_timeout": 60}
    with (
        running(Gateway(nats_server.url, log=log, **limits)) as service,
        RawWebSocket(service.port, OFFER, path, buffer=65536) as raw,
        RawNats(nats_server.port) as raw_nats,
    ):
        follow(raw, "slow")
        raw_nats.send(commands)
        until(lambda: messages_by_fate(service.figures())["dropped"])
        received = dropped = compressed = 0
        while received + dropped < count:
            is_packed, text = raw.text()
            compressed += is_packed
            for line in text.split(b"\n"):
                message = json.loads(line)
                received += "data" in message
                dropped += message.get("dropped", 0)
        assert received + dropped == count
        assert dropped
        assert compressed
        fates = messages_by_fate(service.figures())
        assert fates["due"] == count
        assert (fates["delivered"], fates["dropped"]) == (received, dropped)
        assert fates["pending"] == fates["filtered"] == 0


@pytest.mark.parametrize("batch", ["", "?batch=1"])
async def test_websockets_with_its_defaults(
    gateway: Gateway, raw_nats: RawNats, batch: str
) -> None:
    stream = gateway.stream + batch
    async with Browser(stream, compression="deflate") as browser:
        assert len(browser.ws.protocol.extensions) == 1
        await browser.subscribe("websockets")
        await is_read(browser, raw_nats, "websockets", batch)
        long = await browser.ask({"subjects": [f"{number}.long" for number in range(100)]})
        assert long["success"] is True


@pytest.mark.parametrize("bits", [9, 10, 11, 12, 15])
async def test_websockets_with_each_window(gateway: Gateway, raw_nats: RawNats, bits: int) -> None:
    factory = ClientPerMessageDeflateFactory(
        server_max_window_bits=bits, client_max_window_bits=bits
    )
    async with Browser(gateway.stream, extensions=[factory]) as browser:
        (extension,) = browser.ws.protocol.extensions
        assert extension.remote_max_window_bits == min(bits, 12)
        assert extension.local_no_context_takeover and extension.remote_no_context_takeover
        await browser.subscribe("windows")
        await is_read(browser, raw_nats, "windows")


def messages_of(frame: str, batch: str) -> list[object]:
    return [json.loads(line) for line in (frame.split("\n") if batch else [frame])]


async def is_read(browser: Browser, raw_nats: RawNats, subject: str, batch: str = "") -> None:
    """Publish all payloads; fail if something else comes."""
    messages: list[object] = []
    for payload in payloads():
        raw_nats.publish(subject, payload)
    while len(messages) < len(payloads()):
        messages += messages_of(await browser.frame(), batch)
    is_the_same(subject, messages, payloads())


@pytest.mark.parametrize("bits", [9, 12, 15])
@pytest.mark.parametrize("batch", ["", "?batch=1"])
async def test_the_client_of_aiohttp(
    gateway: Gateway, raw_nats: RawNats, batch: str, bits: int
) -> None:
    async with aiohttp.ClientSession() as one, asyncio.timeout(PATIENCE):
        async with one.ws_connect(gateway.stream + batch, compress=bits, max_msg_size=0) as ws:
            assert ws.compress
            assert "connection_id" in await ws.receive_json()
            for number in range(5):  # each compressed, and each by itself
                subjects = ["aiohttp", *(f"{number}.{each}" for each in range(20))]
                await ws.send_json({"subjects": subjects, "id": number})
                assert (await ws.receive_json())["id"] == number
            for payload in payloads():
                raw_nats.publish("aiohttp", payload)
            messages: list[object] = []
            while len(messages) < len(payloads()):
                messages += messages_of(await ws.receive_str(), batch)
            is_the_same("aiohttp", messages, payloads())
