"""Responses that go on in gzip, made once for all who take it, and read as each message comes."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import json
import random
import socket
import subprocess
from pathlib import Path

import aiohttp
import pytest

from tests.service.browsers.test_compression import (
    INPUT,
    LONG,
    OUTPUT,
    is_the_same,
    payloads,
)
from tests.service.browsers.test_http_streams import (
    ACCEPTED,
    with_a_shorter_idle_time,
)
from tests.support.http_reader import GZIP, SSE, HttpReader
from tests.support.raw_http import head
from tests.support.raw_nats import RawNats
from tests.support.servers import PATIENCE, Gateway, NatsServer, messages_by_fate, running, until

KINDS = pytest.mark.parametrize("kind", [{}, SSE], ids=["NDJSON", "SSE"])
TEXT = b'{"subject":"%b","data":%b}'


def begun(reader: HttpReader) -> None:
    """Pass over all up to the response that says what is followed."""
    while '"action":"subscribe"' not in reader.line():
        pass
    if reader.response.headers["Content-Type"] == SSE["Accept"]:
        assert reader.line() == "\n"


def next_data(reader: HttpReader) -> object:
    """Return the payload of the next message."""
    while not (line := reader.line().removeprefix("data: ")).startswith('{"subject":'):
        assert line
    return json.loads(line)["data"]


@pytest.mark.parametrize(
    ("accepted", "is_zipped"),
    [
        ("gzip", True),
        ("br, gzip;q=0.1", True),
        ("gzip;q=0", False),
        ("br", False),
        ("*", False),
        (None, False),
    ],
)
def test_only_who_offers_it_gets_it(
    gateway: Gateway, raw_nats: RawNats, accepted: str | None, is_zipped: bool
) -> None:
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    with HttpReader(gateway.port, "subjects=offer", headers) as reader:
        told = reader.response.headers
        assert told["Content-Encoding"] == ("gzip" if is_zipped else None)
        assert told["Vary"] == "Accept-Encoding, Origin"
        reader.begun()
        for payload in (b"1", LONG):
            raw_nats.publish("offer", payload)
            assert reader.next() == {"subject": "offer", "data": json.loads(payload)}


@KINDS
def test_it_is_made_once_for_a_hundred(
    gateway: Gateway, raw_nats: RawNats, kind: dict[str, str]
) -> None:
    with contextlib.ExitStack() as stack:
        readers = [
            stack.enter_context(HttpReader(gateway.port, "subjects=shared", kind | GZIP))
            for _ in range(100)
        ]
        plain = stack.enter_context(HttpReader(gateway.port, "subjects=shared", kind))
        for reader in (*readers, plain):
            begun(reader)
        before = gateway.figures()
        raw_nats.publish("shared", LONG)
        for reader in (*readers, plain):
            assert next_data(reader) == json.loads(LONG)
        after = gateway.figures()
        text = TEXT % (b"shared", LONG)
        around = len(b"data: \n\n") if kind else len(b"\n")
        assert after[INPUT] - before[INPUT] == len(text) + around
        assert 0 < after[OUTPUT] - before[OUTPUT] < len(text) / 2
        sent = after["bridge_sent_bytes_total"] - before["bridge_sent_bytes_total"]
        assert sent < 101 * (after[OUTPUT] - before[OUTPUT] + 16) + len(text)


def test_a_burst_of_similar_messages_takes_a_quarter(gateway: Gateway, raw_nats: RawNats) -> None:
    chance = random.Random(1)
    burst = b"".join(
        RawNats.command(
            b"orders.eu",
            b'{"id":%d,"price":%d.%d,"side":"buy","venue":"XETR"}'
            % (number, chance.randrange(999), chance.randrange(99)),
        )
        for number in range(50)
    )
    sent = []
    for headers in ({}, GZIP):
        with HttpReader(gateway.port, "subjects=orders.eu", headers) as reader:
            reader.begun()
            before = gateway.figures()["bridge_sent_bytes_total"]
            raw_nats.send(burst)
            for number in range(50):
                assert reader.next()["data"]["id"] == number
            sent.append(gateway.figures()["bridge_sent_bytes_total"] - before)
    assert sent[1] < sent[0] / 4


@pytest.mark.parametrize(
    ("compression", "sizes"), [("off", []), ("on", [250]), ("100", [120, 250])]
)
def test_the_setting_says_what_is_compressed(
    nats_server: NatsServer, log: Path, compression: str, sizes: list[int]
) -> None:
    with (
        running(Gateway(nats_server.url, log=log, compression=compression)) as service,
        HttpReader(service.port, "subjects=sizes", GZIP) as reader,
        RawNats(nats_server.port) as raw_nats,
    ):
        told = reader.response.headers
        is_off = compression == "off"
        assert (told["Content-Encoding"], told["Vary"]) == (
            (None, "Origin") if is_off else ("gzip", "Accept-Encoding, Origin")
        )
        reader.begun()
        found = []
        for size in (50, 120, 250):
            before = service.figures()[INPUT]
            raw_nats.publish("sizes", b'"%b"' % (b"x" * size))
            assert len(reader.next()["data"]) == size
            if service.figures()[INPUT] > before:
                found.append(size)
        assert found == sizes


def test_responses_and_notices_are_not_compressed(gateway: Gateway) -> None:
    before = gateway.figures()[INPUT]
    query = "&".join(f"subjects=a.rather.long.subject.{number}" for number in range(100))
    with HttpReader(gateway.port, query, GZIP) as reader:
        reader.begun()
    assert gateway.figures()[INPUT] == before


@KINDS
def test_where_no_message_comes_something_else_does_at_once(
    nats_server: NatsServer,
    raw_nats: RawNats,
    tmp_path: Path,
    log: Path,
    kind: dict[str, str],
) -> None:
    with (
        running(with_a_shorter_idle_time(nats_server, tmp_path, log)) as service,
        HttpReader(service.port, "subjects=idle", kind | GZIP) as reader,
    ):
        begun(reader)
        for _ in range(4):
            assert reader.line() == (":\n" if kind else "\n")
            assert not kind or reader.line() == "\n"
        raw_nats.publish("idle", LONG)
        assert next_data(reader) == json.loads(LONG)


def test_a_limit_ends_it_for_curl_as_it_should(gateway: Gateway, raw_nats: RawNats) -> None:
    accepted = gateway.figures()[ACCEPTED]
    curl = subprocess.Popen(
        ["curl", "-sSN", "--compressed", "-D", "-", f"{gateway.url}/stream?subjects=curl&limit=3"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert curl.stdout is not None
    until(lambda: gateway.figures()[ACCEPTED] > accepted)
    raw_nats.publish("curl", b'"at once"')
    while '"at once"' not in (line := curl.stdout.readline()):
        assert line
    raw_nats.send(b"".join(RawNats.command(b"curl", LONG) for _ in range(5)))
    rest = curl.communicate(timeout=PATIENCE)[0]
    assert curl.returncode == 0
    assert rest == f"{(TEXT % (b'curl', LONG)).decode()}\n" * 2


@KINDS
def test_a_stop_ends_it_as_it_should(
    nats_server: NatsServer, raw_nats: RawNats, log: Path, kind: dict[str, str]
) -> None:
    service = Gateway(nats_server.url, log=log)
    with (
        running(service),
        HttpReader(service.port, "subjects=ends", kind | GZIP) as reader,
    ):
        begun(reader)
        raw_nats.publish("ends", LONG)
        assert next_data(reader) == json.loads(LONG)
        assert service.stop() == 0
        closed = '{"status":"closed","code":1012,"reason":"the service stops"}'
        rest = reader.rest()  # fails where the checksum is wrong
        assert rest.strip().splitlines()[-1].removeprefix("data: ") == closed
        assert ("retry: " in rest) == bool(kind)


def test_a_refusal_is_not_compressed_and_a_head_has_no_body(gateway: Gateway) -> None:
    with HttpReader(gateway.port, "subjects=a..b", GZIP) as reader:
        assert (reader.status, reader.response.headers["Content-Encoding"]) == (400, None)
        assert reader.rest().startswith("'a..b' is not a valid subject")
    request = head("HEAD /stream?subjects=head", {"Host": "127.0.0.1", **GZIP})
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=PATIENCE) as raw:
        raw.sendall(request)
        answer = raw.makefile("rb").read().decode()
    assert "Content-Encoding: gzip" in answer and answer.endswith("\r\n\r\n")


def test_http_1_0_gets_no_chunks(gateway: Gateway, raw_nats: RawNats) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=PATIENCE) as raw:
        accepted = gateway.figures()[ACCEPTED]
        asked = b"GET /stream?subjects=gold&limit=1 HTTP/1.0\r\nHost: 127.0.0.1\r\n"
        raw.sendall(asked + b"Accept-Encoding: gzip\r\n\r\n")
        until(lambda: gateway.figures()[ACCEPTED] > accepted)
        raw_nats.publish("gold", LONG)
        told, _, body = raw.makefile("rb").read().partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in told and b"chunked" not in told
    assert gzip.decompress(body).splitlines()[-1] == TEXT % (b"gold", LONG)


@KINDS
def test_a_slow_reader_is_told_of_all_it_missed(
    nats_server: NatsServer, raw_nats: RawNats, log: Path, kind: dict[str, str]
) -> None:
    chance, count = random.Random(16), 2000
    texts = (base64.b64encode(chance.randbytes(3000)) for _ in range(count))
    commands = b"".join(RawNats.command(b"slow", b'"%b"' % each) for each in texts)
    limits: dict[str, object] = {"max_pending_bytes": 50_000, "write_timeout": 60}
    with (
        running(Gateway(nats_server.url, log=log, **limits)) as service,
        HttpReader(service.port, "subjects=slow", kind | GZIP, receive_buffer=65536) as reader,
    ):
        begun(reader)
        raw_nats.send(commands)
        until(lambda: messages_by_fate(service.figures())["dropped"])
        received = dropped = 0
        while received + dropped < count:
            line = reader.line().removeprefix("data: ")
            if line.startswith("{"):
                told = json.loads(line)
                received += "data" in told
                dropped += told.get("dropped", 0)
        assert received + dropped == count and dropped
        raw_nats.publish("slow", LONG)
        assert next_data(reader) == json.loads(LONG)
        assert service.figures()[INPUT] > 0
        fates = messages_by_fate(service.figures())
        assert fates["due"] == count + 1
        assert (fates["delivered"], fates["dropped"]) == (received + 1, dropped)
        assert fates["pending"] == fates["filtered"] == 0


async def test_the_client_of_aiohttp_reads_it_as_it_comes(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    published = payloads()
    query = {"subjects": "aiohttp.gzip", "limit": str(len(published))}
    async with (
        asyncio.timeout(PATIENCE),
        aiohttp.ClientSession() as session,
        session.get(f"{gateway.url}/stream", params=query) as response,
    ):
        assert response.headers["Content-Encoding"] == "gzip"
        for _ in range(2):
            assert json.loads(await response.content.readline())["success"] is True
        raw_nats.publish("aiohttp.gzip", published[0])
        first = json.loads(await response.content.readline())
        for payload in published[1:]:
            raw_nats.publish("aiohttp.gzip", payload)
        rest = (await response.read()).splitlines()
        is_the_same("aiohttp.gzip", [first, *map(json.loads, rest)], published)
