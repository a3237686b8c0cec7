"""When the head of a WebSocket's response is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from bridge.telemetry.counters import Counters
from bridge.web.capacity import Capacity
from bridge.web.tcp import CountedHandler
from bridge.web.websocket import WebSocket
from bridge.wire.compression import Compression
from bridge.wire.frames import text_frame
from tests.unit.web.test_forgetful import UPGRADE

HEAD = b"HTTP/1.1 101 "


async def at_once(ws: WebSocket) -> None:
    await ws.send_str("hello")


async def later(ws: WebSocket) -> None:
    await asyncio.sleep(0)
    await ws.send_str("hello")


async def twice(ws: WebSocket) -> None:
    await ws.send_str("hello")
    await ws.send_str("hello")


async def never(ws: WebSocket) -> None:
    await asyncio.sleep(0)


async def closed_at_once(ws: WebSocket) -> None:
    await ws.close(code=4501, message=b"no")


HELLO = text_frame(b"hello")


@pytest.mark.parametrize(
    ("behave", "ends"),
    [
        (at_once, [HELLO]),
        (later, [b"\r\n\r\n", HELLO]),
        (twice, [HELLO, HELLO]),
        (never, [b"\r\n\r\n"]),
        (closed_at_once, [b"\r\n\r\n", b"no"]),
    ],
)
async def test_the_head_goes_along_with_a_text_that_comes_at_once(
    behave: Callable[[WebSocket], Awaitable[None]], ends: list[bytes]
) -> None:
    written: list[bytes] = []
    enough = asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        write = request.transport.write  # type: ignore[union-attr]

        def note_and_write(data: bytes) -> None:
            written.append(bytes(data))
            write(data)
            if len(written) == len(ends):
                enough.set()

        request.transport.write = note_and_write  # type: ignore[method-assign, union-attr, assignment]
        ws = WebSocket(1000, Counters(), lambda: None, Compression(None, lambda *_: None))
        await ws.prepare(request)
        await behave(ws)
        await ws.receive()
        return ws

    server = web.Server(answer)
    listening = await asyncio.get_running_loop().create_server(
        lambda: CountedHandler(server, Capacity(), Counters()), "127.0.0.1", 0
    )
    async with listening:
        _, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        writer.write(UPGRADE.encode())
        async with asyncio.timeout(20):
            await enough.wait()
        assert written[0].startswith(HEAD)
        for data, end in zip(written, ends, strict=True):
            assert data.endswith(end)
        writer.close()
        await writer.wait_closed()
