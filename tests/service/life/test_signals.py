"""What each signal means; none of them ends a service that is not to stop."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.service.life.test_terminal import Terminal
from tests.support.browser_client import Browser
from tests.support.servers import Gateway, NatsServer, running, until


def logged(service: Gateway, name: str) -> list[dict[str, Any]]:
    """Return what was logged of an event; a dump of stacks is no JSON, whatever the log is."""
    lines = [json.loads(line) for line in service.output().splitlines() if line.startswith("{")]
    return [each for each in lines if each["event"] == name]


@pytest.fixture(params=[1, 2])
def service(
    request: pytest.FixtureRequest, nats_server: NatsServer, log: Path
) -> Iterator[Gateway]:
    """A service of one process and of two workers; without TLS."""
    with running(
        Gateway(nats_server.url, log=log, log_format="json", cold=True, workers=request.param)
    ) as service:
        yield service


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGQUIT])
async def test_these_stop_it_in_an_orderly_way(service: Gateway, number: int) -> None:
    async with Browser(service.stream) as browser:
        await browser.subscribe_at_last("a")
        status = await asyncio.to_thread(service.stop, number)
        assert await browser.closed() == 1012
    assert status == 0
    assert logged(service, "stopped")


async def test_these_leave_it_as_it_is_and_say_something(service: Gateway) -> None:
    async with Browser(service.stream) as browser:
        await browser.subscribe("a", "b")
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            service.ps().send_signal(number)
        until(lambda: logged(service, "nothing_to_reread"))
        lines = until(lambda: [each for each in logged(service, "status") if each["connections"]])
        assert {name: lines[0][name] for name in ("connections", "patterns", "nats")} == {
            "connections": 1,
            "patterns": 2,
            "nats": "ok",
        }
        until(lambda: "Current thread" in service.output())
        await browser.quiet()


def test_a_closed_terminal_stops_it(nats_server: NatsServer) -> None:
    terminal = Terminal()
    service = Gateway(nats_server.url, log=terminal.path, cold=True)
    service.start()
    process, service.process = service.process, None
    assert process is not None
    process.send_signal(signal.SIGHUP)
    until(lambda: "there is no certificate" in terminal.text)
    terminal.close()
    process.send_signal(signal.SIGHUP)
    assert process.wait(20) == 0


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2])
def test_a_signal_while_it_starts_does_not_end_it(
    nats_server: NatsServer, log: Path, number: int
) -> None:
    service = Gateway(nats_server.url, log=log, cold=True)
    service.launch()
    try:
        assert service.process is not None
        status = Path(f"/proc/{service.process.pid}/status")
        until(lambda: _caught(status.read_text()) & 1 << number - 1)
        while not service.output():
            assert service.process.poll() is None, "it has ended"
            os.kill(service.process.pid, number)
            time.sleep(0.01)
        until(lambda: "NATS  " in service.output())
    finally:
        assert service.stop() == 0


def _caught(status: str) -> int:
    (line,) = (each for each in status.splitlines() if each.startswith("SigCgt:"))
    return int(line.split()[1], 16)


def test_it_starts_where_standard_error_is_closed(nats_server: NatsServer, log: Path) -> None:
    service = Gateway(nats_server.url, log=log, cold=True)
    service._arguments = ["sh", "-c", 'exec "$@" 2>&-', "sh", *service._arguments]
    with running(service):
        assert service.stop() == 0
