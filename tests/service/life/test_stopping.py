"""How the service stops: browsers first, NATS last, and soon."""

from __future__ import annotations

import asyncio
import http.client as http_client
import itertools
import re
import resource
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.support.browser_client import Browser
from tests.support.crowd import Crowd
from tests.support.raw_nats import RawNats
from tests.support.servers import PATIENCE, Gateway, NatsServer, eventually, http, running, until
from tests.timing import within

STOPPED = 8.0
STALLED = 10
HEALTHY = 990


@contextmanager
def publishing(server: NatsServer) -> Iterator[list[int]]:
    """Publish 0, 1, 2 … to `load`; the list holds the last number that the server has."""
    over = threading.Event()
    last = [-1]

    def publish() -> None:
        with RawNats(server.port) as client:
            for number in itertools.count():
                if over.wait(0.005):
                    return
                client.publish("load", b"%d" % number)
                last[0] = number

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield last
    finally:
        over.set()
        thread.join()


class KeptAlive:
    """An HTTP connection that was there before the stop, as that of a load balancer may be."""

    def __init__(self, service: Gateway) -> None:
        self._connection = http_client.HTTPConnection("127.0.0.1", service.port, timeout=PATIENCE)
        self._connection.request("GET", "/livez")
        self._connection.getresponse().read()
        self._connection.auto_open = 0

    def get(self, path: str) -> tuple[int, str]:
        """Return status and text; 0 once it is closed."""
        try:
            self._connection.request("GET", path)
            answer = self._connection.getresponse()
            return answer.status, answer.read().decode()
        except (OSError, http_client.HTTPException):
            return 0, ""

    def open_connections(self) -> int:
        """How many WebSocket connections the gateway still has."""
        found = re.search(r"^bridge_connections (\d+)", self.get("/metrics")[1], re.MULTILINE)
        return int(found[1]) if found else 0

    def close(self) -> None:
        self._connection.close()


def serves_to_the_end(server: NatsServer, service: Gateway, kept_alive: KeptAlive) -> set[int]:
    """Stop the gateway; return how many connections it was seen to have while it stopped.

    Fail if NATS was left before the last of them was gone.
    """
    process = service.process
    assert process is not None
    seen: set[int] = set()
    with within(STOPPED, f"stop with {HEALTHY + STALLED} connections, {STALLED} of them stalled"):
        process.send_signal(signal.SIGTERM)
        until(lambda: kept_alive.get("/readyz") == (503, '{"status": "stopping"}'))
        assert http(f"{service.url}/readyz")[0] == 0
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < deadline:
            names = [each.get("name", "") for each in server.connections()]
            if left := kept_alive.open_connections():
                assert any(name.startswith("nats_websocket_bridge") for name in names), left
                seen.add(left)
    assert service.wait() == 0
    return seen


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process and the gateway have more sockets than many systems allow by default."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.timing
@pytest.mark.usefixtures("many_files")
def test_stopping_under_load_serves_everybody_to_the_end(tmp_path: Path, log: Path) -> None:
    settings = {
        "write_timeout": 60,
        "log_level": "warning",
        "max_connections_per_address": 2000,
    }
    with (
        running(NatsServer(tmp_path)) as server,
        running(Gateway(server.url, log=log, **settings)) as service,
    ):
        with (
            Crowd(service.port, "load", HEALTHY) as crowd,
            Crowd(service.port, "heavy", STALLED),
            RawNats(server.port) as client,
            publishing(server) as last,
        ):
            client.send(RawNats.command(b"heavy", b"x" * 100_000) * 100)
            crowd.read()
            until(lambda: all(crowd.heard.values()))
            kept_alive = KeptAlive(service)
            before = last[0]
            seen = serves_to_the_end(server, service, kept_alive)
            assert last[0] > before
            kept_alive.close()
            crowd.wait_for_the_end()
        assert min(seen) <= STALLED, "NATS was looked at too early"
        assert "Traceback" not in service.output()
        end = b"\x88\x13" + (1012).to_bytes(2, "big") + b"the service stops"
        streams = [bytes(heard.removesuffix(end)) for heard in crowd.heard.values()]
        assert all(heard.endswith(end) for heard in crowd.heard.values())
        longest = max(streams, key=len)
        numbers = [int(data) for data in re.findall(rb'"data":(\d+)', longest)]
        assert numbers == list(range(len(numbers)))
        for stream in streams:
            assert longest.startswith(stream)
            assert stream.count(b'"data":') > before
        assert server.subscriptions() == server.inboxes() == []


@pytest.mark.timing  # a second is all that a stop waits for it
async def test_what_nats_had_before_the_stop_is_delivered(
    nats_server: NatsServer, raw_nats: RawNats, log: Path
) -> None:
    service = Gateway(nats_server.url, log=log, max_pending_bytes=100_000_000)
    service.start()
    process = service.ps()
    async with Browser(service.stream) as browser:
        await browser.subscribe("before")
        process.suspend()
        await eventually(lambda: process.status() == psutil.STATUS_STOPPED)
        commands = [RawNats.command(b"before", b"%09999d" % n) for n in range(1000, 1300)]
        await asyncio.to_thread(raw_nats.send, b"".join(commands))
        process.terminate()
        process.resume()
        for number in range(1000, 1300):
            assert (await browser.next())["data"].endswith(f"0{number}")
        assert await browser.closed() == 1012
    assert await asyncio.to_thread(service.wait) == 0


@pytest.mark.parametrize("fault", ["stop", "freeze"])
async def test_stopping_does_not_wait_for_nats(fault: str, tmp_path: Path, log: Path) -> None:
    with running(NatsServer(tmp_path)) as server:
        service = Gateway(server.url, log=log)
        service.start()
        async with Browser(service.stream) as browser:
            await browser.subscribe("a")
            getattr(server, fault)()
            if fault == "stop":
                assert await browser.next() == {"status": "nats_down"}
            await browser.send({"subjects": ["b"]})
            with within(STOPPED, f"stop while NATS is away: {fault}"):
                assert await asyncio.to_thread(service.stop) == 0
            assert await browser.closed() == 1012
    assert "Traceback" not in service.output()


def send_until_it_ends(service: Gateway, number: int) -> int:
    """Send a signal again and again, until the service has ended; return its exit status."""
    process = service.process
    assert process is not None
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        process.send_signal(number)
        time.sleep(0.001)
    return service.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_further_signals_change_nothing_about_the_stop(
    nats_server: NatsServer, log: Path, number: int
) -> None:
    service = Gateway(nats_server.url, log=log)
    service.start()
    async with Browser(service.stream) as browser:
        await browser.subscribe("a")
        assert await asyncio.to_thread(send_until_it_ends, service, number) == 0
        assert await browser.closed() == 1012
    assert await eventually(lambda: nats_server.subscriptions() == [])
    assert "Traceback" not in service.output()
    assert "Exception" not in service.output()


async def test_a_gateway_that_is_killed_leaves_nothing_and_can_start_again(
    nats_server: NatsServer, raw_nats: RawNats, log: Path
) -> None:
    service = Gateway(nats_server.url, log=log)
    with running(service):
        async with Browser(service.stream) as browser:
            await browser.subscribe("a")
            with within(1, "killed gateway: noticed by its browsers"):
                assert service.stop(signal.SIGKILL) == -signal.SIGKILL
                assert await browser.closed() == 1006
        assert await eventually(lambda: nats_server.subscriptions() == [])
        service.start()
        async with Browser(service.stream) as browser:
            await browser.subscribe("a")
            raw_nats.publish("a", b"1")
            assert (await browser.next())["data"] == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_stopping_delivers_what_is_pending_then_closes_with_1012(
    nats_server: NatsServer, raw_nats: RawNats, log: Path, number: int
) -> None:
    service = Gateway(nats_server.url, log=log, max_pending_bytes=100_000_000)
    service.start()
    async with Browser(service.stream) as browser, Browser(service.stream) as idle:
        await browser.subscribe("until.the.end")
        browser.ws.transport.pause_reading()
        payload = b'"' + b"x" * 10000 + b'"'
        raw_nats.send(RawNats.command(b"until.the.end", payload) * 1000)
        await eventually(lambda: service.figures()["bridge_messages_received_total"] == 1000)
        stopping = asyncio.create_task(asyncio.to_thread(service.stop, number))
        await eventually(lambda: "stopping" in service.output())
        browser.ws.transport.resume_reading()
        for _ in range(1000):
            assert (await browser.next())["data"] == "x" * 10000
        assert await browser.closed() == 1012
        assert await idle.closed() == 1012
        assert await stopping == 0
    assert await eventually(lambda: nats_server.subscriptions() == [])
    assert "Traceback" not in service.output()


async def test_stopping_does_not_wait_for_stalled_browsers(
    nats_server: NatsServer, raw_nats: RawNats, log: Path
) -> None:
    service = Gateway(nats_server.url, log=log, max_pending_bytes=100_000_000, write_timeout=60)
    service.start()
    async with Browser(service.stream) as healthy, Browser(service.stream) as stalled:
        await healthy.subscribe("a")
        await stalled.subscribe("b")
        stalled.ws.transport.pause_reading()
        raw_nats.send(RawNats.command(b"b", b"x" * 1_000_000) * 30)
        kept_alive = KeptAlive(service)
        stop = asyncio.create_task(asyncio.to_thread(service.stop))
        await eventually(lambda: "stopping" in service.output())
        assert kept_alive.get("/readyz") == (503, '{"status": "stopping"}')
        kept_alive.close()
        with within(STOPPED, "stop with a stalled browser"):
            assert await stop == 0
        assert await healthy.closed() == 1012
        stalled.kill()
