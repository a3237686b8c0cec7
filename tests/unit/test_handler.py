"""The manager of the connections, without any."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import WSMessage, WSMsgType

from bridge.access.login import Login
from bridge.access.policy import SubjectPolicy
from bridge.access.publish_policy import ANYTHING, PublishPolicy
from bridge.access.tokens import Principal
from bridge.connections.connection import Connection
from bridge.connections.limits import Limits
from bridge.publishing.publisher import MOST_IN_A_ROW, Publisher
from bridge.publishing.sender import PublishLimits
from bridge.telemetry.counters import Counters
from bridge.wire.framing import FRAMES
from handler import WSSManager
from tests.unit.connections.test_connection import MESSAGE, Socket
from tests.unit.publishing.test_publisher import Link


async def test_nats_is_up_when_that_has_been_told_not_before() -> None:
    """A client is connected some time before every subscription is back."""
    client = SimpleNamespace(is_connected=True)
    manager = WSSManager(SimpleNamespace(nats=SimpleNamespace(client=client)))
    assert manager._nats_is_up()
    manager.nats_changed(False)
    assert not manager._nats_is_up()
    manager.nats_changed(True)
    assert manager._nats_is_up()
    client.is_connected = False
    assert not manager._nats_is_up()


async def test_nothing_of_a_connection_that_leaves_is_in_no_figure() -> None:
    """What is pending is in the figures as long as the connection is in the list."""
    manager = WSSManager(SimpleNamespace(nats=SimpleNamespace(client=None)))
    manager.callback = waits
    socket: Any = Socket()
    ws: Any = SimpleNamespace(_req=SimpleNamespace(transport=socket), closed=False, close_code=None)
    ws.exception = lambda: None
    connection = manager._open(ws, "id", Login(Principal(SubjectPolicy())), framing=FRAMES)
    connection.send(MESSAGE)
    for _ in range(2):
        connection.deliver_message(MESSAGE)
    ws.closed = True
    assert manager.pending_messages == 3

    class Noticing(dict[str, Connection]):
        def __delitem__(self, name: str) -> None:
            assert self[name].pending_messages == 0
            assert manager.counters.dropped["closed"] == 3
            super().__delitem__(name)

    manager.connections = Noticing(manager.connections)
    await manager._leave(connection)
    assert manager.connections == {}
    assert connection.dropped == sum(manager.counters.dropped.values()) == 3


async def test_a_request_that_waits_is_forgotten_with_its_connection_and_without_a_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    link = Link()
    publisher = Publisher(lambda: link, Counters(), lambda: PublishPolicy.of([">"]))
    app = SimpleNamespace(nats=SimpleNamespace(client=None))
    manager = WSSManager(app, publisher=publisher)
    socket: Any = Socket()
    ws: Any = SimpleNamespace(_req=SimpleNamespace(transport=socket), closed=False, close_code=None)
    ws.exception = lambda: None
    login = Login(Principal(SubjectPolicy(), publish=ANYTHING))
    connection = manager._open(ws, "id", login, framing=FRAMES)
    said: list[bytes] = []
    monkeypatch.setattr(Connection, "respond", lambda _, *lines: said.extend(lines))
    asked = '{"action": "request", "subject": "a", "id": 1}'
    assert await manager.actions.answer_frame(connection, asked) == []
    assert len(connection.sender.waiting) == 1
    await manager._leave(connection)
    assert not connection.sender.waiting
    assert said == []


@pytest.mark.parametrize(("subject", "turns"), [("a", 100 // MOST_IN_A_ROW), ("denied", 100)])
async def test_what_is_published_together_is_sent_some_at_a_time_and_others_have_their_turn(
    subject: str, turns: int
) -> None:
    """Those that go in one turn share a PING; what is refused costs NATS nothing, but time."""
    link = Link()
    fast = PublishLimits(publishes_per_second=1e6, publish_burst=1000)
    publisher = Publisher(lambda: link, Counters(), lambda: PublishPolicy.of(["a"]), fast)
    manager = WSSManager(
        SimpleNamespace(nats=SimpleNamespace(client=None)),
        Limits(publishing=fast),
        publisher=publisher,
    )
    ws: Any = SimpleNamespace(_req=SimpleNamespace(transport=Socket()), closed=False)
    login = Login(Principal(SubjectPolicy(), publish=ANYTHING))
    connection = manager._open(ws, "id", login, framing=FRAMES)
    publication = f'{{"action": "publish", "subject": "{subject}"}}'
    passed = 0

    async def others() -> None:
        nonlocal passed
        while True:
            await asyncio.sleep(0)
            passed += 1

    task = asyncio.create_task(others())
    for _ in range(100):
        assert await manager._take(WSMessage(WSMsgType.TEXT, publication, None), connection)
    assert turns - 1 <= passed <= turns + 1
    assert len(link.sent) == 100 * (subject == "a")
    task.cancel()


async def waits(subscriber: Any, msg: Any) -> None:
    await asyncio.Event().wait()
