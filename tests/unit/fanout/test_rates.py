"""At most so many messages a second of each subject: which ones come, when, and to whom."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest

from bridge.fanout import conflation
from bridge.wire.envelope import Message
from bridge.wire.framing import BATCH
from bridge.wire.metadata import annotated
from bridge.wire.wants import PLAIN, Wants
from tests.unit.fanout.world import Follower, World

TWO = Wants(max_rate=2.0)
TIME = 0.5
"""Of a subject, at that rate."""
UP = TIME + 2 * conflation.SLOT_SECONDS
"""After this much it is surely over."""


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    flush(world)
    world.check()
    check_books(world)
    world.end()


def flush(world: World) -> None:
    """Write what is pending, and nothing of what waits for its time."""
    world.call(world.hub.flusher.flush)


def check_books(world: World) -> None:
    """Fail unless all that was due is accounted for, and what is held is counted right."""
    counters, held = world.hub.counters, world.hub.held
    had = sum(len(each.pieces) + each.missed for each in members)
    assert counters.expected == counters.filtered + had
    assert held.bytes == sum(holder.size for holder in held.by)
    if not held.by:
        assert held.bytes == 0


members: list[Follower] = []


@pytest.fixture(autouse=True)
def nobody() -> None:
    members.clear()


def reader(name: str = "m") -> Follower:
    member = Follower(name)
    member.framing = BATCH
    members.append(member)
    return member


def publish(world: World, subject: str, *payloads: object) -> None:
    """Publish messages, each of which is read alone."""
    for payload in payloads:
        data = payload if isinstance(payload, bytes) else b"%d" % payload
        message = world.server.publish(subject, data)
        while message.waiting:
            world.server.queue_copy(message)
        world.gateway_reads(100)
    flush(world)


def publish_at_once(world: World, subject: str, *payloads: int) -> None:
    """Publish messages that are read together."""
    for tap in tuple(world.server.taps.values()):
        world.call(tap.lane(subject), [b"%d" % payload for payload in payloads])
    flush(world)


def pass_time(world: World, seconds: float = UP) -> None:
    world.pass_time(seconds)
    flush(world)


def got(member: Follower, subject: str | None = None) -> list[object]:
    messages = [json.loads(piece) for piece in member.pieces]
    return [each["data"] for each in messages if subject in (None, each["subject"])]


def test_the_first_comes_at_once_and_the_newest_when_its_time_is_up(world: World) -> None:
    member = reader()
    world.follow(member, "a", wants=TWO)
    publish(world, "a", 1, 2, 3)
    assert got(member) == [1]
    pass_time(world, TIME - 0.01)
    assert got(member) == [1]
    publish(world, "a", 4)
    pass_time(world, UP - TIME)
    assert got(member) == [1, 4]
    assert world.hub.counters.filtered == 2
    publish(world, "a", 5)
    assert got(member) == [1, 4]
    pass_time(world)
    assert got(member) == [1, 4, 5]
    pass_time(world)
    publish(world, "a", 6)  # nothing came in its time: at once again
    assert got(member) == [1, 4, 5, 6]


def test_each_subject_has_a_time_of_its_own(world: World) -> None:
    member = reader()
    world.follow(member, "*", wants=TWO)
    publish(world, "a", 1, 2)
    pass_time(world, TIME / 2)
    publish(world, "b", 3, 4)
    assert got(member) == [1, 3]
    pass_time(world, UP - TIME / 2)
    assert got(member) == [1, 3, 2]
    pass_time(world, TIME / 2)
    assert got(member) == [1, 3, 2, 4]


@pytest.mark.parametrize(("rate", "count"), [(0.01, 2), (1.0, 101), (2.0, 201), (100.0, 5001)])
def test_in_the_long_run_it_is_the_rate_that_was_asked_for(
    world: World, rate: float, count: int
) -> None:
    member = reader()
    world.follow(member, "a", wants=Wants(max_rate=rate))
    seconds = 100 if rate < 100 else 50
    tap = next(iter(world.server.taps.values()))
    for number in range(seconds * 1000 + 1):
        world.loop.now = 1000 + number / 1000
        if number % 5 == 0:
            world.loop.call_soon(tap.lane("a"), [b"1"])
        if number % 5 == 0 or rate == 100.0:
            world.loop.call_soon(world.loop.stop)
            world.loop.run_forever()
    flush(world)
    assert count - 2 <= len(member.pieces) <= count


def test_of_those_that_are_read_together_the_first_and_the_last_come(world: World) -> None:
    member = reader()
    world.follow(member, "a", wants=TWO)
    publish_at_once(world, "a", 1, 2, 3, 4)
    publish_at_once(world, "a", 5, 6)
    pass_time(world)
    assert got(member) == [1, 6]
    assert world.hub.counters.filtered == 4
    publish_at_once(world, "a", 7)
    pass_time(world)
    assert got(member) == [1, 6, 7]


def test_one_store_and_one_encoded_piece_serve_all_members(world: World) -> None:
    several = [reader(str(n)) for n in range(5)]
    for member in several:
        world.follow(member, "a", wants=TWO)
    publish(world, "a", 1, 2, 3)
    (holder,) = world.hub.held.by
    assert holder.size < 2 * conflation.SUBJECT_OVERHEAD_BYTES
    pass_time(world)
    assert all(got(member) == [1, 3] for member in several)
    assert all(member.pieces[1] is several[0].pieces[1] for member in several)
    assert world.hub.counters.filtered == 5


def test_who_wants_another_rate_or_all_changes_nothing_for_others(world: World) -> None:
    plain, slow, fast = reader("plain"), reader("slow"), reader("fast")
    world.follow(plain, "a")
    world.follow(slow, "a", wants=TWO)
    world.follow(fast, "a", wants=Wants(max_rate=10.0))
    for number in range(10):
        publish(world, "a", number)
        pass_time(world, 0.05)
    assert got(plain) == list(range(10))
    assert got(slow) == [0]
    assert len(got(fast)) in (4, 5)
    pass_time(world)
    assert got(slow) == [0, 9]
    assert got(fast)[-1] == 9


def test_what_waits_is_not_due_yet(world: World) -> None:
    member = reader()
    world.follow(member, "a", wants=TWO)
    publish(world, "a", 1, 2, 3)
    assert (world.hub.counters.expected, world.hub.counters.filtered) == (2, 1)


def test_a_subject_of_which_nothing_comes_is_forgotten(world: World) -> None:
    member = reader()
    world.follow(member, "*", wants=TWO)
    for number in range(100):
        publish(world, str(number), 1)
    assert world.hub.held.bytes > 100 * conflation.SUBJECT_OVERHEAD_BYTES
    pass_time(world)
    assert (world.hub.held.bytes, world.hub.held.by) == (0, {})


def test_a_clock_that_is_late_brings_no_two_at_once(world: World) -> None:
    member = reader()
    world.follow(member, "*", wants=TWO)
    publish(world, "a", 1, 2)
    pass_time(world, 3.0)
    assert got(member) == [1, 2]
    publish(world, "a", 3)
    assert got(member) == [1, 2]
    pass_time(world)
    assert got(member) == [1, 2, 3]


def test_a_new_subject_while_the_clock_is_late_upsets_no_order(world: World) -> None:
    member = reader()
    world.follow(member, "*", wants=TWO)
    publish(world, "a", 1, 2)
    world.loop.now += 2.0
    tap = next(iter(world.server.taps.values()))
    world.call(tap.lane("b"), [b"3", b"4"])
    flush(world)
    assert got(member) == [1, 2, 3]
    publish(world, "a", 5)
    pass_time(world)
    assert got(member) == [1, 2, 3, 5, 4]


# Who comes and goes


def test_who_joins_gets_nothing_that_came_before(world: World) -> None:
    old, new, newer = reader("old"), reader("new"), reader("newer")
    world.follow(old, "*", wants=TWO)
    publish(world, "a", 1, 2)
    world.follow(new, "*", wants=TWO)
    publish(world, "b", 3, 4)
    world.follow(newer, "*", wants=TWO)
    pass_time(world)
    assert (got(old), got(new), got(newer)) == ([1, 3, 2, 4], [3, 4], [])
    publish(world, "c", 5, 6)
    pass_time(world)
    assert (got(old)[4:], got(new)[2:], got(newer)) == ([5, 6], [5, 6], [5, 6])


def test_what_is_passed_over_counts_for_those_alone_who_were_there(world: World) -> None:
    old, new = reader("old"), reader("new")
    world.follow(old, "a", wants=TWO)
    publish(world, "a", 1, 2)
    world.follow(new, "a", wants=TWO)
    publish(world, "a", 3)
    assert world.hub.counters.filtered == 1
    publish(world, "a", 4)
    assert world.hub.counters.filtered == 3
    pass_time(world)
    assert (got(old), got(new)) == ([1, 4], [4])


def test_who_leaves_gets_what_waits_at_once_and_the_others_in_time(world: World) -> None:
    leaving, staying = reader("leaving"), reader("staying")
    for member in (leaving, staying):
        world.follow(member, "a", wants=TWO)
    publish(world, "a", 1, 2)
    world.unfollow(leaving, "a")
    assert (got(leaving), got(staying)) == ([1, 2], [1])
    pass_time(world)
    assert (got(leaving), got(staying)) == ([1, 2], [1, 2])


def test_who_joins_late_and_leaves_gets_what_came_meanwhile(world: World) -> None:
    old, new = reader("old"), reader("new")
    world.follow(old, "*", wants=TWO)
    publish(world, "a", 1, 2)
    world.follow(new, "*", wants=TWO)
    publish(world, "b", 3, 4)
    world.unfollow(new, "*")
    assert got(new) == [3, 4]
    world.unfollow(old, "*")
    assert got(old) == [1, 3, 2, 4]
    assert world.hub.held.bytes == 0


@pytest.mark.parametrize("wants", [PLAIN, Wants(max_rate=1.0)])
def test_other_options_bring_what_waits_at_once_and_count_from_now_on(
    world: World, wants: Wants
) -> None:
    member = reader()
    world.follow(member, "a", wants=TWO)
    publish(world, "a", 1, 2)
    world.follow(member, "a", wants=wants)
    assert got(member) == [1, 2]
    publish(world, "a", 3, 4)
    pass_time(world, 1.1)
    assert got(member) == [1, 2, 3, 4]


def test_who_goes_from_all_to_a_rate_gets_nothing_twice(world: World) -> None:
    rated, member = reader("rated"), reader()
    world.follow(rated, "a", wants=TWO)
    world.follow(member, "a")
    publish(world, "a", 1, 2)
    world.follow(member, "a", wants=TWO)
    pass_time(world)
    assert (got(member), got(rated)) == ([1, 2], [1, 2])


def test_the_end_of_a_connection_leaves_nothing_behind(world: World) -> None:
    member = reader()
    world.follow(member, "a", "b", wants=TWO)
    publish(world, "a", 1, 2)
    world.call(world.hub.unfollow_all, member)
    assert got(member) == [1, 2]
    assert (world.hub.held.bytes, world.hub.held.by) == (0, {})
    pass_time(world)
    assert got(member) == [1, 2]


def test_what_waits_is_sent_before_an_outage_is_told(world: World) -> None:
    member = reader()
    world.follow(member, "a", wants=TWO)
    publish(world, "a", 1, 2)
    world.call(lambda: world.hub.nats_changed(up=False))
    assert got(member) == [1, 2]
    pass_time(world)
    publish(world, "a", 3)
    assert got(member) == [1, 2, 3]


def test_who_joined_a_while_ago_shares_each_write_with_those_before(world: World) -> None:
    class Noting(Follower):
        joined = b""

        def deliver(self, pieces: list[bytes], joined: bytes) -> None:
            super().deliver(pieces, joined)
            self.joined = joined

    first, second, third = (Noting(str(number)) for number in range(3))
    members.extend((first, second, third))
    world.follow(first, "*", wants=TWO)
    publish(world, "a", 1)
    publish(world, "b", 1)
    world.follow(second, "*", wants=TWO)
    for _ in range(3):
        publish(world, "a", 2)
        publish(world, "b", 2)
        pass_time(world)
    publish(world, "a", 3)
    publish(world, "b", 3)
    world.follow(third, "*", wants=TWO)
    pass_time(world)
    assert len(first.joined) > 50
    assert first.joined is second.joined
    assert third.joined == b""


def test_what_goes_on_early_overtakes_nothing_that_is_about_to_be_written(world: World) -> None:
    old, new = reader("old"), reader("new")
    world.follow(old, "*", wants=TWO)
    publish(world, "a", 1, 2)
    world.follow(new, "*", wants=TWO)
    tap = next(iter(world.server.taps.values()))

    def come() -> None:
        tap.lane("b")([b"3"])
        tap.lane("b")([b"4"])
        world.hub.held.send_all()

    world.call(come)
    flush(world)
    assert (got(old), got(new)) == ([1, 3, 2, 4], [3, 4])


# Overlapping patterns


@pytest.mark.parametrize(
    ("narrow", "wide", "all_of_it"),
    [(PLAIN, TWO, True), (TWO, PLAIN, True), (Wants(max_rate=10.0), TWO, False)],
)
def test_where_patterns_overlap_a_message_comes_by_the_one_that_asks_for_most(
    world: World, narrow: Wants, wide: Wants, all_of_it: bool
) -> None:
    member = reader()
    world.follow(member, "a.b", wants=narrow)
    world.follow(member, "a.>", wants=wide)
    world.quiesce()
    for number in range(10):
        publish(world, "a.b", number)
        pass_time(world, 0.05)
    pass_time(world)
    found = got(member)
    assert found == list(range(10)) if all_of_it else (4 < len(found) < 10 and found[-1] == 9)


def test_a_rate_goes_before_headers(world: World) -> None:
    member = reader()
    world.follow(member, "a.>", wants=Wants(("headers",), 2.0))
    world.follow(member, "a.b")
    world.quiesce()
    publish(world, "a.b", annotated(b"1", b"", b"NATS/1.0\r\nA: b\r\n\r\n"), 2, 3)
    assert got(member) == [1, 2, 3]
    assert b"headers" not in member.got


def test_an_overlapping_pattern_that_comes_brings_what_waits_first(world: World) -> None:
    member = reader()
    world.follow(member, "a.b", wants=TWO)
    world.quiesce()
    publish(world, "a.b", 1, 2)
    world.follow(member, "a.>")
    world.quiesce()
    publish(world, "a.b", 3, 4)
    world.unfollow(member, "a.>")
    publish(world, "a.b", 5, 6)
    pass_time(world)
    assert got(member) == [1, 2, 3, 4, 5, 6]


def test_what_waits_comes_before_what_another_pattern_had_brought(world: World) -> None:
    """A message that came by one pattern only; its source changes to that one."""
    member = reader()
    world.follow(member, "a.b", wants=TWO)
    world.follow(member, "a.>", wants=Wants(max_rate=1.0))
    world.quiesce()
    publish(world, "a.b", 1, 2)
    message = world.server.publish("a.b", b"3", backwards=True)
    world.server.queue_copy(message)  # by the wide one, which is not its source
    world.gateway_reads(100)
    world.unfollow(member, "a.b")
    world.server.queue_copy(message)
    world.quiesce()
    assert got(member) == [1, 2, 3]


# Bounds


def test_beyond_the_bound_messages_come_early_and_none_is_lost(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conflation, "MAX_HELD_BYTES", 50_000)
    greedy, modest = reader("greedy"), reader("modest")
    world.follow(modest, "a", wants=TWO)
    world.follow(greedy, "s.*", wants=Wants(max_rate=0.01))
    publish(world, "a", -1, -2)
    for number in range(500):
        publish(world, f"s.{number}", number, number)
        assert world.hub.held.bytes <= 50_000
    assert len(got(greedy)) > 900
    assert got(modest) == [-1]
    pass_time(world, 101.0)
    assert sorted(map(str, got(greedy))) == sorted(2 * list(map(str, range(500))))
    assert got(modest) == [-1, -2]


def test_a_message_larger_than_the_bound_comes_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conflation, "MAX_HELD_BYTES", 5_000)
    member = reader()
    world.follow(member, "a", wants=TWO)
    publish(world, "a", b"1", b"[%b]" % (b" " * 6000), b"3")
    assert got(member) == [1, [], 3]
    assert world.hub.held.bytes <= 5_000


# Beside the rate


def test_a_callback_is_called_at_the_rate(world: World) -> None:
    member = reader()
    called: list[object] = []

    def callback(message: Message) -> None:
        called.append(message.data)
        member.pieces.append(BATCH.piece(message))

    member.callback = callback
    world.follow(member, "a", wants=TWO)
    publish(world, "a", 1, 2, 3)
    assert got(member) == [1]
    pass_time(world)
    publish(world, "a", 4)
    world.unfollow(member, "a")
    assert called == got(member) == [1, 3, 4]


def test_the_time_is_that_of_the_arrival(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 200.0, 300.0])
    monkeypatch.setattr("time.time", lambda: next(clock))
    member = reader()
    world.follow(member, "a", wants=Wants(("time",), 2.0))
    publish(world, "a", 1, 2)
    pass_time(world)
    assert [json.loads(each)["time"][14:19] for each in member.pieces] == ["01:40", "03:20"]


def test_what_nats_lost_is_told_to_those_with_a_rate(world: World) -> None:
    member = reader()
    world.follow(member, "a", wants=TWO)
    publish(world, "a", 1, 2)
    feed = world.hub._feeds["a"]
    world.call(feed.lane_of("a").lose, 7)
    assert member.missed == 7
    pass_time(world)
    assert got(member) == [1, 2]


def test_a_group_that_nobody_is_in_has_no_timer(world: World) -> None:
    member = reader()
    world.follow(member, "*", wants=TWO)
    publish(world, "a", 1, 2)
    publish(world, "b", 3, 4)
    world.unfollow(member, "*")
    handles: list[asyncio.TimerHandle] = [
        each
        for each in world.loop._scheduled
        if not each.cancelled()  # type: ignore[attr-defined]
    ]
    assert [each for each in handles if "RatedGroup" in repr(each)] == []
