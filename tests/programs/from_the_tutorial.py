"""A program as a reader of Panini's "WebSocket server" tutorial would write it.

It uses Panini's own App and only what the tutorial shows of `handler.py`.
"""

import json
import os
import uuid
from urllib.parse import urlsplit

from aiohttp import web
from panini import app as panini_app

from handler import WSSManager, html

broker = urlsplit(os.environ["NATS_URL"])

app = panini_app.App(
    service_name="nats_websocket_bridge_tutorial",
    host=broker.hostname,
    port=broker.port,
    logger_required=False,
)
app.setup_web_server(host="127.0.0.1", port=int(os.environ["HTTP_PORT"]))


async def incoming_messages_callback(subscriber, msg, **kwargs):
    await subscriber.send_str(
        json.dumps({"by": "callback", "subject": msg.subject, "data": msg.data})
    )


manager = WSSManager(app)
if os.environ["CALLBACK"] == "async":
    manager.callback = incoming_messages_callback
elif os.environ["CALLBACK"] == "plain":

    def callback(subscriber, msg):
        if msg.data == "bug":
            raise ValueError("a bug in the program")
        subscriber.send(msg)

    manager.callback = callback


@app.task(interval=0.05)
async def publish_periodically():
    await app.publish("tick", {"key": 1})


@app.http.get("/")
async def web_endpoint(request):
    return web.Response(text=html, content_type="text/html")


@app.http.get("/readyz")
async def ready(request):
    return web.Response(text="ok")


@app.http.get("/stream")
async def stream(request):
    ws = web.WebSocketResponse()
    await ws.prepare(request)
    connection_id = str(uuid.uuid4())[:10]
    await ws.send_str(json.dumps({"success": True, "data": "Successfully connected"}))
    await manager.client_listener(ws, connection_id)
    return ws


@app.http.get("/ssid_map")
async def ssid_map(request):
    known = {ssid: sorted(followers) for ssid, followers in manager.ssid_map.items()}
    return web.json_response(known)


if __name__ == "__main__":
    app.http_server.web_app["subscribers"] = {}
    app.start()
