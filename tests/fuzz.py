"""Hostile input by the million: `make fuzz`, or `python -m tests.fuzz --inputs 1000000 --seed 1`.

Mutated requests, frames and HTTP heads go to a real service. None may end anything but its own
connection: a bystander gets every message, and the log has no traceback.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from tests.support.browser_client import Browser
from tests.support.raw_http import UPGRADE, head
from tests.support.raw_nats import RawNats
from tests.support.raw_websocket import COMPRESSED, FINAL, TEXT, client_frame, packed
from tests.support.servers import Gateway, NatsServer, eventually, running

NO_LIMITS = {
    "requests_per_second": 1e9,
    "request_burst": 1000000000,
    "bad_requests_per_minute": 1000000000,
    "max_connections_per_address": 1000000,
    "request_timeout": 2,
    "allow_publish": "fuzz.>",
    "publishes_per_second": 1e9,
    "publish_burst": 1000000000,
}
REQUESTS_EACH = 60
"""Requests on one connection, before the next one."""
AT_A_TIME = 20

REQUESTS = [
    {"subjects": ["a", "b.*"], "action": "subscribe", "id": 1},
    {"subjects": "a.>", "action": "unsubscribe", "id": "x"},
    {"subjects": [], "connection_id": "y", "more": {"deep": [[[[None]]]]}},
    {"action": "publish", "subject": "fuzz.a", "data": {"b": [1.50]}, "ack": True, "id": 2},
    {"action": "publish", "subject": "fuzz.b", "data": "/w==", "encoding": "base64", "msg_id": "c"},
    {"action": "request", "subject": "fuzz.c", "headers": {"X-A": "b"}, "timeout": 50, "id": 3},
]
BITS = [
    *(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\x00", b"\xff", b"\xc3\xa4"),
    *(b"\xed\xa0\x80", b"\\ud800", b"1e999", b"-0", b"NaN", b"null", b"[" * 500, b"9" * 400),
    *(b"\r\n", b"\n", b"*", b">", b"..", b" ", b"\t", b'"subjects"', b'"action"', b'"id"'),
]  # fmt: skip
OFFERS = [b"permessage-deflate", b'; server_max_window_bits="9"', b"; client_max_window_bits", b","]
UPGRADES = [
    head("GET /stream", {"Host": "x", **UPGRADE}),
    head(
        "GET /stream",
        {"Host": "x", **UPGRADE, "Sec-WebSocket-Extensions": b"".join(OFFERS[:3]).decode()},
    ),
]
HEADS = [
    *UPGRADES,
    head("POST /stream", {"Host": "x", "Content-Length": "2"}) + b"{}",
    head("POST /stream", {"Host": "x", "Transfer-Encoding": "chunked"}) + b"2\r\n{}\r\n0\r\n\r\n",
    head("POST /publish/fuzz.d?ack=1", {"Host": "x", "Nats-Msg-Id": "e", "Content-Length": "1"})
    + b"1",
    head("POST /request/fuzz.f?timeout=50", {"Host": "x", "Content-Length": "0"}),
    head("GET /page/js/main.js", {"Host": "x", "If-None-Match": '"x"', "Range": "bytes=0-"}),
]


def mutated(rng: Random, data: bytes, bits: list[bytes] = BITS) -> bytes:
    """Return `data` with a few bytes changed, cut out, doubled, or bits of trouble put in."""
    for _ in range(rng.randint(1, 4)):
        at, end = sorted((rng.randint(0, len(data)), rng.randint(0, len(data))))
        new = rng.choice(
            (rng.choice(bits), rng.randbytes(rng.randint(0, 8)), data[at:end] * 2, b"")
        )
        data = data[:at] + new + data[rng.choice((at, at + 1, end)) :]
    return data


def request(rng: Random) -> bytes:
    """Return what might have been a request."""
    return mutated(rng, json.dumps(rng.choice(REQUESTS)).encode())


def text_frame(rng: Random, payload: bytes) -> bytes:
    """Return a frame of a client that is as it should be."""
    return client_frame(FINAL | TEXT, payload, rng.randbytes(4))


def compressed_frame(rng: Random) -> bytes:
    """Return a frame with what might have been compressed."""
    data = packed(request(rng)[:60000] * rng.choice((1, 1, 1, 1000)))
    if rng.random() < 0.5:
        data = mutated(rng, data[:60000], [b"\x00\x00\xff\xff", b"\x03\x00", b"\x06", b"\x01"])
    return client_frame(FINAL | COMPRESSED | TEXT, data, rng.randbytes(4))


def frames(rng: Random) -> bytes:
    """Return a frame that is not as it should be, alone or behind a good one."""
    good = text_frame(rng, request(rng)[:60000])
    headers = [bytes([rng.randrange(256), rng.randrange(256)]), b"\x81\xff" + b"\xff" * 8]
    bad = rng.choice((mutated(rng, good[:500], headers), rng.randbytes(rng.randint(1, 40))))
    return rng.choice((bad, good + bad))


def request_head(rng: Random) -> bytes:
    """Return what might have been an HTTP request."""
    bits = [*BITS, *OFFERS, b": ", b"HTTP/1.1", b"\r\n\r\n", b"%00", b";"]
    return mutated(rng, rng.choice(HEADS), bits)


class Fuzzer:
    """Sends inputs to a service, and counts them by kind."""

    def __init__(self, port: int, seed: int) -> None:
        self.rng = Random(seed)
        self.sent: Counter[str] = Counter()
        self._port = port

    async def requests(self) -> None:
        """Send requests over one connection, in frames that are as they should be."""
        payloads = [request(self.rng) for _ in range(REQUESTS_EACH)]
        good = [each for each in payloads if len(each) < 60000 and _is_utf8(each)]
        self.sent["requests"] += len(good)
        data = b"".join(text_frame(self.rng, each) for each in good) + CLOSE
        await self._talk(self.rng.choice(UPGRADES) + data)

    async def frame(self) -> None:
        """Send a bad frame over a connection of its own."""
        self.sent["frames"] += 1
        await self._talk(self.rng.choice(UPGRADES) + frames(self.rng))

    async def compressed(self) -> None:
        """Send frames that may be compressed, or not what they should be, over one connection."""
        self.sent["compressed"] += 1
        data = b"".join(compressed_frame(self.rng) for _ in range(self.rng.randint(1, 9)))
        await self._talk(UPGRADES[1] + data + CLOSE)

    async def head(self) -> None:
        """Send a bad head over a connection of its own."""
        self.sent["heads"] += 1
        await self._talk(request_head(self.rng))

    async def _talk(self, data: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        with contextlib.suppress(ConnectionError):
            writer.write(data)
            writer.write_eof()
            async with asyncio.timeout(20):
                while await reader.read(65536):
                    pass
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


CLOSE = b"\x88\x80\x00\x00\x00\x00"


def _is_utf8(data: bytes) -> bool:
    with contextlib.suppress(UnicodeDecodeError):
        return data.decode() is not None
    return False


async def attack(service: Gateway, nats: RawNats, inputs: int, seed: int) -> Counter[str]:
    """Send `inputs` inputs while a bystander listens; return how many of each kind were sent."""
    fuzzer = Fuzzer(service.port, seed)
    async with Browser(service.stream) as bystander:
        await bystander.subscribe("bystander")
        number = 0
        while fuzzer.sent.total() < inputs:
            talks = (fuzzer.frame, fuzzer.compressed, fuzzer.head)
            kinds = (fuzzer.requests, *talks, *talks)
            await asyncio.gather(*(fuzzer.rng.choice(kinds)() for _ in range(AT_A_TIME)))
            number += 1
            nats.publish("bystander", str(number).encode())
            assert await bystander.next() == {"subject": "bystander", "data": number}
        await eventually(lambda: service.figures()["bridge_connections"] == 1)
    assert "Traceback" not in service.output(), service.output()[-5000:]
    return fuzzer.sent


def main() -> None:
    """Attack a service of its own, and say what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1000000)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4)))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, running(NatsServer(Path(folder))) as server:
        service = Gateway(server.url, log=Path(folder) / "log", log_level="error", **NO_LIMITS)
        with running(service), RawNats(server.port) as nats:
            sent = asyncio.run(attack(service, nats, options.inputs, options.seed))
            if service.output().count("\n") > 2:
                sys.exit(f"the service complained:\n{service.output()[-5000:]}")
    print(
        *(f"{count} {kind}," for kind, count in sent.items()),
        f"{sent.total()} inputs in {time.monotonic() - began:.0f} s; the bystander missed nothing",
    )


if __name__ == "__main__":
    main()
