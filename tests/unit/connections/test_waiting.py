"""When what waits for NATS is taken up."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Iterable
from typing import Any

import pytest

from bridge.connections import waiting
from bridge.connections.waiting import Asked, How, Outcome, Waiting
from bridge.wire.responses import Refusal
from bridge.wire.wants import PLAIN, Wants

ASKED = Asked(How(PLAIN), b"")


class Nats:
    """Is there or not, and counts who asks."""

    def __init__(self) -> None:
        self.up = False
        self.asked = 0
        self.followed: list[str] = []

    def is_up(self) -> bool:
        self.asked += 1
        return self.up

    async def follow(self, connection: Any, patterns: Iterable[str], how: How) -> Outcome:
        self.followed += patterns
        return Outcome([], {})

    async def refuse(self, connection: Any, patterns: Iterable[str], how: How) -> Outcome:
        """Have them wait on."""
        self.followed += patterns
        return Outcome([], {each: Refusal("nats_down", "", [each]) for each in patterns})


class Connection:
    """As much of a connection as is needed here."""

    def __init__(self) -> None:
        self.changes = asyncio.Lock()

    def respond(self, line: bytes) -> None:
        """Take an acknowledgement."""


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "RETRY_SECONDS", 0.001)


async def test_in_an_outage_nobody_is_asked_until_it_is_over() -> None:
    nats = Nats()
    it: Any = Waiting(nats.follow, nats.is_up)
    it.nats_changed(False)
    it.add(Connection(), "a", ASKED)
    await asyncio.sleep(0.05)
    assert nats.asked == 0
    nats.up = True
    it.nats_changed(True)
    async with asyncio.timeout(5):
        while nats.followed != ["a"]:
            await asyncio.sleep(0)


async def test_without_an_outage_what_was_not_answered_in_time_is_tried_again() -> None:
    nats = Nats()
    it: Any = Waiting(nats.follow, nats.is_up)
    it.add(Connection(), "a", ASKED)
    async with asyncio.timeout(5):
        while not nats.asked:
            await asyncio.sleep(0)
        nats.up = True
        while nats.followed != ["a"]:
            await asyncio.sleep(0)
    it.stop()
    it.stop()


async def test_one_that_is_busy_holds_up_nobody_else() -> None:
    nats = Nats()
    it: Any = Waiting(nats.follow, nats.is_up)
    busy, idle = Connection(), Connection()
    async with busy.changes:
        it.add(busy, "busy", ASKED)
        it.add(idle, "idle", ASKED)
        nats.up = True
        async with asyncio.timeout(5):
            while nats.followed != ["idle"]:
                await asyncio.sleep(0)
    async with asyncio.timeout(5):
        while nats.followed != ["idle", "busy"]:
            await asyncio.sleep(0)


async def test_after_the_stop_nothing_is_taken_up_any_more() -> None:
    nats = Nats()
    nats.up = True
    it: Any = Waiting(nats.follow, nats.is_up)
    it.stop()
    it.add(Connection(), "a", ASKED)
    await asyncio.sleep(0.01)
    assert nats.asked == 0


async def test_each_pattern_is_taken_up_as_it_is_wanted() -> None:
    asked: list[tuple[list[str], How]] = []

    async def follow(_: Any, patterns: Iterable[str], how: How) -> Outcome:
        asked.append((list(patterns), how))
        return Outcome([], {})

    it: Any = Waiting(follow, lambda: True)
    headers, connection = How(Wants(("headers",))), Connection()
    it.add(connection, "a", Asked(headers, b"1"))
    it.add(connection, "b", ASKED)
    it.add(connection, "c", Asked(headers, b"2"))
    async with asyncio.timeout(5):
        while len(asked) < 2:
            await asyncio.sleep(0)
    assert asked == [(["a", "c"], headers), (["b"], How(PLAIN))]


async def test_one_that_has_left_is_not_held_while_another_waits() -> None:
    nats = Nats()
    nats.up = True
    it: Any = Waiting(nats.refuse, nats.is_up)
    left, waits = Connection(), Connection()
    held = weakref.ref(left)
    it.add(left, "a", ASKED)
    it.add(waits, "b", ASKED)
    async with asyncio.timeout(5):
        while len(nats.followed) < 4:
            await asyncio.sleep(0)
        it.nats_changed(False)
        it.forget(left)
        del left
        while held() is not None:
            await asyncio.sleep(0)
    it.stop()
