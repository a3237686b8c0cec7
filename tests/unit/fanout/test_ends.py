"""Requests that end in the middle, patterns that linger to no end, and a stop."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import Iterator

import nats.errors
import pytest

from bridge.fanout import route
from bridge.fanout.copies import Copies
from tests.unit.fanout.world import Follower, World


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.end()


def publish(world: World, subject: str, payload: bytes) -> None:
    message = world.server.publish(subject, payload)
    while message.waiting:
        world.server.queue_copy(message)
    world.gateway_reads(100)
    world.hub.flush()


def numbers(member: Follower) -> list[int]:
    """Return the payloads that a member has got."""
    return [int(each) for each in re.findall(rb'"data":(\d+)}', member.got)]


def test_a_pattern_that_lingers_for_nobody_any_more_is_left_at_once(world: World) -> None:
    member = Follower()
    world.follow(member, "a.*", "a.b")
    world.unfollow(member, "a.*")
    world.unfollow(member, "a.b")
    assert not world.hub._feeds
    world.follow(member, "a.*")
    publish(world, "a.x", b"1")
    world.follow(member, "a.b")
    world.check()
    publish(world, "a.b", b"2")
    world.unfollow(member, "a.*")
    publish(world, "a.b", b"3")
    world.quiesce()
    assert numbers(member) == [1, 2, 3]


def test_the_same_where_the_server_takes_the_last_one_away(world: World) -> None:
    member = Follower()
    world.follow(member, "a.*", "a.b")
    world.unfollow(member, "a.*")
    sid = next(n for n, tap in world.server.subscriptions.items() if tap.pattern == "a.b")
    world.server.revoke(sid)
    world.gateway_reads()
    world.check()
    assert not world.hub._feeds


def test_leaving_all_before_they_have_settled_repeats_nothing(world: World) -> None:
    other, member = Follower("other"), Follower()
    world.follow(other, "a.b", "*.b")
    world.follow(member, ">")
    world.quiesce()
    message = world.server.publish("a.b", b"1", backwards=True)
    for _ in range(2):
        world.server.queue_copy(message)
    world.gateway_reads(9)
    world.hub.flush()
    world.run(world.hub.follow(member, ["*.b"]))
    world.unfollow(member, ">", "*.b")
    assert numbers(member) == [1]


def test_those_that_linger_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "MAX_LINGERING", 5)
    member = Follower()
    anchors = ["a.*.*", "a.>", "*.*.*", "*.>", "*.*.>", ">"]
    for number, anchor in enumerate(anchors):
        before = tuple(member.follows)
        its = [f"a.{number}.{n}" for n in range(4)]
        world.follow(member, *its)
        world.follow(member, anchor)  # which has yet to settle, and matches all of them
        world.unfollow(member, *before, *its)
        assert len(world.hub._feeds) <= 5 + 1
        world.check()
    world.quiesce()
    assert [*world.hub._feeds] == [">"]


def test_a_request_that_is_cancelled_leaves_no_subscription(world: World) -> None:
    task = world.run(world.hub.follow(Follower(), ["a"]))
    task.cancel()
    world.quiesce()
    assert not world.hub._feeds
    assert not world.server.subscriptions


def test_a_stop_in_the_middle_of_a_request_ends_it(world: World) -> None:
    async def stop() -> object:
        asking = asyncio.ensure_future(world.hub.follow(Follower(), ["a"]))
        await asyncio.sleep(0)
        world.hub.stop()
        async with asyncio.timeout(60):
            return await asking

    task = world.run(stop())
    assert {each.code for each in task.result().values()} == {"nats_down"}


def test_after_a_stop_nothing_is_begun(world: World) -> None:
    member = Follower()
    world.follow(member, "a.*", "a.b")
    world.hub.stop()
    world.loop.settle()
    world.call(world.hub.unfollow_all, member)
    world.loop.settle()
    assert not asyncio.all_tasks(world.loop)


def test_a_client_of_nats_pys_own_that_does_not_answer_costs_no_more_than_that(
    world: World,
) -> None:
    class Stock:
        """Accepts subscriptions and never answers."""

        is_connected = True
        max_payload = 1
        _error_cb = None

        async def subscribe(self, *_: object, **__: object) -> object:
            async def unsubscribe() -> None: ...

            return type("Subscription", (), {"_id": 7, "unsubscribe": staticmethod(unsubscribe)})()

        async def flush(self, timeout: int) -> None:
            raise nats.errors.TimeoutError

    world.server = Stock()  # type: ignore[assignment]
    task = world.run(world.hub.follow(Follower(), ["a", "b"]))
    assert {each.code for each in task.result().values()} == {"nats_down"}
    assert not world.hub._feeds


def test_what_looks_for_repeats_holds_no_payloads() -> None:
    copies = Copies(lambda: 1.0, lambda: None)
    copies.watch_repeats(on=True)
    payload = b"x" * 100_000
    for pattern in ("a", "b"):
        copies.note(pattern, frozenset("ab"), "s", [payload])
    assert copies._came is not None
    assert all(isinstance(said, int) for _, said in copies._came)
    assert not copies.has_repeated("a", 1.0)
    copies.note("a", frozenset("ab"), "s", [payload])
    assert copies.has_repeated("b", 1.0)


def flood(payloads: list[bytes]) -> float:
    """Return the CPU seconds for a flood in which one subscription is far behind the other."""
    copies, patterns = Copies(lambda: 1.0, lambda: None), frozenset("ab")
    began = time.process_time()
    for pattern in "ab":
        for payload in payloads:
            copies.note(pattern, patterns, "s", [payload])
    assert len(copies) == 0
    return time.process_time() - began


def test_a_flood_of_messages_that_look_the_same_costs_little_more_than_another() -> None:
    different = min(flood([b"%d" % n for n in range(6000)]) for _ in range(3))
    alike = min(flood([b"1"] * 6000) for _ in range(3))
    assert alike < 20 * different


def test_of_copies_that_are_too_many_the_oldest_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bridge.fanout.copies.MAX_COPIES", 10)
    clock = itertools.count(1.0)
    copies = Copies(lambda: next(clock), lambda: None)
    for _ in range(11):
        copies.note("a", frozenset("ab"), "s", [b"alike"])
    assert [copy.since for copy in copies] == [7.0, 8.0, 9.0, 10.0, 11.0]
    assert len(copies) == 5


def test_pruning_a_flood_that_looks_the_same_takes_one_look_at_each() -> None:
    clock = itertools.count(1.0)
    copies = Copies(lambda: next(clock), lambda: None)
    for _ in range(9000):
        copies.note("a", frozenset("ab"), "s", [b"alike"])
    began = time.process_time()
    copies.note("a", frozenset("ab"), "s", [b"alike"] * 900)
    noting = time.process_time() - began
    began = time.process_time()
    copies.prune(4500.0)
    assert time.process_time() - began < 20 * noting
    assert len(copies) == 5400
