"""Members that want their messages in different ways."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from bridge.wire.framing import BATCH
from bridge.wire.metadata import annotated
from bridge.wire.wants import PLAIN, Wants
from tests.unit.fanout.world import Follower, World

HEADERS = Wants(("headers",))
ALL = Wants(("reply", "headers"))


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.check()
    world.end()


def block(value: int) -> bytes:
    return b"NATS/1.0\r\nA: %d\r\n\r\n" % value


def publish(world: World, subject: str, payload: bytes, value: int) -> None:
    """Publish a message with a header; every subscription that asks gets it with that."""
    message = world.server.publish(subject, annotated(payload, b"r", block(value)))
    while message.waiting:
        world.server.queue_copy(message)
    world.gateway_reads(100)
    world.hub.flush()


def reader(name: str) -> Follower:
    member = Follower(name)
    member.framing = BATCH
    return member


def got(member: Follower) -> list[Any]:
    """Return what came: the payload, and the header if it came with one."""
    found = []
    for piece in member.pieces:
        message = json.loads(piece)
        headers = message.get("headers")
        found.append(message["data"] if headers is None else (message["data"], *headers[0][1:]))
    return found


def test_who_asks_for_headers_changes_no_byte_for_another(world: World) -> None:
    plain, asking, other = reader("plain"), reader("asking"), reader("other")
    world.follow(plain, "a")
    publish(world, "a", b"1", 1)
    before = plain.pieces[0]
    world.follow(asking, "a", wants=HEADERS)
    world.follow(other, "a", wants=ALL)
    publish(world, "a", b"1", 1)
    assert plain.pieces == [before, before]
    assert got(asking) == [(1, "1")]
    assert json.loads(other.pieces[0])["reply"] == "r"
    assert len(world.server.subscriptions) == 1


def test_payloads_know_what_came_with_them_only_where_somebody_asks(world: World) -> None:
    plain, asking = reader("plain"), reader("asking")
    world.follow(plain, "a")
    tap = next(iter(world.server.taps.values()))
    assert not tap.wants_meta
    world.follow(asking, "a", wants=HEADERS)
    assert tap.wants_meta
    world.unfollow(asking, "a")
    assert not tap.wants_meta


def test_following_again_with_other_options_changes_them_at_once(world: World) -> None:
    member = reader("m")
    for wants in (PLAIN, HEADERS, HEADERS, PLAIN):
        world.follow(member, "a", wants=wants)
        publish(world, "a", b"1", 7)
    assert got(member) == [1, (1, "7"), (1, "7"), 1]
    assert len(world.server.subscriptions) == 1


def test_where_patterns_overlap_a_message_comes_by_the_one_that_asks_for_most(
    world: World,
) -> None:
    member = reader("m")
    world.follow(member, "a.>")
    world.follow(member, "a.b", wants=HEADERS)
    world.quiesce()
    for number in range(3):
        publish(world, "a.b", b"%d" % number, number)
        publish(world, "a.c", b"%d" % number, number)
    assert got(member) == [(0, "0"), 0, (1, "1"), 1, (2, "2"), 2]
    world.follow(member, "a.b")
    world.follow(member, "a.>", wants=ALL)
    world.quiesce()
    publish(world, "a.b", b"3", 3)
    assert got(member)[6:] == [(3, "3")]


def test_messages_that_differ_in_their_headers_alone_are_not_taken_for_each_other(
    world: World,
) -> None:
    member = reader("m")
    world.follow(member, "a.b", wants=HEADERS)
    world.quiesce()
    task = world.run(world.hub.follow(member, ["a.*"], HEADERS))
    world.server_reads(100)
    world.gateway_reads(100)
    task.result()
    messages = [
        world.server.publish("a.b", annotated(b"same", b"", block(number))) for number in range(2)
    ]
    world.server.queue_copy(messages[0])
    world.server.queue_copy(messages[1])
    world.server.queue_copy(messages[1])
    world.gateway_reads(100)
    world.unfollow(member, "a.b")
    world.server.queue_copy(messages[0])
    world.quiesce()
    assert sorted(got(member)) == [("same", "0"), ("same", "1")]


def test_what_is_caught_up_has_all_that_is_asked_for(world: World) -> None:
    member = reader("m")
    world.follow(member, "a.*", "a.b")
    world.quiesce()
    message = world.server.publish("a.b", annotated(b"1", b"r", block(7)), backwards=True)
    world.server.queue_copy(message)
    world.gateway_reads(100)
    assert got(member) == [], "a.* is to bring it"
    world.follow(member, "a.b", wants=Wants(("time", "headers")))
    assert got(member) == [(1, "7")]
    assert "time" in json.loads(member.pieces[0])
    while message.waiting:
        world.server.queue_copy(message)
    world.quiesce()
    assert len(member.pieces) == 1


def test_a_callback_at_a_rate_is_called_once_with_what_is_handed_over(world: World) -> None:
    member = Follower("m")
    calls: list[bytes] = []
    member.callback = lambda message: calls.append(message.payload)
    world.follow(member, "r.*", wants=Wants(max_rate=0.1))
    world.follow(member, "a.*", "a.b")
    world.quiesce()
    world.pass_time(30)
    for payload in (b"1", b"2"):
        world.server.queue_copy(world.server.publish("r.1", payload))
    message = world.server.publish("a.b", b"7", backwards=True)
    world.server.queue_copy(message)
    world.gateway_reads(100)
    assert calls == [b"1"]
    world.unfollow(member, "a.*")
    world.pass_time(11)
    assert sorted(calls) == [b"1", b"2", b"7"]
    while message.waiting:
        world.server.queue_copy(message)
    world.quiesce()
    assert len(calls) == 3
