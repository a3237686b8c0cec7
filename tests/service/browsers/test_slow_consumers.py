"""A browser that reads slowly, or not at all, costs nobody else anything."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench import slow, slow_rounds
from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, eventually, running
from tests.timing import within

PAYLOAD = b'"' + b"x" * 9998 + b'"'


@pytest.fixture
def gateway(nats_server: NatsServer, log: Path) -> Iterator[Gateway]:
    with running(Gateway(nats_server.url, log=log, write_timeout=1)) as service:
        yield service


async def test_a_slow_consumer_is_told_how_many_messages_were_dropped(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    async with Browser(gateway.stream) as slow, Browser(gateway.stream) as healthy:
        await slow.subscribe("slow.feed")
        await healthy.subscribe("slow.feed")
        slow.ws.transport.pause_reading()
        sent = 2000
        for _ in range(sent // 20):
            await asyncio.to_thread(raw_nats.send, RawNats.command(b"slow.feed", PAYLOAD) * 20)
            for _ in range(20):
                assert len((await healthy.next())["data"]) == 9998
        slow.ws.transport.resume_reading()
        received, dropped = await slow.received_and_dropped(sent)
        assert received + dropped == sent
        assert dropped > 0
        raw_nats.publish("slow.feed", b"1")
        assert (await slow.next())["data"] == 1
    assert gateway.figures()['bridge_messages_dropped_total{reason="slow"}'] == dropped


async def test_a_stalled_browser_is_gone_within_the_write_timeout_and_a_bit(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    async with Browser(gateway.stream) as stalled, Browser(gateway.stream) as healthy:
        await stalled.subscribe("stall.feed")
        await healthy.subscribe("stall.feed")
        stalled.ws.transport.pause_reading()
        await asyncio.to_thread(raw_nats.send, RawNats.command(b"stall.feed", PAYLOAD) * 2000)
        with within(6, "stalled browser cut, WRITE_TIMEOUT of 1 s"):
            await eventually(lambda: gateway.figures()["bridge_connections"] == 1)
        await eventually(lambda: "closed: code 4008" in gateway.output())
        assert gateway.figures()['bridge_connections_closed_total{reason="stalled"}'] == 1
        raw_nats.publish("stall.feed", b'"last"')
        while (await healthy.next()).get("data") != "last":
            pass
        stalled.kill()


@pytest.mark.timing  # the kernel tells of what was read each 0.4 s, and a second is the limit
async def test_a_browser_that_reads_slowly_but_steadily_is_not_cut(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    async with Browser(gateway.stream) as slow:
        await slow.subscribe("steady.feed")
        raw = slow.ws.transport.get_extra_info("socket")
        slow.ws.transport.pause_reading()
        commands = RawNats.command(b"steady.feed", PAYLOAD) * 300
        now = asyncio.get_running_loop().time
        begun, taken = now(), 0
        while now() < begun + 2:
            # 8 KB each 50 ms, for twice the write timeout; more at a time if it was not its turn
            await asyncio.to_thread(raw_nats.send, commands[: len(commands) // 30])
            with contextlib.suppress(BlockingIOError):
                while taken < 8192 * (now() - begun) / 0.05:
                    taken += len(os.read(raw.fileno(), 8192))
            await asyncio.sleep(0.05)
        assert gateway.figures()['bridge_connections_closed_total{reason="stalled"}'] == 0
        assert gateway.figures()['bridge_messages_dropped_total{reason="slow"}'] > 0
        slow.kill()


async def test_a_browser_that_asks_but_does_not_read_cannot_fill_the_memory(
    nats_server: NatsServer, log: Path
) -> None:
    generous = {"requests_per_second": 10000, "request_burst": 10000, "write_timeout": 60}
    with running(Gateway(nats_server.url, log=log, **generous)) as service:
        before = service.ps().memory_info().rss
        async with Browser(service.stream) as rude:
            rude.ws.transport.pause_reading()
            request = '{"subjects": ["a..%s"]}' % ("x" * 60000)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(3):
                    for _ in range(1000):
                        await rude.send(request)
            assert service.ps().memory_info().rss - before < 20_000_000
            rude.kill()


async def test_a_browser_that_leaves_without_reading_gives_its_socket_back(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    files = gateway.ps().num_fds()
    async with Browser(gateway.stream) as rude:
        await rude.subscribe("rude.feed")
        rude.ws.transport.pause_reading()
        await asyncio.to_thread(raw_nats.send, RawNats.command(b"rude.feed", PAYLOAD) * 2000)
        rude.ws.protocol.send_close(1000)
        rude.ws.transport.writelines(rude.ws.protocol.data_to_send())
        await eventually(lambda: gateway.figures()["bridge_connections"] == 0)
        await eventually(lambda: gateway.ps().num_fds() <= files)
        rude.kill()


@pytest.mark.timing
@pytest.mark.load
def test_200_connections_get_everything_beside_a_slow_one_and_a_stalled_one() -> None:
    # As many bytes as 5000 messages of 128 bytes a second, which a busy machine may not manage.
    shape = slow_rounds.Shape(connections=200, rate=500, size=1280)
    with slow.running() as gateway:
        alone = slow_rounds.measure(gateway, replace(shape, seconds=2), with_bad=False)
        beside = slow_rounds.measure(gateway, shape, with_bad=True)
    assert alone.faults() == []
    assert beside.faults() == []
    assert beside.memory - alone.memory < 2 * slow.MEMORY
