"""The browsers of the long run: 200 that follow something, and one comes for each that goes."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable
from random import Random
from socket import SO_LINGER, SO_RCVBUF, SOL_SOCKET
from struct import pack
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed

from tests.soak.checker import DOWN, UP, Checker, Findings, Numbers
from tests.support.browser_client import Browser
from tests.support.servers import PATIENCE

BURST = "soak.burst"
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
NARROW = 65536
"""Bytes the kernel may hold for a browser that follows bursts; less, and it could not catch up."""


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
        narrow = {"sock": _narrow_socket(stream)} if BURST in patterns else {}
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
        transport = self._browser.ws.transport
        if not transport.is_closing():
            raw = transport.get_extra_info("socket")
            raw.setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))
            transport.abort()

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


def _narrow_socket(stream: str) -> socket.socket:
    """Connect with a small receive buffer.

    Made small later, TCP would throw away what is on its way, and wait before it sends it again.
    """
    address = urlsplit(stream)
    raw = socket.socket()
    raw.setsockopt(SOL_SOCKET, SO_RCVBUF, NARROW)
    raw.connect((address.hostname, address.port))
    raw.setblocking(False)
    return raw


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

    async def fill(self) -> None:
        """Have new browsers come until there are enough, and wait until messages come to all."""
        await self._forget_ended()
        while len(self.members) < self._size:
            wish = self._chance.choice(WISHES)
            following = sum(BURST in each.patterns for each in self.members)
            burst = [BURST] if following < max(self._size // 20, 3) else []
            stream = self._stream + self._chance.choice(["", "?batch=1"])
            token = str(self._chance.choice(HOLDERS)["token"])
            member = Member(stream, burst + wish, self._published, self.findings, token)
            self.members.append(member)
            self.came += 1
            self._tasks[member] = asyncio.create_task(member.follow())
        if not await reached(lambda: all(each.flowed_at for each in self.members), PATIENCE):
            self.findings.violations.append("nothing came to a browser that came anew")

    def one(self) -> Member:
        """Choose a browser that follows the bursts."""
        return self._chance.choice([each for each in self.members if BURST in each.patterns])

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
        await asyncio.gather(*(each.leave() for each in self.members))
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
