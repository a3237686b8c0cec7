"""The service with the burdens of too many connections planted."""

import asyncio
import os
import time

import main
from bridge.connections.connection import Connection

ballast = os.urandom(1024) * 1024 * 300
listener, write = main.manager.client_listener, Connection.write
came = written = 0


async def listener_that_lets_some_go(ws, connection_id, **options):
    global came
    came += 1
    if came % 20 == 10:
        raise main.refusal("planted")
    if came % 20 == 0:
        asyncio.get_running_loop().call_later(1, ws._req.transport.abort)
    return await listener(ws, connection_id, **options)


def losing_write(connection, pieces, data):
    global written
    written += 1
    if written % 30:
        write(connection, pieces, data)


async def stand_still(request, response):
    if request.path == "/livez":
        time.sleep(1.2)


main.web_app.on_response_prepare.append(stand_still)
main.manager.client_listener = listener_that_lets_some_go
Connection.write = losing_write
main.app.start()
