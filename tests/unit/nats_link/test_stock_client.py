"""What nats-py drops on the way in, on a client and a clock made for it."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import nats
import pytest
from nats.aio.client import Client
from nats.errors import Error, SlowConsumerError

from bridge.nats_link import stock_client


class Nats:
    """A client that accepts everything; `max_payload` is what its server allows."""

    def __init__(self, error_cb: Any) -> None:
        self._error_cb = error_cb
        self.max_payload = 1048576
        self.limits: dict[str, int] = {}
        self._count = 0

    async def subscribe(self, pattern: str, cb: Any, **limits: int) -> Any:
        self._count += 1
        self.limits = limits
        return SimpleNamespace(_id=self._count)

    async def drop(self, sid: int, subject: str = "a") -> None:
        error = SlowConsumerError(subject=subject, reply="", sid=sid, sub=None)
        await self._error_cb(error)


class Heard:
    """An `error_cb` of a program, and what feeds are told."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.lost: list[tuple[str, int]] = []

    async def error_cb(self, error: Exception) -> None:
        self.errors.append(error)

    def lose(self, subject: str, count: int) -> None:
        self.lost.append((subject, count))


async def test_error_cb_of_the_program_hears_of_everything() -> None:
    heard = Heard()
    client: Any = Nats(heard.error_cb)
    for pattern in ("a", "b"):
        await stock_client.subscribe(client, pattern, None, heard.lose)
    await client._error_cb(Error("another"))
    await client.drop(1)
    await client.drop(7)  # a subscription of the program's own
    await asyncio.sleep(0)
    assert len(heard.errors) == 3
    assert heard.lost == [("a", 1)]


async def test_default_error_cb_logs_other_errors_only(caplog: pytest.LogCaptureFixture) -> None:
    heard = Heard()
    client: Any = Nats(Client()._error_cb)
    _, forget = await stock_client.subscribe(client, "a", None, heard.lose)
    await client.drop(1)
    assert [record.name for record in caplog.records] == ["bridge.told"]
    await client.drop(7)
    forget()
    forget()
    await client.drop(1)
    assert [record.name for record in caplog.records[1:]] == ["nats.aio.client"] * 2


async def test_drops_are_handed_on_once_a_turn_and_logged_once_an_episode(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.WARNING, "bridge.told")
    heard, now = Heard(), 100.0
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now)
    dropping = stock_client.Overflow(">", heard.lose)
    for pause in (0, 4, 4, 6):
        now += pause
        for subject in ("a", "b", "a"):
            dropping.drop(subject)
        await asyncio.sleep(0)
    assert heard.lost == [("a", 2), ("b", 1)] * 4
    assert len(caplog.records) == 2


async def test_queue_is_bounded_and_takes_the_largest_message() -> None:
    client: Any = Nats(None)
    await stock_client.subscribe(client, "a", None, None)
    assert client.limits == {"pending_msgs_limit": 65536, "pending_bytes_limit": 8388608}
    client.max_payload = 64 * 1048576
    await stock_client.subscribe(client, "a", None, None)
    assert client.limits["pending_bytes_limit"] == 128 * 1048576


async def test_what_is_confirmed_is_on_the_server() -> None:
    said: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"max_payload": 1048576}\r\n')
        async for line in reader:
            said.append(line.split()[0])
            if line == b"PING\r\n":
                writer.write(b"PONG\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        client = await nats.connect(f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        said.clear()
        await stock_client.subscribe(client, "a", Heard().error_cb, Heard().lose)
        await stock_client.confirm(client)
        assert said.index(b"SUB") < len(said) - 1
        assert said[-1] == b"PING"
        await client.close()
