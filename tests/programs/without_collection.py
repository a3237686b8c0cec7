"""The service without collections of garbage; it tells how many connections are in memory."""

import gc

from aiohttp import web

import main
from bridge.web.http_stream import HttpStream
from bridge.web.websocket import WebSocket


@main.app.http.get("/held")
async def held(request):
    count = sum(isinstance(each, WebSocket | HttpStream) for each in gc.get_objects())
    return web.json_response(count)


gc.disable()
main.app.start()
