"""A NATS server that does one thing at a time, and stops wherever a test wants it to.

What it queues for the gateway is read item by item, and time passes only if a test says so. Several
publishers are in the middle of a message at once: it has been matched, some subscriptions have
their copy, the others have not.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bridge.access.policy import SubjectPolicy
from bridge.fanout.crossings import SETTLE_SECONDS
from bridge.fanout.follow import Follow
from bridge.fanout.hub import Hub
from bridge.outlet import NOWHERE
from bridge.telemetry.counters import Counters
from bridge.wire.codes import CloseCode
from bridge.wire.envelope import Message
from bridge.wire.framing import FRAMES, Framing
from bridge.wire.patterns import PatternSet
from bridge.wire.subjects import matches
from bridge.wire.wants import PLAIN, Wants

T = TypeVar("T")


class StillLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stands still."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def time(self) -> float:
        return self.now

    def settle(self) -> None:
        """Run whatever can run now."""
        for _ in range(12):
            self.call_soon(self.stop)
            self.run_forever()


@dataclass(eq=False)
class Published:
    """A message: which subscriptions have yet to get their copy."""

    subject: str
    payload: bytes
    waiting: deque[int]
    sids: frozenset[int]
    unread: set[int] = field(default_factory=set)
    """Subscriptions whose copy the gateway has yet to read."""


class Server:
    """The server, and the client that the hub uses, with what is under way between them."""

    is_connected = True

    def __init__(self) -> None:
        self.subscriptions: dict[int, Any] = {}
        self.commands: deque[Callable[[], None]] = deque()
        """What the gateway has sent and the server has not read."""
        self.stream: deque[Callable[[], None]] = deque()
        """What the server has queued and the gateway has not read."""
        self.taps: dict[int, Any] = {}
        self._sid = 0

    # The client

    async def subscribe_all(self, taps: list[Any]) -> list[int]:
        ids = []
        for tap in taps:
            self._sid += 1
            ids.append(self._sid)
            self.taps[self._sid] = tap
            self.commands.append(self._adding(self._sid, tap))
        await self.round_trip()
        return ids

    def unsubscribe(self, sid: int) -> None:
        self.taps.pop(sid, None)
        self.commands.append(lambda: self.subscriptions.pop(sid, None))

    async def round_trip(self) -> None:
        pong = asyncio.get_running_loop().create_future()
        self.commands.append(lambda: self.stream.append(lambda: pong.set_result(None)))
        await pong

    # The server

    def _adding(self, sid: int, tap: Any) -> Callable[[], None]:
        def add() -> None:
            self.subscriptions[sid] = tap

        return add

    def publish(self, subject: str, payload: bytes, *, backwards: bool = False) -> Published:
        """Match a message; its copies are queued later, one by one."""
        sids = [sid for sid, tap in self.subscriptions.items() if matches(tap.pattern, subject)]
        if backwards:
            sids.reverse()
        return Published(subject, payload, deque(sids), frozenset(sids), set(sids))

    def queue_copy(self, message: Published) -> None:
        """Queue the next copy of a message."""
        sid = message.waiting.popleft()
        if sid not in self.subscriptions:
            message.unread.discard(sid)
            return

        def read() -> None:
            message.unread.discard(sid)
            tap = self.taps.get(sid)
            if tap is not None:
                tap.lane(message.subject)([message.payload])

        self.stream.append(read)

    def revoke(self, sid: int) -> None:
        """Take a permission away: no further copies, and an error."""
        tap = self.subscriptions.pop(sid)
        self.stream.append(lambda: tap.refuse("denied"))


class Follower:
    """As much of a connection as the hub needs."""

    framing: Framing = FRAMES
    callback: Any = None
    outlet = NOWHERE

    def __init__(self, name: str = "id", policy: SubjectPolicy | None = None) -> None:
        self.id = name
        self.policy = policy or SubjectPolicy()
        self.follows: dict[str, Follow] = {}
        self.streamed: tuple[str, ...] = ()
        self.stored: PatternSet | None = None
        self.told: list[bytes] = []
        self.pieces: list[bytes] = []
        self.writes = 0
        self.missed = 0

    @property
    def got(self) -> bytes:
        """All that has been written to it."""
        return b"".join(self.pieces)

    def deliver_message(self, message: Message) -> None:
        if self.callback is not None:
            self.callback(message)
        else:
            self.pieces.append(self.framing.piece(message))

    def deliver(self, pieces: list[bytes], joined: bytes) -> None:
        assert self.framing.join(pieces) == joined
        self.pieces += pieces
        self.writes += 1

    is_full = False

    @property
    def is_half_free(self) -> bool:
        return not self.is_full

    def may_read(self, pattern: str) -> bool:
        return True

    def offer(self, pieces: list[bytes], joined: bytes) -> bool:
        if not self.is_full:
            self.deliver(pieces, joined)
        return not self.is_full

    def hang_up(self, reason: str, code: CloseCode) -> None:
        raise AssertionError(reason)

    def respond(self, line: bytes) -> None:
        self.told.append(line)

    def miss(self, count: int) -> None:
        self.missed += count


class World:
    """A hub, its server, and a clock."""

    def __init__(self) -> None:
        self.loop = StillLoop()
        asyncio.set_event_loop(self.loop)
        self.server = Server()
        self.hub = Hub(lambda: self.server, Counters())

    def run(self, work: Any) -> asyncio.Task[Any]:
        """Start a coroutine."""
        task = self.loop.create_task(work)
        self.loop.settle()
        return task

    def server_reads(self, count: int = 1) -> None:
        """Have the server take commands."""
        for _ in range(min(count, len(self.server.commands))):
            self.server.commands.popleft()()

    def gateway_reads(self, count: int = 1) -> None:
        """Have the gateway take what the server has queued; then run what that set going."""
        items = [self.server.stream.popleft() for _ in range(min(count, len(self.server.stream)))]
        # In one turn, as what one read of the socket brings.
        self.loop.call_soon(lambda: [item() for item in items])
        self.loop.settle()

    def pass_time(self, seconds: float = 1.01 * SETTLE_SECONDS) -> None:
        """Let time pass; the server's other work has to be done by the caller, as it has been."""
        self.loop.now += seconds
        self.loop.settle()

    def quiesce(self) -> None:
        """Do everything that is under way, until nothing is."""
        for _ in range(20):
            while self.server.commands or self.server.stream:
                self.server_reads(100)
                self.gateway_reads(100)
            self.pass_time()
        self.hub.flush()

    def call(self, function: Callable[..., T], *of: Any) -> T:
        """Call what wants a running event loop."""

        async def call() -> T:
            return function(*of)

        return self.loop.run_until_complete(call())

    def unfollow(self, member: Follower, *patterns: str) -> None:
        """Stop following patterns."""
        assert self.call(self.hub.unfollow, member, patterns) == {}

    def follow(self, member: Follower, *patterns: str, wants: Wants = PLAIN) -> None:
        """Follow patterns, and do all that this takes."""
        task = self.run(self.hub.follow(member, patterns, wants))
        while not task.done():
            self.server_reads(100)
            self.gateway_reads(100)
        assert task.result() == {}

    def check(self) -> None:
        """Fail unless all that the hub keeps agrees with the rest of it."""
        watched = Counter[str]()
        groups = Counter[Any]()
        for member, membership in self.hub._memberships.items():
            places, route = membership._places.taken, membership._route
            crosses = route.crosses.keys() if route is not None else set()
            watched.update(crosses)
            assert places.keys() == member.follows.keys() | (route.left if route else set())
            assert places.keys() >= crosses
            for pattern, (feed, group) in places.items():
                assert self.hub._feeds[pattern] is feed
                assert group is not None
                assert feed.groups[group.key] is group
                assert feed.is_watched == (pattern in self.hub.crossings._watched) or (
                    self.hub.crossings._watched[pattern].feed is None
                )
                groups[group] += len(places) > 1
        for feed in self.hub._feeds.values():
            for group in feed.groups.values():
                assert group.members
                assert group.mixed == groups[group]
        live = {p: w.count for p, w in self.hub.crossings._watched.items() if w.count}
        assert live == {p: n for p, n in watched.items() if n}

    def end(self) -> None:
        """Stop everything."""
        self.hub.stop()
        self.loop.settle()
        self.loop.close()
