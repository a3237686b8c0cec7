"""Plain patterns and streams that bring the same messages to one connection: each comes once."""

from __future__ import annotations

import heapq
import itertools
import random
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from bridge.audiences import beside
from bridge.audiences.beside import EARLY_SECONDS, SETTLE_SECONDS
from tests.unit.audiences.world import Streams
from tests.unit.fanout.world import Follower


@pytest.fixture
def world() -> Iterator[Streams]:
    world = Streams()
    yield world
    world.end()


def numbers(member: Follower) -> list[int]:
    """Return the payloads that a member has got."""
    return [int(each) for each in re.findall(rb'"data":(\d+)}', member.got)]


def copy(world: Streams, number: int) -> None:
    """Have NATS bring its copy of a message."""
    message = world.server.publish("a.b", b"%d" % number)
    while message.waiting:
        world.server.queue_copy(message)
    world.gateway_reads(100)


def store(world: Streams, number: int) -> None:
    """Have the tail bring it."""
    world.store("a.b", b"%d" % number)


def wait(world: Streams, task: Any) -> None:
    for _ in range(10):
        world.pass_time()
        world.hub.flush()
    task.result()


def test_what_was_under_way_when_a_stream_took_over_comes_once(world: Streams) -> None:
    member = Follower()
    world.follow(member, "a.>")
    copy(world, 1)
    task = world.follow_stored(member, "a.b")
    store(world, 1)  # came by NATS before
    copy(world, 2)
    store(world, 2)
    world.pass_time()
    copy(world, 3)
    wait(world, task)
    store(world, 3)  # came by NATS while it settled
    wait(world, task)
    copy(world, 4)
    store(world, 4)
    world.hub.flush()
    assert numbers(member) == [1, 2, 3, 4]
    assert b'"seq":4' in member.pieces[-1]


def test_what_was_under_way_when_a_stream_was_left_comes_once(world: Streams) -> None:
    member = Follower()
    world.follow(member, "a.>")
    wait(world, world.follow_stored(member, "a.b"))
    copy(world, 1)
    task = world.leave_stored(member, "a.b")
    store(world, 1)
    copy(world, 2)
    store(world, 2)
    world.pass_time(1.01 * EARLY_SECONDS)
    world.pass_time(1.01 * SETTLE_SECONDS)
    copy(world, 3)
    wait(world, task)
    store(world, 3)  # nobody listens any more
    copy(world, 4)
    world.hub.flush()
    assert numbers(member) == [1, 2, 3, 4]
    assert b"seq" not in b"".join(member.pieces[-2:])


def test_a_stream_may_be_first(world: Streams) -> None:
    member = Follower()
    world.follow(member, "a.>")
    wait(world, world.follow_stored(member, "a.b"))
    task = world.leave_stored(member, "a.b")
    world.pass_time(1.01 * EARLY_SECONDS)
    store(world, 1)
    copy(world, 1)
    wait(world, task)
    assert numbers(member) == [1]


def test_what_a_stream_has_yet_to_hand_on_is_not_lost_when_it_is_left(world: Streams) -> None:
    member = Follower()
    world.follow(member, "a.>")
    wait(world, world.follow_stored(member, "a.b"))
    member.is_full = True
    copy(world, 1)
    store(world, 1)
    world.hub.flush()
    task = world.leave_stored(member, "a.b")
    for _ in range(20):
        world.pass_time()
    assert not task.done()
    member.is_full = False
    wait(world, task)
    assert numbers(member) == [1]


def test_a_copy_that_is_never_stored_does_not_hold_up_what_is(world: Streams) -> None:
    member = Follower()
    world.follow(member, "a.>")
    task = world.follow_stored(member, "a.b")
    world.pass_time(1.01 * EARLY_SECONDS)
    copy(world, 1)
    wait(world, task)
    assert b'"live"' not in b"".join(member.told)
    for _ in range(30):
        world.pass_time(0.1)
    assert b'"live"' in b"".join(member.told)
    store(world, 2)
    world.hub.flush()
    assert numbers(member) == [1, 2]


MESSAGES = 300


def events(chance: random.Random) -> list[tuple[float, str, int]]:
    """Return what happens: messages that come by both ways, and a pattern that comes and goes."""
    found = []
    at = 0.0
    for number in range(MESSAGES):
        at += chance.expovariate(80)
        late = chance.uniform(-0.9 * EARLY_SECONDS, 0.9 * SETTLE_SECONDS)
        found += [(at, "copy", number), (max(at + late, 0), "store", number)]
    for at in itertools.accumulate(chance.uniform(0.05, 0.9) for _ in range(8)):
        found.append((at, "change", 0))
    return found


@pytest.mark.parametrize("seed", range(10))
def test_each_message_comes_once_whatever_happens_when(seed: int) -> None:
    chance = random.Random(seed)
    world, member = Streams(), Follower()
    world.follow(member, "a.>")
    follows, task = False, None
    due = events(chance)
    heapq.heapify(due)
    begin = world.loop.now
    while due:
        at, what, number = heapq.heappop(due)
        while world.loop.now < begin + at:  # in steps, so that timers are not late
            world.pass_time(min(0.005, begin + at - world.loop.now))
        if what == "copy":
            copy(world, number)
        elif what == "store":
            store(world, number)
        elif task is None or task.done():
            follows = not follows
            go = world.follow_stored if follows else world.leave_stored
            task = go(member, "a.b")
    for _ in range(100):
        world.pass_time(0.1)
        world.hub.flush()
    assert task is not None
    task.result()
    counts = Counter(numbers(member))
    world.end()
    assert b"seq" in member.got
    assert {each: counts[each] for each in range(MESSAGES) if counts[each] != 1} == {}


def test_what_lies_within_another_plain_pattern_is_not_asked(world: Streams) -> None:
    member = Follower()
    world.follow(member, "a.>", "a.b", "a.*", "c")
    found = beside.plain_beside(member, ["a.b", "d"])  # type: ignore[arg-type]
    assert found == ["a.>"]
