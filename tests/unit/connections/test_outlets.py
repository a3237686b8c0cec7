"""What groups write straight to sockets: whole, in order, and to nobody else."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from bridge.access.login import Login
from bridge.access.policy import SubjectPolicy
from bridge.access.tokens import Principal
from bridge.connections.connection import Connection
from bridge.connections.limits import Limits
from bridge.connections.stall_watch import StallWatch
from bridge.fanout.group import MAX_DIRECT_BYTES, write
from bridge.telemetry.counters import Counters
from bridge.web import websocket
from bridge.web.capacity import Capacity
from bridge.web.counted_tls import CountedTLS
from bridge.web.tcp import CountedHandler
from bridge.web.websocket import WebSocket
from bridge.wire.compression import Compression
from bridge.wire.frames import PING, read_head, text_frame
from bridge.wire.framing import FRAMES
from tests.support.certificates import Authority
from tests.support.raw_http import UPGRADE, head
from tests.support.raw_websocket import client_frame

READY = text_frame(b"ready")
SMALL = 4096
RESET = struct.pack("ii", 1, 0)


class Service:
    """One whose connections all get the same, and that answers nothing."""

    def __init__(self, max_pending_bytes: int = 1 << 20) -> None:
        self.counters = Counters()
        self.members: list[Connection] = []
        self.sockets: list[WebSocket] = []
        self.ended = 0
        self._limits = Limits(max_pending_bytes=max_pending_bytes)
        self._watch = StallWatch(60)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        ws = WebSocket(1000, self.counters, lambda: None, Compression(None, lambda *_: None))
        await ws.prepare(request)
        login = Login(Principal(SubjectPolicy()))
        member = Connection(ws, "id", self._limits, login, self.counters, self._watch)
        assert ws.transport is not None
        raw = ws.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        member.respond(b"ready")
        self.members.append(member)
        self.sockets.append(ws)
        while not ws.closed:
            await ws.receive()
        member.release()
        self.ended += 1
        return ws

    def write(self, *pieces: bytes) -> None:
        """Write to all of them, as groups do."""
        write(list(pieces), FRAMES, self.members, self.counters)

    def fill(self) -> bytes:
        """Write until the transport of the first one has to hold something; return all of it."""
        written = b""
        while self.members[0].outlet.descriptor is not None:
            piece = text_frame(b"%07d" % len(written) * 2000)
            self.write(piece)
            written += piece
        return written

    @property
    def is_settled(self) -> bool:
        """Whether each message has been delivered or dropped."""
        counters = self.counters
        pending = sum(member.pending_messages for member in self.members)
        return counters.expected == counters.delivered + pending + sum(counters.dropped.values())


class Browser:
    """Reads nothing unless it is told to."""

    def __init__(self) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        self.got = b""

    async def come(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        self.socket.setblocking(False)
        await loop.sock_connect(self.socket, ("127.0.0.1", port))
        await loop.sock_sendall(self.socket, head("GET /", {"Host": "a", **UPGRADE}))
        while not self.got.endswith(READY):
            self.got += await loop.sock_recv(self.socket, SMALL)
        self.got = b""

    def take_what_is_there(self) -> None:
        """Read while nothing else goes on here: the gateway's end has room after that."""
        try:
            while piece := self.socket.recv(1 << 20):
                self.got += piece
        except BlockingIOError:
            pass

    async def take(self, size: int | None = None) -> bytes:
        """Read so many bytes, or up to the end; return all that has come."""
        loop = asyncio.get_running_loop()
        while size is None or len(self.got) < size:
            piece = await loop.sock_recv(self.socket, 1 << 20)
            if not piece:
                break
            self.got += piece
        return self.got

    def vanish(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.socket.close()


@asynccontextmanager
async def listening(service: Service, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a service."""
    server = web.Server(service.answer)

    def accept() -> asyncio.BaseProtocol:
        handler = CountedHandler(server, Capacity(), service.counters)
        return CountedTLS(handler, context, 20) if context else handler

    async with await asyncio.get_running_loop().create_server(accept, "127.0.0.1", 0) as listener:
        try:
            yield listener.sockets[0].getsockname()[1]
        finally:
            await server.shutdown(0)


@asynccontextmanager
async def browsers(service: Service, count: int = 1) -> AsyncIterator[list[Browser]]:
    """`count` browsers, in the order of the members."""
    async with listening(service) as port:
        crowd = [Browser() for _ in range(count)]
        try:
            for browser in crowd:
                await browser.come(port)
            yield crowd
        finally:
            for browser in crowd:
                browser.socket.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0)


async def test_groups_write_to_the_sockets_of_those_who_have_nothing_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service, frame = Service(), text_frame(b"one")
    async with browsers(service, 3) as crowd:
        with monkeypatch.context() as patch:
            for ws in service.sockets:
                patch.setattr(ws.transport, "write", None)
            service.write(frame, frame)
        assert [await each.take(2 * len(frame)) for each in crowd] == [2 * frame] * 3
        assert [each.delivered for each in service.members] == [2] * 3
        assert service.counters.delivered == service.counters.expected == 6
        assert service.counters.sent_bytes == 3 * (len(READY) + 2 * len(frame))


async def test_what_the_system_takes_in_part_is_followed_by_the_rest() -> None:
    service = Service()
    async with browsers(service, 2) as (slow, quick):
        expected, last = service.fill(), text_frame(b"last")
        slow.take_what_is_there()  # the system has room before the transport knows
        assert service.members[0].pending_bytes
        service.write(last)
        expected += last
        assert service.is_settled
        assert service.counters.sent_bytes == 2 * (len(READY) + len(expected))
        assert await slow.take(len(expected)) == await quick.take(len(expected)) == expected
        await until(lambda: not service.members[0].pending_bytes)
        service.write(last)
        assert service.members[0].outlet.descriptor is not None


async def test_a_response_and_a_close_frame_stay_where_they_are_among_messages() -> None:
    service, one, two = Service(), text_frame(b"one"), text_frame(b"two")
    async with browsers(service) as (browser,):
        (member,) = service.members
        expected = service.fill()
        member.respond(b"{}")
        browser.take_what_is_there()
        service.write(one)
        expected += text_frame(b"{}") + one
        await browser.take(len(expected))
        service.write(one)  # nothing is held any more
        member.respond(b"{}")
        service.write(two)
        expected += one + text_frame(b"{}") + two
        closing = asyncio.create_task(member.close(1001, "go away"))
        await asyncio.sleep(0)
        service.write(two)
        assert (service.counters.dropped["closed"], service.is_settled) == (1, True)
        expected += b"\x88\x09\x03\xe9go away"
        assert await browser.take(len(expected)) == expected
        browser.socket.send(client_frame(0x88, b"\x03\xe9"))
        await closing
        assert await browser.take() == expected


async def test_a_ping_that_the_system_had_no_room_for_is_not_overtaken() -> None:
    service, frame = Service(), text_frame(b"one")
    async with browsers(service) as (browser,):
        (member,) = service.members
        service.write(frame)
        assert member.outlet.descriptor is not None
        stuffed = stuff(member.outlet.descriptor)
        service.sockets[0].send_ping()
        browser.take_what_is_there()
        service.write(frame)
        expected = frame + b"x" * stuffed + PING + frame
        assert await browser.take(len(expected)) == expected


def stuff(descriptor: int) -> int:
    """Write until the system takes no single byte more; return how many it has taken."""
    count = 0
    for size in (1000, 1):
        try:
            while True:
                count += os.write(descriptor, b"x" * size)
        except BlockingIOError:
            pass
    return count


async def test_what_was_missed_is_told_before_the_next_message() -> None:
    service, frame = Service(), text_frame(b"one")
    async with browsers(service) as (browser,):
        (member,) = service.members
        service.write(frame)
        member.miss(3)
        service.write(frame)
        expected = frame + text_frame(b'{"dropped":3}') + frame
        await asyncio.sleep(0)
        service.write(frame)
        member.respond(b"{}")
        member.miss(4)
        await asyncio.sleep(0)
        service.write(frame)
        expected += frame + text_frame(b"{}") + text_frame(b'{"dropped":4}') + frame
        assert await browser.take(len(expected)) == expected


@pytest.mark.parametrize("first", [100, 1000])
@pytest.mark.parametrize("limit", [MAX_DIRECT_BYTES, 1024])
async def test_no_more_is_held_than_may_be(limit: int, first: int) -> None:
    service = Service(limit)
    async with browsers(service) as (browser,):
        (member,) = service.members
        pieces = [text_frame(b"%07d" % number * 20) for number in range(3000)]
        for size in (first, 100, 100, 1000):
            service.write(*pieces[:size])
            await asyncio.sleep(0)
            assert member.pending_bytes <= limit
        assert service.counters.dropped["slow"] and service.is_settled
        closing = asyncio.create_task(member.close(1000, ""))
        end = b"\x88\x02\x03\xe8"
        while not browser.got.endswith(end):
            await browser.take(len(browser.got) + 1)
        *frames, last = frames_of(browser.got)
        told = [each for each in frames if each not in pieces]
        assert all(b'{"dropped":' in each for each in told) and last == end
        assert len(frames) - len(told) == service.counters.delivered
        await asyncio.gather(closing, browser.take())


def frames_of(data: bytes) -> list[bytes]:
    """Return whole frames."""
    frames, position = [], 0
    while position < len(data):
        frame = read_head(data, position)
        assert frame is not None and frame.end <= len(data)
        frames.append(data[position : frame.end])
        position = frame.end
    return frames


async def test_one_that_vanishes_in_the_middle_costs_nobody_else_anything() -> None:
    service, frame = Service(), text_frame(b"one")
    async with browsers(service, 4) as (first, second, third, last):
        second.vanish()
        service.sockets[2].abort()
        for _ in range(3):
            service.write(frame)
        assert service.is_settled
        await until(lambda: sum(each.outbox.open for each in service.members) == 2)
        await asyncio.sleep(0)
        service.write(frame)
        assert service.is_settled and service.counters.dropped["closed"] >= 2
        assert await first.take(4 * len(frame)) == await last.take(4 * len(frame)) == 4 * frame
        third.socket.close()


async def test_nothing_goes_to_whom_the_system_gives_the_number_of_a_closed_socket() -> None:
    service, frame = Service(), text_frame(b"one")
    async with browsers(service) as (browser,):
        (member,) = service.members
        service.write(frame)
        number = member.outlet.descriptor
        assert number is not None
        browser.vanish()
        await until(lambda: not member.outbox.open)
        await asyncio.sleep(0)
        with ExitStack() as stack:
            ends = [stack.enter_context(end) for _ in range(4) for end in socket.socketpair()]
            assert number in [end.fileno() for end in ends]
            service.write(frame)
            for end in ends:
                end.setblocking(False)
                with pytest.raises(BlockingIOError):
                    end.recv(1)
        assert (service.counters.dropped["closed"], service.is_settled) == (1, True)


async def test_under_tls_everything_goes_through_it(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("127.0.0.1"))
    service, frame = Service(), text_frame(b"one")
    async with listening(service, context) as port:
        trusting = ssl.create_default_context(cafile=authority.ca)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
        writer.write(head("GET /", {"Host": "a", **UPGRADE}))
        await reader.readuntil(READY)
        for _ in range(100):
            service.write(frame)
            service.members[0].respond(b"{}")
            await asyncio.sleep(0)
        expected = (frame + text_frame(b"{}")) * 100
        assert await reader.readexactly(len(expected)) == expected
        assert service.counters.delivered == 100
        writer.close()
        await writer.wait_closed()


async def test_one_that_reads_nothing_is_not_waited_for_when_it_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket, "CLOSE_TIMEOUT_SECONDS", 0.1)
    service = Service()
    async with browsers(service) as (browser,):
        service.write(text_frame(b"x" * 500_000))
        browser.socket.send(client_frame(0x81, b"x" * 2000))
        await until(lambda: service.ended)
        assert service.counters.refused["too_large"] == 1
