"""A response that goes on, on a transport made for it."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import HttpVersion11, web
from aiohttp.test_utils import make_mocked_request

from bridge.telemetry.counters import Counters
from bridge.web import http_stream
from bridge.web import transport as transport_of
from bridge.web.capacity import Capacity
from bridge.web.heartbeat import Heartbeat
from bridge.web.http_stream import EVENT_STREAM, IDLE_SECONDS, HttpStream
from bridge.web.tcp import CountedHandler
from bridge.wire.compression import Compression
from tests.unit.connections.test_connection import Socket
from tests.unit.web.test_heartbeat import Clock


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


class Transport(Socket):
    """One whose other end acknowledges all that is written, or nothing more."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.answers = True
        self._acknowledged = 0
        monkeypatch.setattr(http_stream, "acknowledged", lambda _: self.acknowledged)

    def get_extra_info(self, name: str, default: Any = None) -> None:
        return None

    @property
    def acknowledged(self) -> int:
        if self.answers:
            self._acknowledged = len(self.text)
        return self._acknowledged


class Handler(CountedHandler):
    """One that aiohttp's own request for tests can be made for."""


async def begun(transport: Transport) -> Any:
    stream = await made(transport)
    await stream.begin()
    return stream


async def made(transport: Transport, headers: dict[str, str] | None = None) -> Any:
    handler = Handler(web.Server(lambda _: None), Capacity(), Counters())  # type: ignore[arg-type]
    handler.transport = transport  # type: ignore[assignment]
    request = make_mocked_request(
        "GET",
        "/",
        headers=headers or {},
        version=HttpVersion11,
        transport=transport,
        protocol=handler,  # type: ignore[arg-type]
    )
    return HttpStream(request, EVENT_STREAM, Compression(200, Counters().note_compressed))


async def test_a_caller_that_acknowledges_nothing_is_cut(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system takes what little is written, and tells after a quarter of an hour."""
    heartbeat, dead = Heartbeat(IDLE_SECONDS), Transport(monkeypatch)
    stream = await begun(dead)
    heartbeat.add(stream)
    await clock.run(heartbeat, 10 * IDLE_SECONDS)
    assert 8 <= dead.text.count(b":\n\n") <= 10 and not dead.aborted
    dead.answers = False
    await clock.run(heartbeat, 3 * IDLE_SECONDS)
    assert dead.aborted
    assert stream.close_code == 1006


async def test_one_that_gets_messages_is_sent_nothing_else(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeat, transport = Heartbeat(IDLE_SECONDS), Transport(monkeypatch)
    stream = await begun(transport)
    heartbeat.add(stream)
    for _ in range(20):
        stream.transport.write(b"data: 1\n\n")
        await clock.run(heartbeat, 0.8 * IDLE_SECONDS)
    assert b":\n\n" not in transport.text.replace(b"data: 1\n\n", b"")
    assert not transport.aborted


async def test_where_the_system_does_not_say_nobody_is_cut(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeat, transport = Heartbeat(IDLE_SECONDS), Transport(monkeypatch)
    monkeypatch.setattr(http_stream, "acknowledged", lambda _: None)
    heartbeat.add(await begun(transport))
    await clock.run(heartbeat, 10 * IDLE_SECONDS)
    assert not transport.aborted
    assert transport.text.count(b":\n\n") >= 4


async def test_what_is_kept_or_unsent_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    transport = Transport(monkeypatch)
    stream = await made(transport)
    stream._handler.tcp = transport
    socket = transport_of.Socket(stream)
    stream.transport.write(b"1234")
    assert socket.size_of_unsent() == 4
    transport.room = 1
    await stream.begin()
    assert socket.size_of_unsent() == 3
    assert transport.text == b"1234"


async def test_what_a_transport_has_to_keep_has_no_text_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    transport = Transport(monkeypatch)
    stream = await made(transport, {"Accept-Encoding": "gzip"})
    await stream.begin()
    stream.transport.write(stream.framing.join([b"x" * 100_000]))
    stream.send_ping()
    assert {type(each) for each in transport.writes} == {bytes}
    assert len(transport.text) < 2000
