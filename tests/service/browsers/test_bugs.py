"""A bug of ours ends one connection and nothing else."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handler import WSSManager
from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, running


async def test_a_bug_closes_its_connection_with_1011_and_others_go_on(
    nats_server: NatsServer, raw_nats: RawNats, log: Path
) -> None:
    service = Gateway(nats_server.url, program="tests/programs/with_a_bug.py", log=log)
    with running(service):
        async with Browser(service.stream) as bystander, Browser(service.stream) as browser:
            await bystander.subscribe("fine")
            await browser.subscribe("fine")
            await browser.send({"subjects": ["bug"]})
            assert await browser.closed() == 1011
            assert browser.ws.close_reason == "internal error"
            raw_nats.publish("fine", b"1")
            assert (await bystander.next())["data"] == 1
    assert "RuntimeError: planted" in service.output()


async def test_a_browser_that_left_before_the_listener_began_is_no_error() -> None:
    manager = WSSManager(SimpleNamespace(nats=None))
    ws: Any = SimpleNamespace(_req=None)
    assert await manager.client_listener(ws, "id") is ws
    assert manager.connections == {}


async def test_a_connection_id_serves_one_connection_at_a_time() -> None:
    manager = WSSManager(SimpleNamespace(nats=None))
    manager.connections["taken"] = SimpleNamespace()  # type: ignore[assignment]
    with pytest.raises(ValueError, match="taken is in use"):
        await manager.client_listener(SimpleNamespace(), "taken")  # type: ignore[arg-type]
