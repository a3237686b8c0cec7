"""The service with the burdens of too many connections planted."""

import asyncio
import os
import time

import main
from bridge.connections.outbox import Outbox
from bridge.outlet import Outlet
from bridge.web.capacity import no_room

ballast = os.urandom(1024) * 1024 * 300
listener, deliver = main.manager.client_listener, Outbox.deliver
came = written = 0


async def listener_that_lets_some_go(ws, connection_id, **options):
    global came
    came += 1
    if came % 20 == 10:
        raise no_room("planted")
    if came % 20 == 0:
        asyncio.get_running_loop().call_later(1, ws.transport.abort)
    return await listener(ws, connection_id, **options)


def losing_delivery(outbox, pieces, joined):
    global written
    written += 1
    if written % 30:
        deliver(outbox, pieces, joined)


async def stand_still(request, response):
    if request.path == "/livez":
        time.sleep(1.2)


main.app.http_server.web_app.on_response_prepare.append(stand_still)
main.manager.client_listener = listener_that_lets_some_go
Outbox.deliver = losing_delivery
Outlet.open = Outlet.shut  # or groups would not deliver by the outbox
main.app.start()
