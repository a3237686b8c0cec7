"""Which replicas there are, by what they say."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from bridge.replicas import presence
from bridge.replicas.presence import Presence
from bridge.wire.codes import NotReady


class App:
    """A Panini app; `said` is what was published."""

    def __init__(self) -> None:
        self.trouble: NotReady | None = None
        self.background: list[Any] = []
        self.on_stop: list[Any] = []
        self.on_nats_change: list[Any] = []
        self.said: list[dict[str, Any]] = []
        self.listener: Any = None
        self.nats_client = self

    def listen(self, subject: str, data_type: type) -> Any:
        def take(function: Any) -> None:
            self.listener = function

        return take

    async def publish(self, subject: str, payload: bytes) -> None:
        self.said.append(msgspec.json.decode(payload))

    async def hears(self, replica: str, *, gone: bool = False) -> None:
        data = msgspec.json.encode({"replica": replica, "gone": gone})
        await self.listener(SimpleNamespace(data=data))


async def test_a_new_one_is_greeted_once_and_gone_once_it_says_so() -> None:
    app = App()
    here = Presence(app)
    for _ in range(3):
        await app.hears("other")
    assert app.said == [{"replica": here.name, "gone": False}]
    assert here.others == {"other"}
    await app.hears("other", gone=True)
    assert not here.is_there("other")
    assert not here.others


async def test_one_that_says_nothing_any_more_counts_as_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr(presence, "_now", lambda: now)
    app = App()
    here = Presence(app)
    await app.hears("other")
    now = presence.FORGOTTEN_SECONDS - 1
    assert here.is_there("other")
    now += 1
    assert not here.is_there("other")


@pytest.mark.parametrize("said", [b"", b"[]", b'{"replica": 5}', b"\xff", b"[" * 2000])
async def test_nonsense_is_passed_over(said: bytes) -> None:
    app = App()
    here = Presence(app)
    await app.listener(SimpleNamespace(data=said))
    assert not here.others


async def test_it_says_hello_while_nats_is_there_and_goodbye_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(presence, "HELLO_SECONDS", 0.01)
    app = App()
    here = Presence(app)
    app.trouble = NotReady.NATS_DOWN
    (run,), (leave,) = app.background, app.on_stop
    task = asyncio.create_task(run())
    await asyncio.sleep(0.03)
    assert app.said == []
    app.trouble = None
    async with asyncio.timeout(5):
        while len(app.said) < 2:
            await app.hears(here.name)
            await asyncio.sleep(0.01)
    task.cancel()
    app.trouble = NotReady.STOPPING
    await leave()
    assert app.said[-1] == {"replica": here.name, "gone": True}
    assert {"replica": here.name, "gone": False} in app.said


async def test_who_may_not_say_hello_tries_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    def timeout(seconds: float) -> Any:
        waits.append(seconds)
        return asyncio.Timeout(asyncio.get_running_loop().time())

    app = App()
    Presence(app)
    monkeypatch.setattr(presence.asyncio, "timeout", timeout)
    task = asyncio.create_task(app.background[0]())
    while len(waits) < 8:
        await asyncio.sleep(0)
    task.cancel()
    assert waits[:3] == [presence.HELLO_SECONDS] * 3
    assert waits[-1] == presence.RARE_HELLO_SECONDS


async def test_it_says_hello_at_once_when_nats_is_there() -> None:
    app = App()
    app.trouble = NotReady.NATS_DOWN
    Presence(app)
    task = asyncio.create_task(app.background[0]())
    await asyncio.sleep(0.01)
    app.trouble = None
    for listener in app.on_nats_change:
        listener(True)
    await asyncio.sleep(0.01)
    assert len(app.said) == 1
    task.cancel()


async def test_one_that_is_heard_again_goes_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "HELLO_SECONDS", 0.01)
    monkeypatch.setattr(presence, "FORGOTTEN_SECONDS", 0.04)
    app = App()
    here = Presence(app)
    task = asyncio.create_task(app.background[0]())
    async with asyncio.timeout(5):
        while not here._is_unheard:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        said = len(app.said)
        await app.hears(here.name)
        while len(app.said) == said:
            await asyncio.sleep(0.01)
    task.cancel()


async def test_one_that_stops_greets_nobody_any_more() -> None:
    app = App()
    Presence(app)
    app.trouble = NotReady.STOPPING
    await app.hears("new")
    assert app.said == []
