"""What is kept of a request once that is a WebSocket."""

from __future__ import annotations

import asyncio
import gc
from types import FunctionType, ModuleType
from typing import Any

from aiohttp import web

from bridge.telemetry.counters import Counters
from bridge.web.capacity import Capacity
from bridge.web.tcp import CountedHandler
from bridge.web.websocket import WebSocket
from bridge.wire.compression import Compression
from tests.support.raw_websocket import client_frame

MARK = "only-this-request-has-it"
UPGRADE = (
    "GET /stream?batch=1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
    f"Cookie: one={MARK}\r\nX-Mark: {MARK}\r\n\r\n"
)


class Service:
    """One that takes a WebSocket, and tells what it knows of the request."""

    def __init__(self) -> None:
        self.handlers: list[CountedHandler] = []
        self.known: list[str] = []

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.known += [request.cookies["one"], request.headers["X-Mark"], request.query_string]
        ws = WebSocket(1000, Counters(), lambda: None, Compression(None, lambda *_: None))
        await ws.prepare(request)
        self.known += [request.query["batch"], str(len(request.headers))]
        await ws.send_str("ready")
        while (message := await ws.receive()).type is web.WSMsgType.TEXT:
            await ws.send_str(message.data)
        return ws


def reachable(start: object) -> list[Any]:
    """Return all that is kept alive by `start`, but for what everybody shares."""
    shared = ModuleType, FunctionType, type, asyncio.AbstractEventLoop
    seen: dict[int, Any] = {}
    waiting = [start]
    while waiting:
        thing = waiting.pop()
        if id(thing) not in seen and not isinstance(thing, shared):
            seen[id(thing)] = thing
            waiting += gc.get_referents(thing)
    return list(seen.values())


def marks(start: object) -> list[Any]:
    """Return what is kept of the headers, as text or as bytes."""
    return [x for x in reachable(start) if isinstance(x, str | bytes) and MARK in str(x)]


async def test_of_a_request_that_is_a_websocket_no_header_is_kept() -> None:
    service, loop = Service(), asyncio.get_running_loop()
    server = web.Server(service.answer)

    def accept() -> CountedHandler:
        service.handlers.append(CountedHandler(server, Capacity(), Counters()))
        return service.handlers[-1]

    listening = await loop.create_server(accept, "127.0.0.1", 0)
    async with listening:
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        writer.write(UPGRADE.encode())
        await reader.readuntil(b"ready")
        assert service.known == [MARK, MARK, "batch=1", "1", "0"]
        service.known.clear()
        (handler,) = service.handlers
        assert handler in reachable(handler._task_handler)  # so the task is looked through, too
        assert marks(handler) == marks(handler._task_handler) == []
        writer.write(client_frame(0x81, b"still here"))
        assert (await reader.readuntil(b"still here")).endswith(b"still here")
        writer.close()
        await writer.wait_closed()
