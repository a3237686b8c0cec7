"""Any members, messages, pauses and changes: each gets exactly what a simple model says.

`Rates` compares with a model that keeps, for each message that waits, a set of those it is for.
`RatedFanOut` gives members rates in the machine of `test_model.py`, where patterns overlap.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bridge.fanout.conflation import LEAST_SLOTS, SLOT_SECONDS
from bridge.wire.framing import BATCH
from bridge.wire.subjects import matches
from bridge.wire.wants import PLAIN, Wants
from tests.unit.fanout.test_model import PATTERNS, SUBJECTS, FanOut, received
from tests.unit.fanout.world import Follower, World

RATES = [None, 2.0, 10.0]
NEWEST = b"9999"
MEMBERS = st.integers(0, 3)


class ModelOfRate:
    """Who has a rate, and for each subject whose time runs: until when, what waits, for whom."""

    def __init__(self, rate: float) -> None:
        self.slots = max(LEAST_SLOTS, round(1 / rate / SLOT_SECONDS))
        self.slot_seconds = 1 / rate / self.slots
        self.members: set[int] = set()
        self.subjects: dict[str, tuple[int, int | None, set[int]]] = {}


class Rates(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.world.loop.now += 0.0007  # no time is up just when a pause ends, to a bit
        self.members = [Follower(str(number)) for number in range(4)]
        for member in self.members:
            member.framing = BATCH
        self.rates = {rate: ModelOfRate(rate) for rate in RATES if rate is not None}
        self.plain: set[int] = set()
        self.expected: list[list[tuple[str, int]]] = [[] for _ in self.members]
        self.filtered = 0
        self.sent = 0
        # One that is not in the model keeps the subscription open.
        self.follow(Follower("always"), None)

    def follow(self, member: Follower, rate: float | None) -> None:
        self.world.follow(member, "*", wants=Wants(max_rate=rate))

    # What happens

    @rule(number=MEMBERS, rate=st.sampled_from(RATES))
    def subscribe(self, number: int, rate: float | None) -> None:
        there = self.plain if rate is None else self.rates[rate].members
        if number not in there:
            self.part(number)
            there.add(number)
        self.follow(self.members[number], rate)

    @rule(number=MEMBERS)
    def unsubscribe(self, number: int) -> None:
        if self.members[number].follows:
            self.part(number)
            self.world.unfollow(self.members[number], "*")

    @rule(subject=st.sampled_from("abc"), count=st.integers(1, 4))
    def publish(self, subject: str, count: int) -> None:
        numbers = list(range(self.sent + 1, self.sent + count + 1))
        self.sent += count
        tap = next(iter(self.world.server.taps.values()))
        self.world.call(tap.lane(subject), [b"%d" % number for number in numbers])
        for member in self.plain:
            self.expected[member] += [(subject, number) for number in numbers]
        for rate in self.rates.values():
            self.take(rate, subject, numbers)

    @rule(seconds=st.sampled_from([0.001, 0.02, 0.05, 0.1, 0.3, 0.55, 2.0]))
    def pass_time(self, seconds: float) -> None:
        self.world.pass_time(seconds)
        for rate in self.rates.values():
            now = int(self.world.loop.now / rate.slot_seconds)
            for subject, (due, waiting, whose) in tuple(rate.subjects.items()):
                if due <= now:
                    del rate.subjects[subject]
                    if waiting is not None:
                        self.bring(subject, waiting, whose)
                        rate.subjects[subject] = now + rate.slots, None, set()

    @rule()
    def send_all(self) -> None:
        self.world.call(self.world.hub.flush)
        for rate in self.rates.values():
            for subject, (due, waiting, whose) in rate.subjects.items():
                if waiting is not None:
                    self.bring(subject, waiting, whose)
                    rate.subjects[subject] = due, None, set()

    # What is expected

    def part(self, number: int) -> None:
        self.plain.discard(number)
        for rate in self.rates.values():
            rate.members.discard(number)
            for subject, (_, waiting, whose) in rate.subjects.items():
                if waiting is not None and number in whose:
                    self.expected[number].append((subject, waiting))
                    whose.discard(number)
            if not rate.members:
                rate.subjects.clear()

    def take(self, rate: ModelOfRate, subject: str, numbers: list[int]) -> None:
        if not rate.members:
            return
        now = int(self.world.loop.now / rate.slot_seconds)
        if subject not in rate.subjects:
            self.bring(subject, numbers[0], rate.members)
            rate.subjects[subject] = now + 1 + rate.slots, None, set()
            numbers = numbers[1:]
        due, waiting, whose = rate.subjects[subject]
        if numbers:
            if waiting is not None:
                self.filtered += len(whose)
            self.filtered += len(rate.members) * (len(numbers) - 1)
            rate.subjects[subject] = due, numbers[-1], set(rate.members)

    def bring(self, subject: str, number: int, to: set[int]) -> None:
        for member in to:
            self.expected[member].append((subject, number))

    # What is right

    @invariant()
    def each_has_what_it_should(self) -> None:
        self.world.call(self.world.hub.flusher.flush)
        for member, expected in zip(self.members, self.expected, strict=True):
            lines = map(json.loads, member.pieces)
            found = [(line["subject"], line["data"]) for line in lines]
            for subject in "abc":
                assert [each for each in found if each[0] == subject] == [
                    each for each in expected if each[0] == subject
                ]

    @invariant()
    def the_books_balance(self) -> None:
        self.world.check()
        counters, held = self.world.hub.counters, self.world.hub.held
        assert counters.filtered == self.filtered
        delivered = sum(map(len, self.expected)) + self.sent
        assert counters.expected == delivered + self.filtered
        assert held.bytes == sum(holder.size for holder in held.by)
        assert len(held.by) == sum(bool(rate.subjects) for rate in self.rates.values())

    def teardown(self) -> None:
        self.world.end()


def wants_of(pattern: str) -> Wants:
    """A rate, or none, for each pattern: other ones for those that overlap."""
    return PLAIN if pattern in ("a.*", "*.b") else Wants(max_rate=1.0 + PATTERNS.index(pattern))


class RatedFanOut(FanOut):
    """Nothing comes twice, the newest always comes, and the books balance."""

    def __init__(self) -> None:
        super().__init__()
        follow: Any = self.world.hub.follow

        async def follow_at_a_rate(member: Follower, patterns: list[str]) -> Any:
            refused: dict[str, Any] = {}
            for pattern in patterns:
                refused |= await follow(member, [pattern], wants_of(pattern))
            return refused

        self.world.hub.follow = follow_at_a_rate  # type: ignore[assignment,method-assign]

    @rule(number=st.integers(0, 2), patterns=st.lists(st.sampled_from(PATTERNS), max_size=3))
    def subscribe(self, number: int, patterns: list[str]) -> None:
        # What comes twice around a permission that is just taken away is not about rates.
        if patterns and not self.revoked:
            super().subscribe(number, patterns)

    def check(self) -> None:
        self.time_passes()
        self.world.quiesce()
        self.look()
        for subject in SUBJECTS:
            message = self.world.server.publish(subject, NEWEST)
            while message.waiting:
                self.world.server.queue_copy(message)
        self.world.quiesce()
        for member, expected in zip(self.members, self.expected, strict=True):
            found = received(member.got)
            self.check_order(found)
            got = Counter(found)
            for subject in SUBJECTS:
                followed = any(matches(each, subject) for each in member.follows)
                assert got.pop((subject, NEWEST), 0) == followed
            for key in got:
                assert got[key] <= expected.surely[key] + expected.maybe[key], (member.id, key)
        self.check_figures()
        self.check_rest()

    def check_order(self, found: list[tuple[str, bytes]]) -> None:
        """What one publisher sent on one subject comes in that order."""
        numbers: dict[tuple[str, bytes], list[bytes]] = {}
        for subject, payload in found:
            if payload != b'"x"':
                numbers.setdefault((subject, payload[:1]), []).append(payload)
        for each in numbers.values():
            assert each == sorted(each)


THOROUGH = settings(
    stateful_step_count=50,
    suppress_health_check=list(HealthCheck),
)
Rates.TestCase.settings = THOROUGH
RatedFanOut.TestCase.settings = THOROUGH
TestRates = Rates.TestCase
TestRatedFanOut = RatedFanOut.TestCase
