"""Thousands of browsers in one process: each is little more than a socket that answers pings."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import cycle
from struct import pack

from bench.client import read_head
from tests.soak.crowd import reached
from tests.support.crowd import CLOSE, NO_MASK, UPGRADE
from tests.support.raw_nats import RawNats
from tests.support.servers import PATIENCE, Gateway, NatsServer

TEXT, CLOSING, PING = 0x1, 0x8, 0x9
PONG = b"\x8a"
NUMBER = re.compile(rb'"n":(\d+)')
CHOOSE_PORT_LATE = 24
"""`IP_BIND_ADDRESS_NO_PORT` of Linux: a port of an address may serve several connections."""
ADDRESSES = [f"127.0.1.{n}" for n in range(1, 21)]
"""Where they come from: one address has as many ports, and places at the gateway, as it has."""
AT_ONCE = 200
"""Connections that are set up at a time."""

_addresses = cycle(ADDRESSES)


class Visitor(asyncio.Protocol):
    """A browser that follows `pattern`, on which each message has the next number as its `n`.

    It does what a page does: it upgrades, asks, and answers pings and a close.
    """

    def __init__(self, pattern: str) -> None:
        loop = asyncio.get_running_loop()
        self.upgraded: asyncio.Future[float | None] = loop.create_future()
        self.acknowledged: asyncio.Future[float | None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        """Done when it happens, with the time by the loop's clock; None if it ended before that."""
        self.since: float | None = None
        """When it was connected."""
        self.got = 0
        """Messages."""
        self.last: int | None = None
        """The number of the latest message."""
        self.out_of_turn = 0
        """Messages that were not the next one: something was lost, or came twice."""
        self._now = loop.time
        self._request = _frame(json.dumps({"subjects": [pattern]}).encode())
        self._unread = b""
        self._transport: asyncio.Transport | None = None

    @property
    def transport(self) -> asyncio.Transport:
        assert self._transport is not None, "it has not come"
        return self._transport

    async def come(self, gateway: Gateway) -> None:
        """Connect and send the request for an upgrade. Raises OSError."""
        raw = socket.socket()
        try:
            raw.setsockopt(socket.IPPROTO_IP, CHOOSE_PORT_LATE, 1)
            raw.bind((next(_addresses), 0))
            raw.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(raw, ("127.0.0.1", gateway.port))
            await loop.create_connection(lambda: self, sock=raw)
        except BaseException:
            raw.close()
            raise

    def reset(self) -> None:
        """End the connection as a browser that crashes: by RST, and what is unsent is lost."""
        raw = self.transport.get_extra_info("socket")
        if not self.transport.is_closing():
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
        self.transport.abort()

    def close(self) -> None:
        """End the connection by FIN, without a close frame."""
        self.transport.close()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.since = self._now()
        self.begin()

    def begin(self) -> None:
        """Send the first bytes."""
        self.transport.write(UPGRADE)

    def data_received(self, data: bytes) -> None:
        data = self._unread + data
        if not self.upgraded.done():
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._unread = head
                return
            if not head.startswith(b"HTTP/1.1 101 "):
                self.transport.abort()
                return
            self.upgraded.set_result(self._now())
            self.transport.write(self._request)
        self._unread = data[self._take_frames(data) :]

    def connection_lost(self, exc: Exception | None) -> None:
        for each in (self.upgraded, self.acknowledged, self.ended):
            if not each.done():
                each.set_result(None)

    def _take_frames(self, data: bytes) -> int:
        """Take the frames that are there in full; return where the rest begins."""
        start = 0
        while (place := read_head(data, start)) and sum(place) <= len(data):
            begin, size = place
            self._take(data[start] & 0xF, data[begin : begin + size])
            start = begin + size
        return start

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self.transport.write(_frame(payload, PONG))
        elif opcode == CLOSING:
            self.transport.write(CLOSE)
            self.transport.close()
        elif payload.startswith(b'{"subject":'):
            number = int(NUMBER.findall(payload)[0])
            self.got += 1
            self.out_of_turn += self.last is not None and number != self.last + 1
            self.last = number
        elif b'"Successfully connected to events' in payload and not self.acknowledged.done():
            self.acknowledged.set_result(self._now())


async def come_all(visitors: Sequence[Visitor], gateway: Gateway) -> None:
    """Have all come, some at a time, and wait until each is acknowledged or out of patience."""
    places = asyncio.Semaphore(AT_ONCE)

    async def come(visitor: Visitor) -> None:
        async with places:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await visitor.come(gateway)
                    await asyncio.shield(visitor.acknowledged)

    await asyncio.gather(*(come(each) for each in visitors))


async def cut_all(visitors: Sequence[Visitor]) -> None:
    """End all connections, so that the gateway has nobody to wait for when it stops."""
    for each in visitors:
        if each.since is not None:
            each.transport.abort()
    await asyncio.sleep(0)  # asyncio closes the sockets in its next turn


async def reach_all(
    visitors: Sequence[Visitor],
    subjects: Sequence[str],
    number: int,
    server: NatsServer,
    patience: float,
) -> float:
    """Publish a message on each subject, wait until all have it, and return the seconds it took.

    Returns after `patience` seconds all the same if one does not get it.
    """
    payload = b'{"n":%d}' % number
    commands = b"".join(RawNats.command(each.encode(), payload) for each in subjects)
    with RawNats(server.port) as publisher:
        begun = time.monotonic()
        await asyncio.to_thread(publisher.send, commands)
    await reached(lambda: all(each.last == number for each in visitors), patience)
    return time.monotonic() - begun


def _frame(payload: bytes, first: bytes = b"\x81") -> bytes:
    return first + bytes([0x80 | len(payload)]) + NO_MASK + payload
