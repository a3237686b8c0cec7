"""The service made too slow for a storm, and cutting some of those it has taken."""

import asyncio

import main
from bridge.connections.outbox import Outbox
from bridge.outlet import Outlet

follow = main.manager.actions.following.follow
asked = 0


async def slow_follow(connection, patterns, wants):
    global asked
    asked += 1
    if asked % 20 == 0:
        connection._socket.transport.abort()
    await asyncio.sleep(60 if asked % 20 == 1 else 5.2)
    return await follow(connection, patterns, wants)


def no_delivery(outbox, pieces, joined):
    """Lose it."""


main.manager.actions.following.follow = slow_follow
Outbox.deliver = no_delivery
Outlet.open = Outlet.shut  # or groups would not deliver by the outbox
main.app.start()
