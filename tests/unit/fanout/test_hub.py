"""Who is in which group, and what coming and going costs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bridge.access.policy import SubjectPolicy
from bridge.fanout import hub as hub_module
from bridge.fanout import lanes
from tests.unit.fanout.world import Follower, World


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.end()


def publish(world: World, subject: str, payload: bytes = b"1") -> None:
    """Publish a message and deliver it."""
    message = world.server.publish(subject, payload)
    while message.waiting:
        world.server.queue_copy(message)
    world.gateway_reads(100)
    world.hub.flush()


def test_all_subscriptions_of_a_request_come_before_one_ping(world: World) -> None:
    member = Follower()
    task = world.run(world.hub.follow(member, [f"a.{n}" for n in range(128)]))
    assert len(world.server.commands) == 129
    world.server_reads(129)
    assert not task.done()
    world.gateway_reads()
    assert task.result() == {}
    assert len(member.follows) == len(world.hub.ssid_map) == 128


def test_two_who_ask_at_the_same_time_share_a_subscription(world: World) -> None:
    members = [Follower(str(n)) for n in range(2)]
    tasks = [world.run(world.hub.follow(member, ["a"])) for member in members]
    assert len(world.server.commands) == 2, "one SUB, one PING"
    world.server_reads(2)
    world.gateway_reads()
    assert [task.result() for task in tasks] == [{}, {}]
    assert [*world.hub.ssid_map.values()] == [
        {member.id: member.deliver_message for member in members}
    ]
    for member in members:
        world.unfollow(member, "a")
    world.server_reads(1)
    assert not world.server.subscriptions


def test_what_nats_does_not_allow_leaves_no_trace(world: World) -> None:
    member = Follower()
    task = world.run(world.hub.follow(member, ["denied", "allowed"]))
    world.server.taps[1].refuse("denied")
    world.server_reads(3)
    world.gateway_reads()
    refused = task.result()
    assert {pattern: each.code for pattern, each in refused.items()} == {"denied": "denied"}
    assert [*member.follows] == [*world.hub._feeds] == ["allowed"]
    world.server_reads(1)
    assert len(world.server.subscriptions) == 1


@pytest.mark.parametrize(("code", "postponed"), [("nats_down", True), ("denied", False)])
def test_what_may_be_had_again_later_is_postponed(world: World, code: str, postponed: bool) -> None:
    members = [Follower(str(n)) for n in range(2)]
    told: list[tuple[str, str]] = []
    world.hub.on_postponed = lambda member, pattern, _: told.append((member.id, pattern))
    for member in members:
        world.follow(member, "a", "a.*")
    world.server.taps[1].refuse(code)
    assert [*members[0].follows] == ["a.*"]
    assert [len(member.told) for member in members] == [1, 1]
    assert told == ([("0", "a"), ("1", "a")] if postponed else [])


def test_nobody_can_join_a_subscription_that_was_taken_away(world: World) -> None:
    member, late = Follower(), Follower("late")
    world.follow(member, "a")
    task = world.run(world.hub.follow(late, ["b", "a"]))  # waits for b, and would then have both
    world.server.revoke(1)
    world.gateway_reads()
    assert len(member.told) == 1
    assert not member.follows
    world.server_reads(3)
    world.gateway_reads()
    assert {pattern: each.code for pattern, each in task.result().items()} == {"a": "denied"}
    assert [*late.follows] == [*world.hub._feeds] == ["b"]


def test_without_nats_each_pattern_is_refused_and_none_is_kept(world: World) -> None:
    world.server.is_connected = False
    task = world.run(world.hub.follow(Follower(), ["a", "b"]))
    assert {each.code for each in task.result().values()} == {"nats_down"}
    assert not world.hub._feeds


def test_patterns_of_all_together_are_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "MAX_PATTERNS", 2)
    world.follow(Follower("0"), "a", "b")
    member = Follower("1")
    task = world.run(world.hub.follow(member, ["a", "c"]))
    assert task.result()["c"].code == "limit"
    assert [*member.follows] == ["a"]


def test_the_same_pattern_of_anybody_is_one_group_where_policies_make_no_difference(
    world: World,
) -> None:
    common = SubjectPolicy(deny=["common.secret"])
    members = [
        Follower(str(n), SubjectPolicy(["public.>", f"user.{n}.>"], common=common))
        for n in range(3)
    ]
    other = Follower("other", SubjectPolicy(deny=["public.secret"], common=common))
    for member in (*members, other):
        world.follow(member, "public.>")
    shared, own = world.hub._feeds["public.>"].groups.values()
    assert [*shared.members] == members
    assert [*own.members] == [other]
    publish(world, "public.secret")
    publish(world, "public.other")
    assert [member.got.count(b"data") for member in (*members, other)] == [2, 2, 2, 1]
    counters = world.hub.counters
    assert (counters.expected, counters.filtered) == (8, 1)


def test_joining_and_leaving_a_group_that_is_there_touches_no_lane(world: World) -> None:
    world.follow(Follower("0"), "a.*")
    publish(world, "a.b")
    feed = world.hub._feeds["a.*"]
    lane, changed = feed.lanes["a.b"], feed.changed
    member = Follower("1")
    world.follow(member, "a.*", "other")
    publish(world, "a.b")
    world.unfollow(member, "a.*")
    publish(world, "a.b")
    assert member.got.count(b"data") == 1
    assert feed.lanes["a.b"] is lane
    assert feed.changed == changed


def test_a_new_group_is_asked_for_each_subject_once_and_no_other_group_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denying(number: int) -> Follower:
        return Follower(str(number), SubjectPolicy(deny=[f"a.{number}"]))

    for number in range(5):
        world.follow(denying(number), "a.*")
    for number in range(10):
        publish(world, f"a.{number}")
    key = type(next(iter(world.hub._feeds["a.*"].groups)))
    asked: list[str] = []
    takes = key.takes
    monkeypatch.setattr(key, "takes", lambda *of: asked.append(of[1]) or takes(*of))
    last = denying(9)
    world.follow(last, "a.*")
    for number in (*range(10), *range(10)):
        publish(world, f"a.{number}")
    assert sorted(asked) == [f"a.{number}" for number in range(10)]
    assert last.got.count(b"data") == 18
    world.unfollow(last, "a.*")
    publish(world, "a.1")
    assert len(asked) == 10
    assert last.got.count(b"data") == 18


def test_a_lane_that_missed_many_changes_asks_all_groups(world: World) -> None:
    stays = Follower("stays", SubjectPolicy(deny=["a.no"]))
    world.follow(stays, "a.*")
    publish(world, "a.b")
    for number in range(600):
        member = Follower(str(number), SubjectPolicy(deny=[f"a.{number}"]))
        world.follow(member, "a.*")
        if number < 599:
            world.call(world.hub.unfollow_all, member)
    publish(world, "a.b")
    assert [each.got.count(b"data") for each in (stays, member)] == [2, 1]


@pytest.mark.parametrize(
    ("bound", "most"), [("MAX_LANES", 100), ("MAX_LANE_BYTES", 100 * (lanes.MAX_LANES // 100 + 9))]
)
def test_lanes_of_all_feeds_together_are_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    monkeypatch.setattr(lanes, bound, most)
    world.follow(Follower(), ">", "a.>", "a.*")
    for number in range(1000):
        for feed in world.hub._feeds.values():
            feed.lane(f"a.{number}")
        kept = sum(len(feed.lanes) for feed in world.hub._feeds.values())
        assert kept == len(world.hub._lanes) <= 100
    assert kept > 10
    assert "a.999" in feed.lanes, "the oldest go first"


def test_what_came_by_is_known_for_a_while_and_within_bounds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "MAX_FORMER", 2)
    clock = 1000.0
    monkeypatch.setattr(lanes, "monotonic", lambda: clock)
    member = Follower()
    world.follow(member, "a.*")
    for name in "bcd":
        publish(world, f"a.{name}")
    assert world.hub.seen() == {"a.b", "a.c", "a.d"}
    world.unfollow(member, "a.*")
    assert world.hub.seen() == {"a.c", "a.d"}, "the oldest go first"
    clock += lanes.FORMER_SECONDS + 1
    assert world.hub.seen() == set()


def test_a_forgotten_lane_goes_on_working(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "MAX_LANES", 1)
    first, later = Follower("0"), Follower("1")
    world.follow(first, "a.*")
    take = world.hub._feeds["a.*"].lane("a.b")
    world.hub._feeds["a.*"].lane("a.c")
    world.follow(later, "a.*")
    world.unfollow(first, "a.*")
    world.loop.call_soon(take, [b"1"])
    world.loop.settle()
    world.hub.flush()
    assert (first.got, later.got.count(b"data")) == (b"", 1)
    world.unfollow(later, "a.*")
    take([b"2"])
    assert len(world.hub._lanes) == 0


def test_what_another_policy_does_not_allow_is_let_go_of_at_once(world: World) -> None:
    member = Follower()
    world.follow(member, "a.*", "b")
    publish(world, "a.secret")
    assert world.call(world.hub.change_policy, member, SubjectPolicy(["b"])) == ("a.*",)
    assert [*member.follows] == [*world.hub._feeds] == ["b"]
    publish(world, "a.secret")
    assert member.got.count(b"data") == 1


def test_a_denial_counts_at_once_for_what_is_still_followed(world: World) -> None:
    member = Follower()
    world.follow(member, "a.*")
    world.call(world.hub.change_policy, member, SubjectPolicy(["a.*"], ["a.secret"]))
    publish(world, "a.secret")
    publish(world, "a.b")
    assert b"secret" not in member.got
    assert member.got.count(b"data") == 1


def test_a_callback_gets_each_message_at_once(world: World) -> None:
    member, other = Follower(), Follower("other")
    got: list[object] = []
    member.callback = lambda message: got.append((message.subject, message.data))
    for each in (member, other):
        world.follow(each, "a.*")
    publish(world, "a.b", b'{"x": 1}')
    assert got == [("a.b", {"x": 1})]
    assert other.got.count(b"data") == 1


def test_what_nats_py_dropped_is_told_to_those_it_was_for(world: World) -> None:
    member, denied = Follower(), Follower("denied", SubjectPolicy(deny=["a.b"]))
    for each in (member, denied):
        world.follow(each, "a.*")
    world.hub._feeds["a.*"].lane_of("a.b").lose(3)
    assert (member.missed, denied.missed) == (3, 0)
    counters = world.hub.counters
    assert (counters.expected, counters.filtered) == (6, 3)
