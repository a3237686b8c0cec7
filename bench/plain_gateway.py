"""What people write today: a NATS subscription for each client, and `send_str` for each message."""

import asyncio
import json
import os

import nats
from aiohttp import WSMsgType, web


async def stream(request: web.Request) -> web.WebSocketResponse:
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    await ws.send_str(json.dumps({"success": True, "data": "Successfully connected"}))
    subscriptions = []

    async def callback(msg):
        message = {"subject": msg.subject, "data": json.loads(msg.data)}
        await ws.send_str(json.dumps(message, separators=(",", ":")))

    async for frame in ws:
        if frame.type != WSMsgType.TEXT:
            break
        for subject in json.loads(frame.data)["subjects"]:
            subscription = await request.app["nats"].subscribe(
                subject, cb=callback, pending_msgs_limit=0, pending_bytes_limit=0
            )
            subscriptions.append(subscription)
        await request.app["nats"].flush()
        await ws.send_str(json.dumps({"success": True, "message": "subscribed"}))
    for subscription in subscriptions:
        await subscription.unsubscribe()
    return ws


async def main() -> None:
    app = web.Application()
    app["nats"] = await nats.connect(os.environ["NATS_URL"])
    app.add_routes([web.get("/stream", stream)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(os.environ["HTTP_PORT"])).start()
    await asyncio.Event().wait()


asyncio.run(main())
