"""The canary, on a real server: what it notices in the NATS client, and what it leaves alone."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.nats_link import canary as module
from bridge.nats_link.canary import Canary
from bridge.nats_link.client import NATSLink
from bridge.telemetry.counters import Counters
from tests.support.raw_nats import RawNats
from tests.support.servers import NatsServer, eventually, running


class Watched:
    """A link with its canary, both running, and what it reports."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.link = NATSLink(self.counters)
        self.canary = Canary(self.link, self.counters)
        self.lost = 0
        self.heard: list[bytes] = []

    async def connect(self, url: str) -> None:
        await self.link.connect(
            url, max_reconnect_attempts=-1, error_cb=self._ignore, disconnected_cb=self._count
        )
        await self.link.subscribe("link.check", cb=self._hear)
        self.task = asyncio.create_task(self.canary.run())
        await eventually(lambda: self.canary.round_trip < math.inf)

    async def is_repaired(self, server: NatsServer) -> None:
        """Fail unless the connection is made anew and messages come again."""
        await eventually(lambda: self.lost)
        await eventually(lambda: self.link.is_connected and not self.link.has_lost_a_task)
        await self.link.flush()
        with RawNats(server.port) as raw:
            raw.publish("link.check", b"1")
        await eventually(lambda: self.heard == [b"1"])

    async def _ignore(self, error: Exception) -> None:
        pass

    async def _count(self) -> None:
        self.lost += 1

    async def _hear(self, msg: Any) -> None:
        self.heard.append(msg.data)


@pytest.fixture
def server(tmp_path: Path) -> Any:
    with running(NatsServer(tmp_path)) as server:
        yield server


@pytest.fixture
async def watched(server: NatsServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watched]:
    monkeypatch.setattr(module, "PROBE_INTERVAL_SECONDS", 0.2)
    monkeypatch.setattr(module, "ANSWER_TIMEOUT_SECONDS", 0.2)
    watched = Watched()
    await watched.connect(server.url)
    yield watched
    watched.task.cancel()
    await watched.link.close()


async def test_a_flusher_that_ends_is_replaced(watched: Watched, server: NatsServer) -> None:
    assert watched.link._flusher_task is not None
    watched.link._flusher_task.cancel()
    await watched.is_repaired(server)


async def test_a_read_loop_that_hangs_is_replaced(
    watched: Watched, server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse = watched.link._ps.parse

    async def hangs(data: bytes) -> None:
        monkeypatch.setattr(watched.link._ps, "parse", parse)
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(watched.link._ps, "parse", hangs)
    await watched.is_repaired(server)
    assert watched.counters.missed_probes >= module.MAX_MISSES


async def test_a_reconnect_that_ends_before_it_succeeded_is_begun_anew(
    watched: Watched, server: NatsServer
) -> None:
    server.stop()
    await eventually(lambda: watched.link.is_reconnecting and watched.lost)
    assert watched.link._reconnection_task is not None
    watched.link._reconnection_task.cancel()
    server.start()
    await watched.is_repaired(server)


async def test_a_server_that_answers_but_does_not_deliver_is_left(
    watched: Watched, server: NatsServer
) -> None:
    (sid,) = (
        sid for sid, each in watched.link._subs.items() if each.subject == watched.canary._inbox
    )
    await watched.link._send_unsubscribe(sid)  # as if the server had lost the subscription
    await watched.is_repaired(server)
    await eventually(lambda: watched.canary._has_arrived)


async def test_a_quiet_connection_is_left_alone(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_TIMEOUT_SECONDS", 5)
    received: int = watched.link.stats["in_msgs"]
    await eventually(lambda: watched.link.stats["in_msgs"] >= received + 10)
    assert (watched.lost, watched.counters.received) == (0, 0)


class BusyLink:
    """A link whose PONGs stand behind bytes that nobody has read yet, whatever they are."""

    is_connected, has_lost_a_task = True, False
    reconnected = 0

    def __init__(self, counters: Counters, *, unread: int, late: float) -> None:
        self.stats = {"reconnects": 0}
        self._counters, self._unread, self._late = counters, unread, late

    async def publish(self, subject: str) -> None:
        self._counters.received_bytes += self._unread

    async def _send_ping(self, pong: asyncio.Future[bool]) -> None:
        if self._late:
            asyncio.get_running_loop().call_later(self._late, pong.set_result, True)

    async def reconnect(self) -> None:
        self.reconnected += 1


@pytest.mark.parametrize(
    ("link", "reconnects"),
    [
        (SimpleNamespace(unread=1, late=0), False),
        (SimpleNamespace(unread=0, late=0.05), False),
        (SimpleNamespace(unread=0, late=0), True),
    ],
    ids=["busy", "late", "dead"],
)
async def test_slow_is_not_dead(
    link: SimpleNamespace, reconnects: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_TIMEOUT_SECONDS", 0.01)
    counters = Counters()
    busy: Any = BusyLink(counters, unread=link.unread, late=link.late)
    canary = Canary(busy, counters)
    for _ in range(3):
        await canary.probe()
        await asyncio.sleep(0.1)
    assert bool(busy.reconnected) is reconnects
