"""What comes of a stream at once is for everybody the same as one message after the other."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bridge.access.policy import SubjectPolicy
from bridge.history.stored import Stored
from bridge.wire.framing import BATCH, EVENTS_UNCHUNKED, FRAMES, Framing
from bridge.wire.subjects import matches
from bridge.wire.wants import PLAIN, Wants
from bridge.wire.wishes import New, Past
from tests.unit.audiences.world import Streams
from tests.unit.fanout.world import Follower

HEADERS = b"NATS/1.0\r\nKV-Operation: DEL\r\n\r\n"
WAYS: list[tuple[tuple[str, ...], Framing, Wants]] = [
    ((">",), FRAMES, PLAIN),
    ((">",), BATCH, PLAIN),
    (("a.*",), FRAMES, PLAIN),
    (("a.*", "b"), EVENTS_UNCHUNKED, PLAIN),
    (("a.x", ">"), FRAMES, Wants(("time", "headers"))),
]
"""Patterns, framing and options of a member; there are two of each, one of which may not have
`a.x`."""
MESSAGES = st.lists(
    st.tuples(
        st.sampled_from(["a.x", "a.x", "a.y", "b", "c"]),
        st.sampled_from([b"1", b'"x"', b"no json", b"[1,\n2]"]),
        st.sampled_from([b"", b"", HEADERS]),
    ),
    min_size=1,
    max_size=8,
)


class Member(Follower):
    """Notes pieces of any framing."""

    def __init__(self, framing: Framing, deny: tuple[str, ...]) -> None:
        super().__init__(policy=SubjectPolicy(deny=deny))
        self.framing = framing
        self.places: dict[str, bytes] = {}

    def respond(self, line: bytes, *, cursor: bytes = b"") -> None:
        """Pass over notices."""


class Run:
    """The same members of a stream that is brought in one way or the other."""

    def __init__(self) -> None:
        self.world = Streams()
        self.members = [Member(framing, deny) for _, framing, _ in WAYS for deny in ((), ("a.x",))]
        self.patterns = [patterns for patterns, _, _ in WAYS for _ in range(2)]
        for number, member in enumerate(self.members):
            self.world.run(self._follow(member, number))

    async def _follow(self, member: Member, number: int) -> None:
        streams, (patterns, _, wants) = self.world.streams, WAYS[number // 2]
        found = await streams.follow(member, patterns, wants, Past(New()))
        for each in found.begun:
            each.start()

    def bring(self, messages: list[Stored], full: set[int]) -> None:
        for number, member in enumerate(self.members):
            member.is_full = number in full
        self.world.call(self.world.tail.deliver, messages)
        self.world.pass_time()

    def end(self) -> tuple[list[list[bytes]], int]:
        for member in self.members:
            member.is_full = False
        for _ in range(10):
            self.world.pass_time()
        counters = self.world.hub.counters
        self.world.end()
        return [member.pieces for member in self.members], counters.expected - counters.filtered

    def due(self, messages: list[Stored]) -> list[int]:
        """Return how many of `messages` each member is to get."""
        return [
            sum(
                any(matches(pattern, message.subject) for pattern in patterns)
                and member.policy.may_receive(message.subject)
                for message in messages
            )
            for patterns, member in zip(self.patterns, self.members, strict=True)
        ]


@given(
    runs=st.lists(st.tuples(MESSAGES, st.sets(st.integers(0, 9), max_size=3)), max_size=6),
)
def test_runs_change_nothing(runs: list[tuple[list[Any], set[int]]]) -> None:
    together, apart = Run(), Run()
    everything: list[Stored] = []
    for contents, full in runs:
        begin = len(everything) + 1
        messages = [
            Stored(number, subject, payload, headers, b"7")
            for number, (subject, payload, headers) in enumerate(contents, begin)
        ]
        everything += messages
        together.bring(messages, full)
        for message in messages:
            apart.bring([message], full)
    due = together.due(everything)
    pieces, to_be_delivered = together.end()
    assert (pieces, to_be_delivered) == apart.end()
    assert [len(each) for each in pieces] == due
    assert to_be_delivered == sum(due)
