"""Any number of members, publishers, patterns and pauses: each message comes once.

A state machine drives the hub against a server that does one thing at a time. It keeps to what a
NATS server keeps to, and to nothing else: each publisher's copies are queued one after the other,
those of different publishers mixed in any way; a message is matched with the subscriptions there
are at one moment; and its last copy is queued within SETTLE_SECONDS of its first.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bridge.fanout import crossings
from bridge.wire.subjects import matches
from tests.unit.fanout.world import Follower, Published, World

PATTERNS = ["a.b", "a.*", "a.>", ">", "*.b", "c", "a.b.d"]
SUBJECTS = ["a.b", "a.c", "c", "a.b.d"]
PUBLISHERS = 3
PUBLICATION: Any = {
    "publisher": st.integers(0, PUBLISHERS - 1),
    "subject": st.sampled_from(SUBJECTS),
    "alike": st.booleans(),
    "backwards": st.booleans(),
}
"""`backwards`: its copies are queued in the other order."""
MEMBERS = st.integers(0, 2)


class Expected:
    """What one member has to get, and what it may get, by subject and payload."""

    def __init__(self) -> None:
        self.follows: dict[str, int] = {}
        """Pattern to the moment at which the member was told that it follows it."""
        self.due: list[tuple[Published, set[str]]] = []
        """Messages under way, and by which patterns the member has to get each so far."""
        self.surely: Counter[tuple[str, bytes]] = Counter()
        self.maybe: Counter[tuple[str, bytes]] = Counter()


class FanOut(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        crossings.MAX_TRIES = 1_000_000  # what is tried no more is not proved
        self.world = World()
        self.members = [Follower(str(n)) for n in range(3)]
        self.expected = [Expected() for _ in self.members]
        self.busy: dict[int, Any] = {}
        """Member to the request that it waits for."""
        self.publishing: dict[int, Published] = {}
        self.revoked: set[str] = set()
        """Patterns of which the server brings nothing more, and has yet to be heard of."""
        self.sent = 0

    # What members do

    @rule(number=MEMBERS, patterns=st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3))
    def subscribe(self, number: int, patterns: list[str]) -> None:
        if number in self.busy:
            return
        member = self.members[number]
        new = [each for each in dict.fromkeys(patterns) if each not in member.follows]
        self.busy[number] = new, self.world.run(self.world.hub.follow(member, new))
        self.look()

    @rule(number=MEMBERS, patterns=st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2))
    def unsubscribe(self, number: int, patterns: list[str]) -> None:
        if number in self.busy:
            return
        self.look()
        followed = [
            each for each in dict.fromkeys(patterns) if each in self.expected[number].follows
        ]
        self.world.unfollow(self.members[number], *followed)
        for pattern in followed:
            del self.expected[number].follows[pattern]
        self.sort_out()

    # What publishers do

    @rule(**PUBLICATION)
    def publish(self, publisher: int, subject: str, alike: bool, backwards: bool) -> None:
        if publisher in self.publishing:
            return
        self.sent += 1
        payload = b'"x"' if alike else b"%d%03d" % (publisher + 1, self.sent)
        message = self.world.server.publish(subject, payload, backwards=backwards)
        self.publishing[publisher] = message
        for expected in self.expected:
            by = {each for each in expected.follows if matches(each, subject)} - self.revoked
            expected.due.append((message, by))
        self.sort_out()

    @rule(**PUBLICATION)
    def publish_halfway(self, publisher: int, subject: str, alike: bool, backwards: bool) -> None:
        """The pause that matters most: the gateway has read one copy, and not the other."""
        if publisher in self.publishing:
            return
        self.publish(publisher, subject, alike, backwards)
        message = self.publishing[publisher]
        if message.waiting:
            self.world.server.queue_copy(message)
        self.read_all()

    @precondition(lambda self: self.publishing)
    @rule(data=st.data())
    def queue_copy(self, data: st.DataObject) -> None:
        publisher = data.draw(st.sampled_from(sorted(self.publishing)))
        message = self.publishing[publisher]
        if message.waiting:
            self.world.server.queue_copy(message)
        if not message.waiting:
            del self.publishing[publisher]

    # What goes on

    @rule(count=st.integers(1, 3))
    def server_reads(self, count: int) -> None:
        self.world.server_reads(count)

    @rule(count=st.integers(1, 6))
    def gateway_reads(self, count: int) -> None:
        for _ in range(count):
            self.world.gateway_reads()
            self.look()

    @rule()
    def all_settles(self) -> None:
        for _ in range(6):
            self.time_passes()
            self.read_all()

    def read_all(self) -> None:
        self.world.server_reads(100)
        while self.world.server.stream:
            self.world.gateway_reads()
            self.look()

    @rule()
    def time_passes(self) -> None:
        for message in self.publishing.values():
            while message.waiting:
                self.world.server.queue_copy(message)
        self.publishing.clear()
        self.world.pass_time()
        self.look()

    @precondition(lambda self: self.world.server.subscriptions)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        # Where all has settled: what is under way around a fresh subscription cannot be known.
        if any(watch.since for watch in self.world.hub.crossings._watched.values()):
            return
        if self.busy or self.world.hub._unsettled:
            return
        sid = data.draw(st.sampled_from(sorted(self.world.server.subscriptions)))
        pattern = self.world.server.subscriptions[sid].pattern
        self.world.server.revoke(sid)
        if any(pattern in each.follows for each in self.expected):
            self.revoked.add(pattern)
        for expected in self.expected:
            for message, by in expected.due:
                if sid in message.waiting:
                    by.discard(pattern)

    # What is right

    @invariant()
    def all_that_is_kept_agrees(self) -> None:
        self.world.check()

    def look(self) -> None:
        """Take note of what members have been told."""
        for number, (patterns, task) in tuple(self.busy.items()):
            if task.done():
                assert task.result().keys() <= set(patterns)
                del self.busy[number]
                for pattern in patterns:
                    if pattern not in task.result():
                        self.expected[number].follows[pattern] = self.sent
        for member, expected in zip(self.members, self.expected, strict=True):
            for pattern in [each for each in expected.follows if each not in member.follows]:
                del expected.follows[pattern]
                self.revoked.discard(pattern)
        self.sort_out()

    def sort_out(self) -> None:
        """A message is due if a pattern that brings it was followed until all copies were read."""
        for expected in self.expected:
            still = []
            for message, by in expected.due:
                by &= expected.follows.keys()
                key = message.subject, message.payload
                if message.unread:
                    still.append((message, by))
                elif by:
                    expected.surely[key] += 1
                elif message.sids:
                    expected.maybe[key] += 1
            expected.due = still

    def teardown(self) -> None:
        try:
            self.check()
        finally:
            self.world.end()

    def check(self) -> None:
        self.time_passes()
        self.world.quiesce()
        self.look()
        assert not self.busy
        for member, expected in zip(self.members, self.expected, strict=True):
            assert not expected.due
            got = Counter(received(member.got))
            for key in got | expected.surely:
                least, most = expected.surely[key], expected.surely[key] + expected.maybe[key]
                assert least <= got[key] <= most, (member.id, key, least, got[key], most)
        self.check_figures()
        self.check_rest()

    def check_figures(self) -> None:
        counters = self.world.hub.counters
        delivered = sum(len(received(member.got)) for member in self.members)
        assert counters.expected == delivered + counters.filtered

    def check_rest(self) -> None:
        """Nothing is left of what was under way."""
        hub = self.world.hub
        assert not hub._unsettled
        assert not len(hub.crossings.copies)
        followed = {pattern for member in self.members for pattern in member.follows}
        assert hub._feeds.keys() == followed
        assert {tap.pattern for tap in self.world.server.subscriptions.values()} == followed


def received(written: bytes) -> list[tuple[str, bytes]]:
    found = re.findall(rb'{"subject":"([^"]+)","data":(\d+|"x")}', written)
    return [(subject.decode(), payload) for subject, payload in found]


FanOut.TestCase.settings = settings(
    stateful_step_count=60,
    suppress_health_check=list(HealthCheck),
)
TestFanOut = FanOut.TestCase


def test_a_copy_by_a_pattern_that_is_new_takes_no_copies_from_a_message_before_it() -> None:
    state = FanOut()
    state.subscribe(0, ["a.b", "a.*"])
    state.subscribe(2, ["a.>", "a.b"])
    state.all_settles()
    state.unsubscribe(0, ["a.b"])
    state.subscribe(1, ["a.b", ">"])
    state.all_settles()
    state.publish_halfway(publisher=0, subject="a.b", alike=False, backwards=True)
    state.unsubscribe(1, [">"])
    state.subscribe(0, ["a.>"])  # so that copies by a.* count from now on
    state.teardown()
