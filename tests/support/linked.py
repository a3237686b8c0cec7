"""A hardened client at a real nats-server, and taps that note what becomes of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge.nats_link.client import NATSLink
from bridge.nats_link.sign_in import SignIn
from bridge.nats_link.tapped import Lane
from bridge.telemetry.counters import Counters
from tests.support.servers import NatsServer, eventually


async def quiet(error: Exception | None = None) -> None:
    """Take what nats-py reports."""


class Tap:
    """Notes what comes, and how it was refused."""

    wants_meta = False

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.heard: list[tuple[str, bytes]] = []
        self.refused: list[str] = []

    def lane(self, subject: str) -> Lane:
        return lambda run: self.heard.extend((subject, payload) for payload in run)

    def refuse(self, code: str) -> None:
        self.refused.append(code)


@asynccontextmanager
async def linked(url: str) -> AsyncIterator[NATSLink]:
    """Connect a hardened client, as user `u` with password `p`."""
    link = NATSLink(Counters(), SignIn(user="u", password="p"))
    await link.connect(url, reconnect_time_wait=0.05, max_reconnect_attempts=-1, error_cb=quiet)
    yield link
    await link.close()


def follows(server: NatsServer) -> list[str]:
    """What the one client that there is has subscribed to."""
    (connection,) = server.connections()
    return sorted(connection.get("subscriptions_list", ()))


async def back(link: NATSLink, server: NatsServer, config: str) -> None:
    """Restart the server with another configuration; wait until everything is asked for again."""
    connections = link.stats["reconnects"]
    server.stop()
    server.configure(config)
    await asyncio.to_thread(server.start)
    await eventually(lambda: link.stats["reconnects"] > connections and link.is_connected)
    await link.restored()
