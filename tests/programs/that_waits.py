"""The program from the tutorial, with a callback that waits as Panini's `*_sync` methods do.

NATS goes on being read meanwhile. It waits until `/release` is asked for. Its queues hold less
than they usually do, and so are soon full.
"""

import asyncio
import os

from aiohttp import web

from bridge.nats_link import stock_client
from tests.programs.from_the_tutorial import app, manager

stock_client.MAX_PENDING_MESSAGES = int(os.environ["PENDING_MESSAGES"])

released = asyncio.Event()
errors = []


def callback(subscriber, msg):
    if msg.data == "wait":
        app.loop.run_until_complete(released.wait())
    subscriber.send(msg)


async def error_cb(error):
    errors.append(error)


manager.callback = callback
if os.environ["ERROR_CB"] == "own":
    app.nats._connection_kwargs["error_cb"] = error_cb


@app.http.get("/figures")
async def figures(request):
    fates = ("received", "expected", "delivered", "filtered")
    counted = {fate: getattr(manager.counters, fate) for fate in fates}
    dropped = sum(manager.counters.dropped.values())
    return web.json_response({**counted, "dropped": dropped, "errors": len(errors)})


@app.http.get("/release")
async def release(request):
    released.set()
    return web.Response()


if __name__ == "__main__":
    app.http_server.web_app["subscribers"] = {}
    app.start()
