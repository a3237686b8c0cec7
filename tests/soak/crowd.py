"""The browsers of the long run: 200 that follow something, and one comes for each that goes.

Beside them 200 that follow the same from a stream, and come back where they were.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable
from random import Random

from websockets.exceptions import ConnectionClosed

from tests.soak.checker import DOWN, UP, Checker, Findings, Numbers
from tests.soak.reader import Reader
from tests.soak.sockets import narrow_socket, reset
from tests.support.browser_client import Browser
from tests.support.jetstream import entries_of, plain_client
from tests.support.servers import PATIENCE, NatsServer

STREAM, BURST = "SOAK", "soak.burst"
SUBJECTS = [f"soak.{group}.{n}" for group in "abc" for n in "123"] + [BURST]
WISHES = [
    ["soak.a.1"],
    ["soak.c.2", "soak.b.1"],
    ["soak.a.2", "soak.a.*"],
    ["soak.b.*", "soak.*.1"],
    ["soak.*.3", "soak.c.3", "soak.b.2"],
    ["soak.*.*"],
]
"""Patterns of a browser; most overlap."""
HOLDERS = [
    {
        "name": f"holder {n}",
        "token": f"a-token-for-the-long-run-{n:06d}",
        "allow": ["soak.>", f"user.{n}.>"],
        "deny": [f"soak.*.hidden{n}"] if n % 2 else [],
    }
    for n in range(50)
]
"""Who the browsers are for: grants of their own, and for half of them denials, too."""


class Member:
    """One browser; `follow` ends with its connection."""

    def __init__(
        self,
        stream: str,
        patterns: list[str],
        published: dict[str, Numbers],
        findings: Findings,
        token: str | None = None,
    ) -> None:
        self.checker = Checker(published, findings, " ".join(patterns))
        self.patterns = patterns
        self.told_at = self.flowed_at = self.dropped_at = 0.0
        """When it last heard of an outage, got a message while none was told, heard of a drop."""
        narrow = {"sock": narrow_socket(stream)} if BURST in patterns else {}
        self._browser = Browser(stream, token, ping_interval=None, **narrow)
        self._leaves = False
        self._is_down = False

    async def follow(self) -> None:
        """Check what comes until the connection ends; that is wrong unless it was to end."""
        try:
            async with self._browser as browser:
                await browser.send({"subjects": self.patterns})
                async for frame in browser.ws:
                    for line in str(frame).split("\n"):
                        self._take(line)
        except (ConnectionClosed, OSError, TimeoutError):
            pass
        if not self._leaves:
            self.checker.violated("the connection was ended")

    async def leave(self) -> None:
        """Close the connection as a page does."""
        self._leaves = True
        await self._browser.ws.close()

    def kill(self) -> None:
        """Reset the connection, as a browser that crashes."""
        self._leaves = True
        reset(self._browser.ws)

    def stop_reading(self) -> None:
        self._browser.ws.transport.pause_reading()

    def read_on(self) -> None:
        self._browser.ws.transport.resume_reading()

    def _take(self, line: str) -> None:
        frame = json.loads(line)
        self.checker.take(frame)
        if "subject" in frame:
            if not self._is_down:
                self.flowed_at = time.monotonic()
        elif frame == DOWN:
            self._is_down = True
            self.told_at = time.monotonic()
        elif frame == UP:
            self._is_down = False
        elif "dropped" in frame:
            self.dropped_at = time.monotonic()


class Crowd:
    """So many browsers at any time, chosen by `chance`."""

    def __init__(
        self, stream: str, size: int, published: dict[str, Numbers], chance: Random
    ) -> None:
        self.members: list[Member] = []
        self.findings = Findings()
        self.came = 0
        """Browsers so far."""
        self._stream = stream
        self._size = size
        self._published = published
        self._chance = chance
        self._tasks: dict[Member, asyncio.Task[None]] = {}
        self.readers: dict[Reader, asyncio.Task[None]] = {}
        self._compared = 0
        """The sequence up to which all readers were compared with the stream."""

    async def fill(self) -> None:
        """Have new browsers come until there are enough, and wait until messages come to all."""
        await self._forget_ended()
        while len(self.members) < self._size:
            stream, patterns, token = self._wish(self.members)
            member = Member(stream, patterns, self._published, self.findings, token)
            self.members.append(member)
            self.came += 1
            self._tasks[member] = asyncio.create_task(member.follow())
        while len(self.readers) < self._size:
            stream, patterns, token = self._wish(self.readers)
            reader = Reader(stream, patterns, self.findings, token, narrow=BURST in patterns)
            self.readers[reader] = asyncio.create_task(reader.follow())
        if not await reached(lambda: all(each.flowed_at for each in self.members), PATIENCE):
            self.findings.violations.append("nothing came to a browser that came anew")
        if not await reached(lambda: all(each.checker.follows for each in self.readers), PATIENCE):
            self.findings.violations.append("the stream did not come to a browser that came anew")

    def _wish(self, others: Iterable[Member | Reader]) -> tuple[str, list[str], str]:
        """Choose for a new browser where it connects, what it follows, and its token."""
        wish = self._chance.choice(WISHES)
        following = sum(BURST in each.patterns for each in others)
        burst = [BURST] if following < max(self._size // 20, 3) else []
        stream = self._stream + self._chance.choice(["", "?batch=1"])
        return stream, burst + wish, str(self._chance.choice(HOLDERS)["token"])

    def one(self) -> tuple[Member, Reader]:
        """Choose a browser of each kind that follow the bursts."""
        member = self._chance.choice([each for each in self.members if BURST in each.patterns])
        return member, self._chance.choice(
            [each for each in self.readers if BURST in each.patterns]
        )

    def some_readers(self, count: int) -> list[Reader]:
        """Choose `count` of those that follow the stream."""
        return self._chance.sample(list(self.readers), min(count, len(self.readers)))

    async def compare(self, server: NatsServer) -> None:
        """Hold what readers got against what the stream has, once they have it or time is up."""
        async with plain_client(server) as client:
            entries = await entries_of(client, STREAM, self._compared)
        if entries:
            self._compared = entries[-1].sequence
        await reached(lambda: all(each.checker.has(entries) for each in self.readers), PATIENCE)
        for each in self.readers:
            each.checker.compare(entries)

    def some(self, count: int) -> list[Member]:
        """Choose `count` browsers."""
        return self._chance.sample(self.members, min(count, len(self.members)))

    async def lose(self, *gone: Member) -> None:
        """Kill browsers, as far as they are still there, and have as many others come."""
        for member in gone:
            member.kill()
            await self._forget(member)
        await self.fill()

    async def part(self) -> None:
        """Have all leave, once each has what it is due or time is up, and check each to the end."""
        await self._forget_ended()
        await reached(lambda: all(each.checker.is_complete for each in self.members), PATIENCE)
        for member in self.members:
            member.checker.finish()
        await asyncio.gather(*(each.leave() for each in (*self.members, *self.readers)))
        await asyncio.gather(*self.readers.values())
        self.readers.clear()
        for member in list(self.members):
            await self._forget(member)

    async def _forget_ended(self) -> None:
        """Forget those whose connection has ended: each has said so, and can say no more."""
        for member in [each for each in self.members if self._tasks[each].done()]:
            await self._forget(member)

    async def _forget(self, member: Member) -> None:
        self.members.remove(member)
        await self._tasks.pop(member)


async def reached(condition: Callable[[], bool], within: float) -> bool:
    """Wait until `condition` holds, for `within` seconds at most; return whether it does."""
    deadline = time.monotonic() + within
    while not (holds := condition()) and time.monotonic() < deadline:
        await asyncio.sleep(0.005)
    return holds
