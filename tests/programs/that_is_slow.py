"""The service made too slow for a storm, and cutting some of those it has taken."""

import asyncio

import main
from bridge.connections.connection import Connection

follow, write = main.manager._requests._follow, Connection.write
asked = 0


async def slow_follow(connection, pattern):
    global asked
    asked += 1
    if asked % 20 == 0:
        connection._transport.abort()
    await asyncio.sleep(60 if asked % 20 == 1 else 5.2)
    await follow(connection, pattern)


def no_write(connection, pieces, data):
    """Lose it."""


main.manager._requests._follow = slow_follow
Connection.write = no_write
main.app.start()
