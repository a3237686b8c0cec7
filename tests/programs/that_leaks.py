"""The service with leaks planted: of a hundred connections, one leaves something of each kind."""

import asyncio
import os

import main
from bridge.connections.outbox import Outbox
from bridge.outlet import Outlet
from bridge.web.capacity import no_room

leave, unfollow_all = main.manager._leave, main.manager._hub.unfollow_all
deliver, upgrade = Outbox.deliver, main.app.gate._upgrade
kept = []
left = written = prepared = 0


async def leaking_leave(connection):
    global left
    left += 1
    await leave(connection)
    kept.append(b"x" * 200_000)
    if left % 100 == 0:
        kept.append(os.dup(0))
        kept.append(asyncio.create_task(asyncio.Event().wait()))


def leaking_unfollow_all(connection):
    if left % 100:
        unfollow_all(connection)


def repeating_deliver(outbox, pieces, joined):
    global written
    written += 1
    for _ in range(2 if written % 2 == 0 else 1):
        deliver(outbox, pieces, joined)


async def refusing_upgrade(ws, request):
    global prepared
    prepared += 1
    if prepared % 100 == 0:
        raise no_room("planted")
    await upgrade(ws, request)


main.manager._leave = leaking_leave
main.manager._hub.unfollow_all = leaking_unfollow_all
Outbox.deliver = repeating_deliver
Outlet.open = Outlet.shut  # or groups would not deliver by the outbox
main.app.gate._upgrade = refusing_upgrade
main.app.start()
