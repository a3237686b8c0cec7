"""A browser that is cut off: nothing comes from it, and nothing says that it is gone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from socket import SO_RCVBUF, SOL_SOCKET

from bridge.web.heartbeat import PING_INTERVAL_SECONDS
from tests.support.browser_client import Browser
from tests.support.proxy import Proxy
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, eventually, running
from tests.timing import within

SHORTER = 1.0
GONE = 40.0
"""Seconds."""
PAUSE = 0.1


def with_a_shorter_heartbeat(nats_server: NatsServer, folder: Path, log: Path) -> Gateway:
    program = folder / "with_a_shorter_heartbeat.py"
    program.write_text(
        f"from bridge.web import heartbeat; heartbeat.PING_INTERVAL_SECONDS = {SHORTER}\n"
        "import main; main.app.start()\n"
    )
    return Gateway(nats_server.url, program=str(program), log=log)


async def test_a_browser_that_is_cut_off_is_gone_after_one_and_a_half_heartbeats(
    nats_server: NatsServer, raw_nats: RawNats, tmp_path: Path, log: Path
) -> None:
    service = with_a_shorter_heartbeat(nats_server, tmp_path, log)
    with running(service), running(Proxy(service.port)) as proxy:
        async with Browser(service.stream) as bystander:
            await bystander.subscribe("a")
            files = service.ps().num_fds()
            async with Browser(f"ws://127.0.0.1:{proxy.port}/stream") as cut_off:
                await cut_off.subscribe("a", "b")
                with within(
                    GONE * SHORTER / PING_INTERVAL_SECONDS + 5, "browser cut off, heartbeat of 1 s"
                ):
                    proxy.black_hole()
                    await eventually(lambda: nats_server.subscriptions() == ["a"])
                assert service.figures()["bridge_connections"] == 1
                await eventually(lambda: service.ps().num_fds() <= files)
                cut_off.kill()
            raw_nats.publish("a", b"1")
            assert (await bystander.next())["data"] == 1


async def test_a_browser_that_reads_slowly_is_not_taken_for_one_that_is_cut_off(
    nats_server: NatsServer, raw_nats: RawNats, tmp_path: Path, log: Path
) -> None:
    with running(with_a_shorter_heartbeat(nats_server, tmp_path, log)) as service:
        async with Browser(service.stream) as slow:
            await slow.subscribe("a")
            slow.ws.transport.pause_reading()
            slow.ws.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)
            for _ in range(60):
                raw_nats.publish("a", b'"%b"' % (b"x" * 100_000))
            for _ in range(int(4 * SHORTER / PAUSE)):
                # A sip, then a pause: the socket's few KB are taken, the pings stand far behind.
                slow.ws.transport.resume_reading()
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                slow.ws.transport.pause_reading()
                await asyncio.sleep(PAUSE)
            assert service.figures()["bridge_connections"] == 1
            slow.ws.transport.resume_reading()
            await slow.next()
            slow.kill()  # rather than read six megabytes in sips


def test_the_heartbeat_is_short_enough() -> None:
    assert 1.5 * PING_INTERVAL_SECONDS <= GONE
    assert PING_INTERVAL_SECONDS < 60, "proxies end what is idle for a minute"
