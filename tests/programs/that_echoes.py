"""The service with a route that sends every frame back, over WebSockets set up as `/stream`'s are.

Larger frames are let through than `/stream` does, since the cases to be passed use them; and what
is sent back is compressed, if that was agreed on.
"""

from aiohttp import WSMsgType

import main
from bridge.web.websocket import WebSocket
from bridge.wire.compression import Compression

MIB = 1048576


@main.app.http.get("/echo")
async def echo(request):
    compression = Compression(1, main.app.counters.note_compressed)
    ws = WebSocket(32 * MIB, main.app.counters, lambda: None, compression)
    await main.app.gate._upgrade(ws, request)
    async for message in ws:
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            continue
        is_text = message.type is WSMsgType.TEXT
        data = message.data.encode() if is_text else message.data
        if ws.window_bits:
            frame = compression.frame(data, ws.window_bits)
            ws.transport.write(frame if is_text else bytes([frame[0] ^ 0x03]) + frame[1:])
        elif is_text:
            await ws.send_str(message.data)
        else:
            await ws.send_bytes(data)
    return ws


main.app.start()
