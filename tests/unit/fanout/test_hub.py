"""Patterns that are taken away while something else is going on."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.access.policy import SubjectPolicy
from bridge.fanout.audience import Audience
from bridge.fanout.hub import Feeds
from bridge.telemetry.metrics import Counters
from bridge.wire.envelope import Message
from bridge.wire.messages import Refusal


class Nats:
    """A client that accepts everything at once, and has a tap as NATSLink."""

    is_connected = True
    count = 0

    async def subscribe(self, subject: str, cb: Any) -> Any:
        self.count += 1

        async def unsubscribe() -> None:
            pass

        return SimpleNamespace(_id=self.count, pending_msgs=0, unsubscribe=unsubscribe)

    def tap(self, *_: Any) -> Any:
        return lambda: None

    async def flush(self, timeout: int) -> None:
        await asyncio.sleep(0)


class Follower:
    """As much of a connection as feeds need."""

    def __init__(self, counters: Counters) -> None:
        self.id, self.batch, self.counters = "id", False, counters
        self.policy = SubjectPolicy()
        self.audience: Any = None
        self.callback: Any = None
        self.told: list[bytes] = []
        self.got = b""

    @property
    def patterns(self) -> tuple[str, ...]:
        return self.audience.patterns if self.audience else ()

    def deliver(self, message: Message) -> None:
        self.got += message.frame

    def write(self, pieces: list[bytes], data: bytes) -> None:
        self.got += data

    def respond(self, line: bytes) -> None:
        self.told.append(line)


def made() -> tuple[Any, Any]:
    counters = Counters()
    client = Nats()
    return Feeds(lambda: client, counters), Follower(counters)


async def test_nobody_can_join_a_feed_that_is_about_to_be_closed() -> None:
    feeds, connection = made()
    await feeds.follow(connection, "taken.away")
    feed = feeds._by_pattern["taken.away"]
    async with feeds._changes:
        feed._refuse("denied")
        late = asyncio.create_task(feed.open(Nats()))
        with pytest.raises(Refusal) as refusal:
            await late
    assert refusal.value.code == "denied"
    assert len(connection.told) == 1
    await feeds._closing
    assert feeds.ssid_map == {}


async def test_a_pattern_taken_away_during_an_unsubscribe_stays_away() -> None:
    feeds, connection = made()
    for pattern in ("a.*", "a.b", "other"):
        await feeds.follow(connection, pattern)
    # Between two copies, so that the unsubscribe has to wait a turn.
    feeds._by_pattern["a.*"].last = (1, "a.b", b"1")
    unfollow = asyncio.create_task(feeds.unfollow(connection, "a.*"))
    await asyncio.sleep(0)
    feeds._by_pattern["other"]._refuse("denied")
    await unfollow
    await feeds._closing
    assert connection.patterns == ("a.b",)
    assert list(feeds._by_pattern) == ["a.b"]


async def test_what_another_policy_does_not_allow_is_let_go_of_at_once() -> None:
    feeds, connection = made()
    for pattern in ("a.*", "b"):
        await feeds.follow(connection, pattern)
    async with feeds._changes:
        change = asyncio.create_task(feeds.change_policy(connection, SubjectPolicy(["b"])))
        await asyncio.sleep(0)
        assert connection.patterns == ("b",)
        assert feeds._by_pattern["a.*"].audiences == ()
    assert await change == ("a.*",)
    assert list(feeds._by_pattern) == ["b"]


async def test_what_a_lost_pattern_brought_goes_over_to_the_others_between_two_messages() -> None:
    feeds, connection = made()
    for pattern in ("a.*", "a.b"):
        await feeds.follow(connection, pattern)
    wide, narrow = feeds._by_pattern.values()
    wide.lane("a.b")([b"1"])
    change = asyncio.create_task(feeds.change_policy(connection, SubjectPolicy(["a.b"])))
    await asyncio.sleep(0)
    assert connection.patterns == ("a.*", "a.b"), "its copy by a.b has yet to come"
    narrow.lane("a.b")([b"1"])
    assert await change == ("a.*",)
    narrow.lane("a.b")([b"2"])
    feeds.flush()
    assert connection.got.count(b"data") == 2
    assert connection.got.endswith(b'"data":2}')


async def test_while_a_lost_pattern_waits_nothing_denied_is_delivered() -> None:
    feeds, connection = made()
    for pattern in ("a.*", "a.b"):
        await feeds.follow(connection, pattern)
    wide, narrow = feeds._by_pattern.values()
    wide.lane("a.secret")([b"0"])
    wide.lane("a.b")([b"1"])
    change = asyncio.create_task(feeds.change_policy(connection, SubjectPolicy(["a.b"])))
    await asyncio.sleep(0)
    before = connection.got
    assert wide.audiences, "it waits"
    for _ in range(3):
        wide.lane("a.secret")([b"2"])
        feeds.flush()
        await asyncio.sleep(0)
    assert b"secret" in before
    assert connection.got == before
    narrow.lane("a.b")([b"1"])
    await change
    assert connection.got == before
    assert feeds._counters.due == feeds._counters.filtered + connection.got.count(b"data")


def numbers(connection: Any) -> list[int]:
    """Return the payloads that `connection` has got."""
    return [int(each) for each in re.findall(rb'"data":(\d+)}', connection.got)]


@pytest.mark.parametrize("kind", ["frames", "batch", "callback"])
@pytest.mark.parametrize("ends_before", ["its own copy", "the other copy", "the next message"])
async def test_a_permission_taken_away_between_two_copies_costs_and_repeats_no_message(
    ends_before: str, kind: str
) -> None:
    feeds, connection = made()
    other = Follower(connection.counters)
    other.id = "other"
    if kind == "callback":
        connection.callback = connection.deliver
    connection.batch = other.batch = kind == "batch"
    for pattern in ("a.>", "a.b"):
        await feeds.follow(connection, pattern)
    await feeds.follow(other, "a.b")
    wide, narrow = feeds._by_pattern.values()
    both = [narrow, wide] if ends_before == "its own copy" else [wide, narrow]
    for feed in both:
        feed.lane("a.b")([b"1"])
    for feed in both if ends_before == "the next message" else both[:1]:
        feed.lane("a.b")([b"2"])
    wide._refuse("denied")
    narrow.lane("a.b")([b"2", b"3"] if ends_before == "the other copy" else [b"3"])
    narrow.lane("a.b")([b"2"])  # another message, though it looks like one before
    feeds.flush()
    assert numbers(connection) == numbers(other) == [1, 2, 3, 2]
    assert len(connection.told) == 1
    await feeds._closing
    assert type(connection.audience) is Audience
    counters = feeds._counters
    assert counters.due == 8 + counters.filtered


async def test_a_message_from_before_a_pattern_was_followed_is_not_taken_for_missed() -> None:
    feeds, connection = made()
    other = Follower(connection.counters)
    other.id = "other"
    for pattern in ("a.b", "*.b"):
        await feeds.follow(other, pattern)
    narrow = feeds._by_pattern["a.b"]
    narrow.lane("a.b")([b"1"])
    for pattern in ("a.*", "a.b"):
        await feeds.follow(connection, pattern)
    feeds._by_pattern["a.*"]._refuse("denied")
    feeds.flush()
    assert numbers(connection) == []
    await feeds._closing


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
    feeds, connection = made()
    connection.policy = policy
    for pattern in patterns:
        await feeds.follow(connection, pattern)
    feeds._by_pattern["a.*"].lane("a.b")([b"1"])
    feeds._by_pattern["a.>"]._refuse("denied")
    feeds.flush()
    assert numbers(connection) == got
    await feeds._closing


async def test_only_connections_under_equal_policies_share_an_audience() -> None:
    feeds, one = made()
    alike, other = Follower(one.counters), Follower(one.counters)
    alike.id, other.id, other.policy = "alike", "other", SubjectPolicy(deny=["a.secret"])
    for connection in (one, alike, other):
        await feeds.follow(connection, "a.*")
    assert one.audience is alike.audience is not other.audience
    feed = feeds._by_pattern["a.*"]
    assert one.audience.gets("a.*", "a.secret")
    assert not other.audience.gets("a.*", "a.secret")
    assert len(feeds.ssid_map) == 1
    assert set(feed.audiences) == {one.audience, other.audience}


async def test_lanes_of_all_feeds_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.fanout.hub.MAX_LANES", 100)
    feeds, connection = made()
    for pattern in (">", "a.>", "a.*"):
        await feeds.follow(connection, pattern)
    for number in range(1000):
        for feed in feeds._by_pattern.values():
            feed.lane(f"a.{number}")
        assert sum(len(feed._lanes) for feed in feeds._by_pattern.values()) <= 100
