"""Patterns that a NATS server hangs up on cost few connections, and nobody else anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from nats import errors

from bridge.nats_link import suspects
from tests.support.browser_client import Browser
from tests.support.linked import Tap, follows, linked
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, eventually, running


@pytest.fixture
def start(tmp_path: Path) -> Any:
    """Return what starts a server of one's own."""
    return lambda config="": running(NatsServer(tmp_path, config))


async def test_what_has_become_too_long_is_refused_and_everything_else_comes_back(
    start: Any,
) -> None:
    with start() as server:
        async with linked(server.url) as link:
            long = [Tap("x" * size) for size in (252, 255, 254)]
            asked = [Tap(f"p.{number}") for number in range(250)]
            await link.subscribe_all([*asked[:120], *long, *asked[120:]])
            server.stop()
            server.configure("max_control_line: 256\n")
            await asyncio.to_thread(server.start)
            await eventually(lambda: long[1].refused and long[2].refused)
            await eventually(lambda: link.is_connected)
            await link.restored()
            assert len(follows(server)) == 251
            assert [tap.refused for tap in long] == [[], ["denied"], ["denied"]]
            assert not any(tap.refused for tap in asked)
            assert server.connections_so_far() < 8


async def test_one_request_that_nats_hangs_up_on_costs_everybody_one_outage(
    start: Any, tmp_path: Path
) -> None:
    with start("max_control_line: 256\n") as server:
        log = tmp_path / "gateway.log"
        with running(Gateway(server.url, log=log)) as service:
            async with Browser(service.stream) as bystander, Browser(service.stream) as browser:
                await bystander.subscribe("prices")
                await browser.send({"subjects": ["x" * 255, "fine"]})
                assert (await bystander.next())["status"] == "nats_down"
                assert (await bystander.next())["status"] == "nats_up"
                with RawNats(server.port) as raw:
                    await eventually(lambda: "fine" in server.subscriptions())
                    raw.publish("prices", b"1")
                    raw.publish("fine", b"2")
                assert (await bystander.next())["data"] == 1
                answers = []
                while {"subject": "fine", "data": 2} not in answers:
                    answers.append(await browser.next())
            final = [each for each in answers if each.get("code") == "denied"]
            assert [each["subjects"] for each in final] == [["x" * 255]]
            assert "refused for ten minutes" in service.output()
            assert service.figures()["bridge_nats_reconnects_total"] == 1


class HangsUp:
    """A NATS server of a few lines that ends a connection on which `killer` is asked for."""

    def __init__(self) -> None:
        self.connections = 0
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        writer.write(b'INFO {"max_payload":1048576}\r\n')
        while line := await reader.readline():
            if line.startswith(b"PING"):
                writer.write(b"PONG\r\n")
            if b" killer " in line:
                break
        writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[HangsUp]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield self
        server.close()


async def test_what_a_server_hangs_up_on_without_a_word_is_refused_in_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(suspects, "WAIT_SECONDS", (0.0, 0.01, 0.05))
    killer, other = Tap("killer"), Tap("other")
    async with HangsUp().running() as server, linked(server.url) as link, asyncio.timeout(20):
        while killer.refused != ["denied"]:
            killer.refused.clear()
            try:
                await link.subscribe_all([other, killer])
            except (errors.Error, OSError, TimeoutError):
                await eventually(lambda: link.is_connected)
            else:
                await asyncio.sleep(0.01)
        assert other.refused == []
        assert server.connections == 5, "once together, and three times alone"
        assert "killer is refused for ten minutes" in caplog.text
        await link.round_trip()
