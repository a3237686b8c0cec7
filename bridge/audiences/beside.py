"""Messages that a connection gets by a plain pattern, and then from a stream, or the other way.

The same message comes twice, in any order and with some time between: as a copy by NATS, which has
no number, and by the tail. While a connection goes from one to the other, a witness notes both. So
each message comes once. Two that look the same cannot be told apart.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NoReturn, Protocol

from bridge.outlet import NOWHERE
from bridge.wire import responses
from bridge.wire.envelope import Message
from bridge.wire.framing import FRAMES
from bridge.wire.patterns import PatternSet
from bridge.wire.subjects import contains

if TYPE_CHECKING:
    from bridge.audiences.had import Had
    from bridge.audiences.stage import Stage
    from bridge.fanout.follow import Follow
    from bridge.fanout.hub import Hub
    from bridge.fanout.member import Member
    from bridge.history.reading import Reading
    from bridge.history.runs import Run
    from bridge.history.stored import Stored
    from bridge.history.tail import Loss
    from bridge.wire.codes import CloseCode

SETTLE_SECONDS = 0.1
"""Within which a message comes by both ways."""
EARLY_SECONDS = 0.05
"""By which the tail may be first: what is read at once is handed on by subject."""
PATIENCE_SECONDS = 2.0
"""After which a copy by NATS is taken for one that was never stored."""
LIVE_SECONDS, LOOK_SECONDS = 5.0, 0.01
"""Until patterns are left that are not live; how often it is looked whether they are."""

Copy = tuple[str, bytes]


class Owed:
    """Messages that a connection had by plain patterns, and that a stream is about to bring."""

    def __init__(self, after: int, copies: Counter[Copy]) -> None:
        self.after = after
        """The stream brings none of them up to this sequence."""
        self._copies = +copies
        """As often as each is owed; none that is not."""
        self._ends = _now() + PATIENCE_SECONDS

    def has(self, message: Stored) -> bool:
        """Tell whether the connection had a message; it is owed no more."""
        copy = message.subject, message.payload
        if message.sequence <= self.after or copy not in self._copies:
            return False
        self._copies[copy] -= 1
        if not self._copies[copy]:
            del self._copies[copy]
        return True

    @property
    def is_paid(self) -> bool:
        """Whether nothing of it is to come any more."""
        return _now() >= self._ends or not self._copies


class Witness:
    """Notes what comes by NATS and has not yet come by the tail. A member, and a listener."""

    framing = FRAMES
    streamed: tuple[str, ...] = ()
    stored: PatternSet | None = None
    places: dict[str, bytes] = {}  # noqa: RUF012  it has no ids
    is_half_free = True
    outlet = NOWHERE

    def __init__(self, member: Member, patterns: Sequence[str], hub: Hub) -> None:
        self.id = f"{member.id} beside a stream"
        self.policy = member.policy
        self.follows: dict[str, Follow] = {}
        self.copies: Counter[Copy] = Counter()
        self._early: dict[Copy, float] = {}
        """Copies that the tail has brought first, by when."""
        self._patterns = PatternSet(patterns)
        self._hub = hub

    def callback(self, message: Message) -> None:
        """Note a copy by NATS."""
        self._hub.counters.filtered += 1  # nobody gets it from here
        if not self._patterns.matches(message.subject):
            return
        copy = message.subject, bytes(message.payload)
        early = self._early.pop(copy, None)
        if early is None or early + EARLY_SECONDS < _now():
            self.copies[copy] += 1

    # What the tail brings

    def take(self, run: Run) -> None:
        """Note copies by the tail. NATS has brought them before, maybe before this began."""
        for message in run.messages:
            copy = message.subject, message.payload
            if self.copies[copy] > 0:
                self.copies[copy] -= 1
            else:
                self._early[copy] = _now()

    def missed(self, after: int, until: int, reason: Loss) -> None:
        """Pass over what does not come."""

    def skipped(self, after: int, until: int) -> None:
        """Pass over what does not come by the tail."""

    def gone(self) -> None:
        """Pass over the end of the stream."""

    # What a member is, and this is not asked for

    def deliver_message(self, message: Message) -> None:
        """Note it."""
        self.callback(message)

    def may_read(self, pattern: str) -> bool:
        """Return nothing of the past."""
        return False

    def respond(self, line: bytes, *, cursor: bytes = b"") -> None:
        """Tell nobody."""

    def miss(self, count: int) -> None:
        """Tell nobody."""

    def offer(self, pieces: list[bytes], joined: bytes) -> NoReturn:
        """Take nothing that is written."""
        raise NotImplementedError

    deliver = offer

    def hang_up(self, reason: str, code: CloseCode) -> None:
        """Close nothing."""


def plain_beside(member: Member, patterns: Sequence[str]) -> list[str]:
    """Return what a member follows as it comes and may bring the same as `patterns`.

    Without what lies within another one.
    """
    if not member.follows:
        return []
    those = PatternSet(patterns)
    widest: list[str] = []
    for pattern in filter(those.overlaps, member.follows):
        if not any(contains(each, pattern) for each in widest):
            widest = [each for each in widest if not contains(pattern, each)]
            widest.append(pattern)
    return widest


@asynccontextmanager
async def _watching(
    member: Member, patterns: Sequence[str], beside: Sequence[str], hub: Hub
) -> AsyncIterator[Witness]:
    witness = Witness(member, patterns, hub)
    await hub.follow(witness, beside)
    try:
        yield witness
    finally:
        hub.unfollow_all(witness)


async def _settle(witness: Witness, reading: Reading) -> None:
    """Return when all that came by NATS before this has come by the tail, or will never."""
    tail = reading.keeper.tail
    tail.listen(witness)
    try:
        await asyncio.sleep(EARLY_SECONDS)
        witness.copies.clear()  # what the tail brought before it was heard
        await reading.settle(SETTLE_SECONDS)
    finally:
        tail.unlisten(witness)


async def find_owed(
    member: Member, patterns: Sequence[str], beside: Sequence[str], reading: Reading, hub: Hub
) -> Owed:
    """Return what a member has had by plain patterns, for the moment in which a stream takes over.

    The tail has to bring `patterns`.
    """
    async with _watching(member, patterns, beside, hub) as witness:
        await _settle(witness, reading)
        after = reading.keeper.tail.position
        await asyncio.sleep(SETTLE_SECONDS)
        return Owed(after, witness.copies)


class Leaving(Protocol):
    """A follower of a stream that is about to leave some of its patterns."""

    member: Member
    stage: Stage
    had: Had

    def is_live(self, patterns: Iterable[str]) -> bool:
        """Tell whether these are live."""


async def until_live(follower: Leaving, patterns: Sequence[str]) -> None:
    """Return once patterns are live; or if that takes long, after telling what will not come."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LIVE_SECONDS):
            while not follower.is_live(patterns):
                await asyncio.sleep(LOOK_SECONDS)
            return
    tail, ends = follower.stage.tail, follower.had.ends()
    since = min((ends.get(each, 0) for each in patterns), default=0)
    line = responses.missed(tail.stream, tail.epoch, since, tail.position, "left", patterns)
    follower.member.respond(line)


async def hand_back(
    member: Member,
    patterns: Sequence[str],
    beside: Sequence[str],
    reading: Reading,
    leave: Callable[[Sequence[str]], None],
    hub: Hub,
) -> list[Message]:
    """Have a member `leave` patterns of a stream; return what plain ones have brought meanwhile.

    That is for the moment in which these take over.
    """
    async with _watching(member, patterns, beside, hub) as witness:
        await _settle(witness, reading)
        leave(patterns)
        await asyncio.sleep(SETTLE_SECONDS)
        return [Message(*copy) for copy in witness.copies.elements()]


def _now() -> float:
    return asyncio.get_running_loop().time()
