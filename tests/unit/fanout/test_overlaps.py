"""Patterns of one member that overlap: one case after the other. Any case: `test_model.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from bridge.access.policy import SubjectPolicy
from bridge.fanout.crossings import SETTLE_SECONDS
from bridge.wire.framing import BATCH, FRAMES
from tests.unit.fanout.world import Follower, Published, World


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.end()


def settle(world: World) -> None:
    """Let all that is under way settle."""
    for _ in range(6):
        world.pass_time()
        world.server_reads(100)
        world.gateway_reads(100)


def come(world: World, message: Published, *patterns: str) -> None:
    """Deliver copies of a message, those by `patterns`, in this order; all if none is named."""
    by_pattern = {world.server.subscriptions[sid].pattern: sid for sid in message.waiting}
    for pattern in patterns or tuple(by_pattern):
        message.waiting.remove(by_pattern[pattern])
        message.waiting.appendleft(by_pattern[pattern])
        world.server.queue_copy(message)
    world.gateway_reads(100)


def numbers(member: Follower) -> list[int]:
    """Return the payloads that a member has got."""
    return [int(each) for each in re.findall(rb'"data":(\d+)}', member.got)]


def test_the_order_is_that_of_the_widest_pattern(world: World) -> None:
    member = Follower()
    world.follow(member, "load.a", "load.>")
    first, second = world.server.publish("load.a", b"1"), world.server.publish("load.b", b"2")
    come(world, first, "load.>")
    come(world, second)
    come(world, first)
    world.hub.flush()
    assert numbers(member) == [1, 2]


@pytest.mark.parametrize("copies", [("load.*", "load.a"), ("load.a", "load.*")])
@pytest.mark.parametrize("leaves", ["load.*", "load.a"])
@pytest.mark.parametrize("payloads", [(b"1", b"1"), (b"1", b"2")], ids=["alike", "different"])
def test_leaving_one_between_two_copies_costs_and_repeats_no_message(
    world: World, copies: tuple[str, str], leaves: str, payloads: tuple[bytes, bytes]
) -> None:
    member, other = Follower(), Follower("other")
    world.follow(member, "load.*", "load.a")
    world.follow(other, "load.*", "load.a")
    settle(world)
    come(world, world.server.publish("load.a", payloads[0]), *copies)
    message = world.server.publish("load.a", payloads[1])
    come(world, message, copies[0])
    world.unfollow(member, leaves)
    come(world, message)
    come(world, world.server.publish("load.a", payloads[0]))
    settle(world)
    world.hub.flush()
    assert numbers(member) == [int(payloads[n]) for n in (0, 1, 0)]


def test_leaving_where_the_copies_of_two_publishers_are_mixed(world: World) -> None:
    member, other = Follower(), Follower("other")
    for each in (member, other):
        world.follow(each, "load.*", "load.a")
    settle(world)
    one, two = world.server.publish("load.a", b"1"), world.server.publish("load.a", b"2")
    come(world, one, "load.*")
    come(world, two, "load.*", "load.a")
    world.unfollow(member, "load.*")
    come(world, one)
    settle(world)
    world.hub.flush()
    assert sorted(numbers(member)) == [1, 2]
    assert numbers(other) == [1, 2]


@pytest.mark.parametrize("kind", ["frames", "batch", "callback"])
@pytest.mark.parametrize("ends_before", ["its own copy", "the other copy", "the next message"])
def test_a_permission_taken_away_between_two_copies_costs_and_repeats_no_message(
    world: World, ends_before: str, kind: str
) -> None:
    member, other = Follower(), Follower("other")
    if kind == "callback":
        member.callback = lambda message: member.pieces.append(FRAMES.piece(message))
    member.framing = other.framing = BATCH if kind == "batch" else FRAMES
    world.follow(member, "a.>", "a.b")
    world.follow(other, "a.b")
    settle(world)
    both = ("a.b", "a.>") if ends_before == "its own copy" else ("a.>", "a.b")
    come(world, world.server.publish("a.b", b"1"), *both)
    message = world.server.publish("a.b", b"2")
    come(world, message, *(both if ends_before == "the next message" else both[:1]))
    world.server.revoke(1)
    world.gateway_reads()
    if "a.b" in (both[1:] if ends_before != "the next message" else ()):
        come(world, message, "a.b")
    come(world, world.server.publish("a.b", b"3"))
    come(world, world.server.publish("a.b", b"2"))
    world.hub.flush()
    assert numbers(member) == numbers(other) == [1, 2, 3, 2]
    assert len(member.told) == 1
    settle(world)
    (group,) = world.hub._feeds["a.b"].groups.values() if kind == "frames" else (None,)
    assert group is None or [*group.members] == [other, member], "as if it had been alone always"
    counters = world.hub.counters
    assert counters.expected == 8 + counters.filtered


def test_a_pattern_that_was_just_asked_for_does_not_bring_what_another_brings(
    world: World,
) -> None:
    member = Follower()
    world.follow(member, "a.b")
    message = world.server.publish("a.b", b"1")  # matched before there is a.*
    task = world.run(world.hub.follow(member, ["a.*"]))
    world.server_reads(2)
    world.gateway_reads()
    assert task.result() == {}
    come(world, message)
    come(world, world.server.publish("a.b", b"2"))
    come(world, world.server.publish("a.c", b"3"))
    settle(world)
    come(world, world.server.publish("a.b", b"4"))
    world.hub.flush()
    assert numbers(member) == [1, 2, 3, 4]
    route = world.hub._memberships[member]._route
    assert route is not None
    assert route.order == ["a.*", "a.b"]


def test_what_is_left_before_it_has_settled_lingers_and_then_goes(world: World) -> None:
    member = Follower()
    world.follow(member, "a.*")
    settle(world)
    for _ in range(20):
        world.follow(member, "a.b")
        world.unfollow(member, "a.*")
        come(world, world.server.publish("a.b", b"1"))
        come(world, world.server.publish("a.c", b"9"))
        world.follow(member, "a.*")
        world.unfollow(member, "a.b")
        come(world, world.server.publish("a.b", b"2"))
    assert len(world.hub._feeds) <= 2
    world.unfollow(member, "a.*")
    settle(world)
    world.hub.flush()
    assert numbers(member) == [1, 2] * 20
    assert not world.hub._feeds
    assert not world.server.subscriptions


def test_while_a_lost_pattern_lingers_nothing_denied_is_delivered(world: World) -> None:
    member = Follower()
    world.follow(member, "a.*", "a.b")
    come(world, world.server.publish("a.secret", b"1"))
    assert world.call(world.hub.change_policy, member, SubjectPolicy(["a.b"])) == ("a.*",)
    assert "a.*" in world.hub._feeds, "it is still what brings a.b"
    come(world, world.server.publish("a.secret", b"2"))
    come(world, world.server.publish("a.b", b"3"))
    settle(world)
    come(world, world.server.publish("a.b", b"4"))
    world.hub.flush()
    assert numbers(member) == [1, 3, 4]
    assert [*world.hub._feeds] == ["a.b"]


def test_what_is_denied_is_not_made_up_for(world: World) -> None:
    member = Follower("0", SubjectPolicy(deny=["a.b"]))
    world.follow(member, "a.>", "a.*")
    settle(world)
    come(world, world.server.publish("a.b", b"1"), "a.*")
    world.server.revoke(1)
    world.gateway_reads()
    world.hub.flush()
    assert numbers(member) == []


def test_after_an_outage_nothing_is_waited_for_that_was_before(world: World) -> None:
    member = Follower()
    world.follow(member, "a.*", "a.b")
    settle(world)
    come(world, world.server.publish("a.b", b"1"), "a.b")
    assert len(world.hub.crossings.copies) == 1
    for up in (False, True):
        world.call(lambda: world.hub.nats_changed(up=up))  # noqa: B023
    assert len(world.hub.crossings.copies) == 0
    come(world, world.server.publish("a.b", b"2"))
    settle(world)
    world.hub.flush()
    assert numbers(member) == [2]


def test_time_alone_settles_nothing(world: World) -> None:
    member = Follower()
    world.follow(member, "a.*", "a.b")
    for _ in range(10):
        world.pass_time(10 * SETTLE_SECONDS)  # the network stands still
    route = world.hub._memberships[member]._route
    assert route is not None
    assert not route.is_steady
    settle(world)
    assert route.is_steady


def test_members_with_the_same_patterns_are_in_the_same_groups(world: World) -> None:
    members = [Follower(str(n)) for n in range(10)]
    for member in members:
        world.follow(member, "load.>", "load.a", f"own.{member.id}")
    settle(world)
    for pattern in ("load.>", "load.a"):
        (group,) = world.hub._feeds[pattern].groups.values()
        assert [*group.members] == members


def test_copies_under_way_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.fanout.copies.MAX_COPIES", 10)
    member = Follower()
    world.follow(member, "a.*", "a.b")
    for number in range(100):
        come(world, world.server.publish("a.b", b"%d" % number), "a.*")
    world.hub.flush()
    assert len(world.hub.crossings.copies) == 10
    assert numbers(member) == [*range(100)]
