"""A stream that is deleted while somebody begins to follow it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

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
