"""The service with a route that sends every frame back, over WebSockets set up as `/stream`'s are.

Larger frames are let through than `/stream` does, since the cases to be passed use them.
"""

from aiohttp import WSMsgType

import main
from bridge.web.websocket import WebSocket

MIB = 1048576


@main.app.http.get("/echo")
async def echo(request):
    ws = WebSocket(32 * MIB, main.app.counters, lambda: None)
    await main.app.gate._upgrade(ws, request)
    async for frame in ws:
        if frame.type is WSMsgType.TEXT:
            await ws.send_str(frame.data)
        elif frame.type is WSMsgType.BINARY:
            await ws.send_bytes(frame.data)
    return ws


main.app.start()
