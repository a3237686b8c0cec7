"""The hardened NATS client, on a real server; each trap also shown with nats-py as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from nats import errors
from nats.aio.client import Client

from bridge.nats_link.client import NATSLink
from bridge.telemetry.counters import Counters
from tests.support.raw_nats import RawNats
from tests.support.servers import NatsServer, eventually, running

# Without the defence the test has to fail: the trap is real in the nats-py that is installed.
WITH_AND_WITHOUT = pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: NATSLink(Counters()), id="hardened"),
        pytest.param(Client, id="as-it-comes", marks=pytest.mark.xfail(strict=True)),
    ],
)
Make = Callable[[], Client]


async def quiet(error: Exception | None = None) -> None:
    """Take what nats-py reports."""


@pytest.fixture
async def connect(nats_server: NatsServer) -> AsyncIterator[Callable[[Client], Awaitable[Client]]]:
    """Connect a client to the shared server; close it at the end."""
    clients: list[Client] = []

    async def connect(client: Client, server: NatsServer = nats_server) -> Client:
        clients.append(client)
        await client.connect(
            server.url, reconnect_time_wait=0.05, max_reconnect_attempts=-1, error_cb=quiet
        )
        return client

    yield connect
    for client in clients:
        await client.close()


async def hears(client: Client, raw: RawNats, subject: str = "link.check") -> bool:
    """Tell whether a message published now arrives within two seconds."""
    got = asyncio.Event()

    async def arrived(msg: Any) -> None:
        got.set()

    try:
        async with asyncio.timeout(2):
            subscription = await client.subscribe(subject, cb=arrived)
            await client.flush()
            raw.publish(subject, b"1")
            await got.wait()
            await subscription.unsubscribe()
    except (TimeoutError, errors.Error):
        return False
    return True


@WITH_AND_WITHOUT
@pytest.mark.parametrize(
    "error", ["user authentication expired", "authorization violation", "unknown protocol error"]
)
async def test_an_error_of_the_server_does_not_close_for_good(
    make: Make, error: str, connect: Any, raw_nats: RawNats
) -> None:
    client = await connect(make())
    await client._process_err(f"'{error}'")
    await asyncio.sleep(0)
    await eventually(lambda: client.is_connected, within=2)
    assert await hears(client, raw_nats)


async def test_a_stale_connection_is_made_anew(connect: Any, raw_nats: RawNats) -> None:
    client = await connect(NATSLink(Counters()))
    await client._process_err("'stale connection'")
    assert not client.is_connected
    await eventually(lambda: client.is_connected)
    assert await hears(client, raw_nats)


@WITH_AND_WITHOUT
async def test_poison_does_not_end_the_read_loop(
    make: Make, connect: Any, raw_nats: RawNats
) -> None:
    client = await connect(make())
    await client.subscribe("poison.*", cb=quiet)
    for _ in range(2):  # nats-py's first PING overtakes the SUB
        await client.flush()
    raw_nats.publish(b"poison.\xff", b"x")
    assert await hears(client, raw_nats)


@WITH_AND_WITHOUT
async def test_a_read_loop_that_ends_is_replaced(
    make: Make, connect: Any, raw_nats: RawNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await connect(make())

    async def fails(data: bytes) -> None:
        monkeypatch.undo()
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(client._ps, "parse", fails)
    with pytest.raises((errors.Error, TimeoutError)):
        await client.flush(1)
    await eventually(lambda: client.is_connected, within=2)
    assert await hears(client, raw_nats)


async def test_a_callback_that_fails_costs_only_its_own_message(
    connect: Any, raw_nats: RawNats
) -> None:
    counters = Counters()
    client = await connect(NATSLink(counters))

    async def fails(msg: Any) -> None:
        raise ValueError("planted")

    await client.subscribe("fails", cb=fails)
    await client.flush()
    raw_nats.publish("fails", b"1")
    assert await hears(client, raw_nats)
    assert counters.unreadable == 1


@WITH_AND_WITHOUT
async def test_an_answer_after_the_flush_gave_up_harms_nothing(
    make: Make, tmp_path: Path, connect: Any
) -> None:
    with running(NatsServer(tmp_path)) as server:
        client = await connect(make(), server)
        server.freeze()
        with pytest.raises(errors.TimeoutError):
            await client.flush(0.1)
        server.thaw()
        with RawNats(server.port) as raw:
            assert await hears(client, raw)
        await client.close()


async def test_a_flush_ends_at_once_when_the_connection_is_lost(
    tmp_path: Path, connect: Any
) -> None:
    with running(NatsServer(tmp_path)) as server:
        client = await connect(NATSLink(Counters()), server)
        server.freeze()
        flush = asyncio.create_task(client.flush(30))
        await asyncio.sleep(0)
        server.stop()
        with pytest.raises(errors.ConnectionReconnectingError):
            async with asyncio.timeout(5):
                await flush
        with pytest.raises(errors.ConnectionReconnectingError):
            await client.flush(30)


@WITH_AND_WITHOUT
async def test_a_subscription_given_up_during_an_outage_does_not_come_back(
    make: Make, tmp_path: Path, connect: Any
) -> None:
    with running(NatsServer(tmp_path)) as server:
        client = await connect(make(), server)
        kept = await client.subscribe("kept", cb=quiet)
        server.stop()
        await eventually(lambda: client.is_reconnecting)
        subscription = await client.subscribe("ghost", cb=quiet)
        await subscription.unsubscribe()
        server.start()
        await eventually(lambda: client.is_connected)
        await client.flush()
        (connection,) = server.connections()
        assert connection.get("subscriptions_list") == ["kept"]
        await kept.unsubscribe()


async def test_requests_get_their_answers_and_say_when_nobody_is_there(
    connect: Any, raw_nats: RawNats
) -> None:
    client = await connect(NATSLink(Counters()))
    service = await connect(Client())

    async def answer(msg: Any) -> None:
        await msg.respond(b"pong")

    await service.subscribe("ping", cb=answer)
    for _ in range(2):  # nats-py's first PING overtakes the SUB
        await service.flush()
    assert (await client.request("ping", b"", timeout=2)).data == b"pong"
    with pytest.raises(errors.NoRespondersError):
        await client.request("nobody", b"", timeout=2)


async def test_a_subscription_without_a_callback_is_read_as_nats_py_does(
    connect: Any, raw_nats: RawNats
) -> None:
    client = await connect(NATSLink(Counters()))
    subscription = await client.subscribe("plain")
    await client.flush()
    raw_nats.publish("plain", b"1")
    assert (await subscription.next_msg(timeout=2)).data == b"1"


@WITH_AND_WITHOUT
async def test_a_flush_does_not_overtake_the_subscription_it_confirms(
    make: Make, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await connect(make())
    sent: list[bytes] = []
    write, writelines = client._transport.write, client._transport.writelines

    def record(data: bytes) -> None:
        sent.append(data)
        write(data)

    def record_lines(lines: list[bytes]) -> None:
        sent.extend(lines)
        writelines(lines)

    monkeypatch.setattr(client._transport, "write", record)
    monkeypatch.setattr(client._transport, "writelines", record_lines)
    await client.subscribe("first.this", cb=quiet)
    await client.flush()
    assert [line.split()[0] for line in sent] == [b"SUB", b"PING"]
