"""The service with leaks planted: of a hundred connections, one leaves something of each kind."""

import asyncio
import os

import main
from bridge.connections.connection import Connection

leave, unfollow_all = main.manager._leave, main.manager._feeds.unfollow_all
write, prepare = Connection.write, main.open_websocket
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


async def leaking_unfollow_all(connection):
    if left % 100:
        await unfollow_all(connection)


def repeating_write(connection, pieces, data):
    global written
    written += 1
    for _ in range(2 if written % 100 == 0 else 1):
        write(connection, pieces, data)


async def refusing_prepare(request):
    global prepared
    prepared += 1
    if prepared % 100 == 0:
        raise main.refusal("planted")
    return await prepare(request)


main.manager._leave = leaking_leave
main.manager._feeds.unfollow_all = leaking_unfollow_all
Connection.write = repeating_write
main.open_websocket = refusing_prepare
main.app.start()
