"""Patterns that are taken away while something else is going on."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from bridge.access.policy import SubjectPolicy
from bridge.fanout.audience import Audience
from bridge.fanout.hub import Hub
from bridge.telemetry.counters import Counters
from bridge.wire.envelope import Message
from bridge.wire.responses import Refusal


class Nats:
    """A client that accepts everything at once, and takes taps as NATSLink."""

    is_connected = True
    count = 0

    async def subscribe_all(self, taps: Any) -> list[int]:
        await asyncio.sleep(0)
        self.count += len(taps)
        return list(range(self.count - len(taps) + 1, self.count + 1))

    def unsubscribe(self, sid: int) -> None:
        pass

    async def flush(self, timeout: int) -> None:
        await asyncio.sleep(0)


class Follower:
    """As much of a connection as the hub needs."""

    def __init__(self, counters: Counters) -> None:
        self.id, self.batch, self.counters = "id", False, counters
        self.policy = SubjectPolicy()
        self.patterns: tuple[str, ...] = ()
        self.callback: Any = None
        self.told: list[bytes] = []
        self.got = b""

    def deliver_message(self, message: Message) -> None:
        self.got += message.frame

    def deliver(self, pieces: list[bytes], joined: bytes) -> None:
        self.got += joined

    def respond(self, line: bytes) -> None:
        self.told.append(line)


def made() -> tuple[Any, Any]:
    counters = Counters()
    client = Nats()
    return Hub(lambda: client, counters), Follower(counters)


async def test_nobody_can_join_a_feed_that_is_about_to_be_closed() -> None:
    hub, connection = made()
    await hub.follow(connection, "taken.away")
    feed = hub._by_pattern["taken.away"]
    async with hub._changes:
        feed.refuse("denied")
        late = asyncio.create_task(feed.open(Nats()))
        with pytest.raises(Refusal) as refusal:
            await late
    assert refusal.value.code == "denied"
    assert len(connection.told) == 1
    await hub._closing
    assert hub.ssid_map == {}


async def test_a_pattern_taken_away_during_an_unsubscribe_stays_away() -> None:
    hub, connection = made()
    for pattern in ("a.*", "a.b", "other"):
        await hub.follow(connection, pattern)
    # Between two copies, so that the unsubscribe has to wait a turn.
    hub._by_pattern["a.*"].last = (1, "a.b", b"1")
    unfollow = asyncio.create_task(hub.unfollow(connection, "a.*"))
    await asyncio.sleep(0)
    hub._by_pattern["other"].refuse("denied")
    await unfollow
    await hub._closing
    assert connection.patterns == ("a.b",)
    assert list(hub._by_pattern) == ["a.b"]


async def test_what_another_policy_does_not_allow_is_let_go_of_at_once() -> None:
    hub, connection = made()
    for pattern in ("a.*", "b"):
        await hub.follow(connection, pattern)
    async with hub._changes:
        change = asyncio.create_task(hub.change_policy(connection, SubjectPolicy(["b"])))
        await asyncio.sleep(0)
        assert connection.patterns == ("b",)
        assert hub._by_pattern["a.*"].audiences == ()
    assert await change == ("a.*",)
    assert list(hub._by_pattern) == ["b"]


async def test_what_a_lost_pattern_brought_goes_over_to_the_others_between_two_messages() -> None:
    hub, connection = made()
    for pattern in ("a.*", "a.b"):
        await hub.follow(connection, pattern)
    wide, narrow = hub._by_pattern.values()
    wide.lane("a.b")([b"1"])
    change = asyncio.create_task(hub.change_policy(connection, SubjectPolicy(["a.b"])))
    await asyncio.sleep(0)
    assert connection.patterns == ("a.*", "a.b"), "its copy by a.b has yet to come"
    narrow.lane("a.b")([b"1"])
    assert await change == ("a.*",)
    narrow.lane("a.b")([b"2"])
    hub.flush()
    assert connection.got.count(b"data") == 2
    assert connection.got.endswith(b'"data":2}')


async def test_while_a_lost_pattern_waits_nothing_denied_is_delivered() -> None:
    hub, connection = made()
    for pattern in ("a.*", "a.b"):
        await hub.follow(connection, pattern)
    wide, narrow = hub._by_pattern.values()
    wide.lane("a.secret")([b"0"])
    wide.lane("a.b")([b"1"])
    change = asyncio.create_task(hub.change_policy(connection, SubjectPolicy(["a.b"])))
    await asyncio.sleep(0)
    before = connection.got
    assert wide.audiences, "it waits"
    for _ in range(3):
        wide.lane("a.secret")([b"2"])
        hub.flush()
        await asyncio.sleep(0)
    assert b"secret" in before
    assert connection.got == before
    narrow.lane("a.b")([b"1"])
    await change
    assert connection.got == before
    assert hub._counters.expected == hub._counters.filtered + connection.got.count(b"data")


def numbers(connection: Any) -> list[int]:
    """Return the payloads that `connection` has got."""
    return [int(each) for each in re.findall(rb'"data":(\d+)}', connection.got)]


@pytest.mark.parametrize("kind", ["frames", "batch", "callback"])
@pytest.mark.parametrize("ends_before", ["its own copy", "the other copy", "the next message"])
async def test_a_permission_taken_away_between_two_copies_costs_and_repeats_no_message(
    ends_before: str, kind: str
) -> None:
    hub, connection = made()
    other = Follower(connection.counters)
    other.id = "other"
    if kind == "callback":
        connection.callback = connection.deliver_message
    connection.batch = other.batch = kind == "batch"
    for pattern in ("a.>", "a.b"):
        await hub.follow(connection, pattern)
    await hub.follow(other, "a.b")
    wide, narrow = hub._by_pattern.values()
    both = [narrow, wide] if ends_before == "its own copy" else [wide, narrow]
    for feed in both:
        feed.lane("a.b")([b"1"])
    for feed in both if ends_before == "the next message" else both[:1]:
        feed.lane("a.b")([b"2"])
    wide.refuse("denied")
    narrow.lane("a.b")([b"2", b"3"] if ends_before == "the other copy" else [b"3"])
    narrow.lane("a.b")([b"2"])  # another message, though it looks like one before
    hub.flush()
    assert numbers(connection) == numbers(other) == [1, 2, 3, 2]
    assert len(connection.told) == 1
    await hub._closing
    assert type(hub._audience_of[connection]) is Audience
    counters = hub._counters
    assert counters.expected == 8 + counters.filtered


async def test_a_message_from_before_a_pattern_was_followed_is_not_taken_for_missed() -> None:
    hub, connection = made()
    other = Follower(connection.counters)
    other.id = "other"
    for pattern in ("a.b", "*.b"):
        await hub.follow(other, pattern)
    narrow = hub._by_pattern["a.b"]
    narrow.lane("a.b")([b"1"])
    for pattern in ("a.*", "a.b"):
        await hub.follow(connection, pattern)
    hub._by_pattern["a.*"].refuse("denied")
    hub.flush()
    assert numbers(connection) == []
    await hub._closing


@pytest.mark.parametrize(
    ("patterns", "policy", "got"),
    [
        (("a.*", "a.>"), SubjectPolicy(), [1]),
        (("a.>", "a.*"), SubjectPolicy(deny=["a.b"]), []),
    ],
    ids=["comes by the other", "denied"],
)
async def test_what_was_not_due_by_a_pattern_taken_away_is_not_made_up_for(
    patterns: tuple[str, str], policy: SubjectPolicy, got: list[int]
) -> None:
    hub, connection = made()
    connection.policy = policy
    for pattern in patterns:
        await hub.follow(connection, pattern)
    hub._by_pattern["a.*"].lane("a.b")([b"1"])
    hub._by_pattern["a.>"].refuse("denied")
    hub.flush()
    assert numbers(connection) == got
    await hub._closing


async def test_only_connections_under_equal_policies_share_an_audience() -> None:
    hub, one = made()
    alike, other = Follower(one.counters), Follower(one.counters)
    alike.id, other.id, other.policy = "alike", "other", SubjectPolicy(deny=["a.secret"])
    for connection in (one, alike, other):
        await hub.follow(connection, "a.*")
    shared, own = hub._audience_of[one], hub._audience_of[other]
    assert hub._audience_of[alike] is shared is not own
    feed = hub._by_pattern["a.*"]
    assert shared.gets("a.*", "a.secret")
    assert not own.gets("a.*", "a.secret")
    assert len(hub.ssid_map) == 1
    assert set(feed.audiences) == {shared, own}


async def test_lanes_of_all_feeds_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.fanout.hub.MAX_LANES", 100)
    hub, connection = made()
    for pattern in (">", "a.>", "a.*"):
        await hub.follow(connection, pattern)
    for number in range(1000):
        for feed in hub._by_pattern.values():
            feed.lane(f"a.{number}")
        assert sum(len(feed._lanes) for feed in hub._by_pattern.values()) <= 100
