"""When pending messages are written, and in which order."""

from __future__ import annotations

import asyncio
import re

from bridge.fanout import flusher, group
from bridge.fanout.flusher import Flusher
from bridge.fanout.follow import Follow
from bridge.fanout.group import Group, GroupKey
from bridge.telemetry.counters import Counters
from bridge.wire.framing import FRAMES
from tests.unit.fanout.world import Follower


class Timed(Follower):
    """Notes when it was written to."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def deliver(self, pieces: list[bytes], joined: bytes) -> None:
        super().deliver(pieces, joined)
        self.times.append(asyncio.get_running_loop().time())


def made(counters: Counters | None = None) -> tuple[Flusher, Group, Timed]:
    """Return a flusher, and a group with one member."""
    counters = counters or Counters()
    writer = Flusher(counters)
    members = Group(GroupKey(Follow("a"), FRAMES), counters, writer)
    member = Timed()
    members.members[member] = None
    return writer, members, member


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_message_that_comes_alone_is_written_within_a_few_turns() -> None:
    _, members, member = made()
    members.append([b"1"])
    await turns(flusher.QUIET_TURNS + 2)
    assert member.pieces == [b"1"]


async def test_messages_that_keep_coming_are_written_together_but_not_late() -> None:
    _, members, member = made()
    started = asyncio.get_running_loop().time()
    sent = 0
    while not member.times:
        members.append([b"1"])
        sent += 1
        await asyncio.sleep(0)
        assert sent < 1_000_000
    assert len(member.pieces) > 10
    late = len(member.pieces) < group.FULL_WRITE_BYTES
    assert late == (member.times[0] - started >= flusher.MAX_DELAY_SECONDS)


async def test_two_writes_are_an_interval_apart() -> None:
    _, members, member = made()
    for _ in range(5):
        written = len(member.times)
        members.append([b"1"])
        while len(member.times) == written:
            await asyncio.sleep(0)
    apart = [b - a for a, b in zip(member.times, member.times[1:], strict=False)]
    assert min(apart) >= flusher.WRITE_INTERVAL_SECONDS * 0.99


async def test_flush_writes_at_once_and_only_once() -> None:
    writer, members, member = made()
    members.append([b"1"])
    writer.flush()
    assert member.pieces == [b"1"]
    await turns(flusher.QUIET_TURNS + 2)
    assert len(member.times) == 1


async def test_many_bytes_are_written_without_waiting_for_more() -> None:
    _, members, member = made()
    members.append([b"x" * group.FULL_WRITE_BYTES])
    assert member.writes == 1


async def test_each_write_counts_how_long_its_oldest_message_took() -> None:
    counters = Counters()
    _, members, member = made(counters)
    since = asyncio.get_running_loop().time()
    members.append([b"1"])
    while not member.times:
        await asyncio.sleep(0)
    await turns(1)
    assert counters.fan_out.buckets()[-1] == ("+Inf", 1)
    assert 0 < counters.fan_out.sum <= asyncio.get_running_loop().time() - since + 0.001


def crowd(counters: Counters, writer: Flusher) -> tuple[list[Group], list[Follower]]:
    """Return three groups, and four members: of each, of two, of all, and of the last one alone."""
    groups = [Group(GroupKey(Follow(name), FRAMES), counters, writer) for name in "abc"]
    members = [Follower(name) for name in ("ab", "bc", "abc", "c")]
    for member in members:
        for each in groups:
            if each.key.follow.pattern in member.id:
                each.members[member] = None
                each.mixed += len(member.id) > 1
    return groups, members


async def test_a_member_of_several_groups_gets_all_in_one_write_and_in_their_order() -> None:
    counters = Counters()
    writer = Flusher(counters)
    groups, members = crowd(counters, writer)
    names = [each.key.follow.pattern for each in groups]
    order = "abacbcaab"
    for number, name in enumerate(order):
        groups[names.index(name)].append([f"{name}{number} ".encode()])
    writer.flush()
    for member in members:
        assert member.writes == 1
        expected = "".join(f"{name}{n} " for n, name in enumerate(order) if name in member.id)
        assert member.got.decode() == expected
    assert counters.expected == sum(len(member.pieces) for member in members)


async def test_a_full_group_of_members_that_are_in_others_takes_those_along() -> None:
    counters = Counters()
    writer = Flusher(counters)
    (first, second, _), members = crowd(counters, writer)
    first.append([b"1"])
    second.append([b"2" * group.MAX_WRITE_BYTES])
    for member in members[:3]:
        assert re.sub(rb"2+", b"2", member.got) == (b"12" if "a" in member.id else b"2")
