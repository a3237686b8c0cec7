"""Streams that are deleted, or silent, while somebody begins to follow them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.history.errors import UnansweredError
from bridge.wire.wants import PLAIN
from bridge.wire.wishes import New, Past
from tests.unit.audiences.world import Streams
from tests.unit.fanout.world import Follower


@pytest.fixture
def world() -> Iterator[Streams]:
    world = Streams()
    yield world
    world.end()


def test_its_end_is_told_after_the_response_that_it_is_followed(world: Streams) -> None:
    member = Follower()
    world.history.keeper.is_gone = True
    told: list[list[bytes]] = []

    async def follow() -> None:
        found = await world.streams.follow(member, ["a.b"], PLAIN, Past(New()))
        for each in found.begun:
            each.start()
        told.append(list(member.told))  # here the response is sent

    world.run(follow()).result()
    world.loop.settle()
    assert told == [[]]
    assert b"stream_gone" in member.told[0]
    assert world.streams.patterns(member) == []


def test_streams_that_are_silent_are_waited_for_at_once(
    world: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    all_are = asyncio.Event()

    async def stream_of(pattern: str, named: str | None, asker: object) -> Any:
        return SimpleNamespace(name=pattern)

    async def silent(patterns: list[str], *asked: Any) -> Any:
        opened.extend(patterns)
        if len(opened) == 3:
            all_are.set()
        await all_are.wait()
        raise UnansweredError("no answer")

    monkeypatch.setattr(world.history, "stream_of", stream_of)
    monkeypatch.setattr(world.history, "open", silent)
    asking = world.streams.follow(Follower(), ["a", "b", "c"], PLAIN, Past(New()))
    found = world.run(asking).result()
    assert {each: refusal.code for each, refusal in found.refused.items()} == dict.fromkeys(
        ["a", "b", "c"], "nats_down"
    )
