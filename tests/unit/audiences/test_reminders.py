"""Connections that got nothing for long are told how far they are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.audiences import stages
from bridge.history.stored import Stored
from tests.unit.audiences.world import Streams
from tests.unit.fanout.world import Follower


class Member(Follower):
    """Notes messages and notices in the order in which they come."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Any] = []

    def deliver(self, pieces: list[bytes], joined: bytes) -> None:
        self.heard += [json.loads(piece[2:])["seq"] for piece in pieces]

    def respond(self, line: bytes) -> None:
        told = json.loads(line)
        self.heard.append((told["status"], told["seq"]))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(stages, "REMINDED_AT_ONCE", 2)
    made = Streams()
    yield made
    made.end()


def test_they_are_told_a_few_at_a_time_and_never_more_than_they_have(world: Streams) -> None:
    members = [Member() for _ in range(5)]
    for each in members:
        world.follow_stored(each, "a")
        each.heard.clear()
    world.store("b", b"1")
    looking = world.run(world.streams.stages.look())
    told = [("live", 1)]
    assert [each.heard for each in members] == [told, told, [], [], []]
    # A message that is not written yet.
    world.call(world.tail.deliver, [Stored(2, "a", b"1", b"", b"0")])
    world.pass_time(stages.REMINDER_PAUSE_SECONDS)
    assert members[2].heard == members[3].heard == [2]
    world.store("b", b"1")
    world.pass_time(stages.REMINDER_PAUSE_SECONDS)
    world.pass_time(stages.REMINDER_PAUSE_SECONDS)
    assert looking.result()
    assert members[4].heard == [2, ("live", 3)]
