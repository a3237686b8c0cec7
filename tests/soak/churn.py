"""Thousands of connections that come, subscribe and break off: nothing of them may stay."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from math import inf
from pathlib import Path

from tests.soak.checker import Findings
from tests.soak.crowd import Member, reached
from tests.soak.outcome import Outcome, Progress
from tests.soak.publisher import Publisher
from tests.soak.report import Base
from tests.soak.visitor import AT_ONCE, Visitor
from tests.support.crowd import UPGRADE
from tests.support.servers import PATIENCE, Gateway, NatsServer, running

CYCLES = 100_000
WARM_UP = 10_000
"""So many more before them: until then memory grows, as for any program that comes to work."""
MEMORY = 0.05
"""The share by which memory (RSS) may be more after the cycles than after the warm-up."""
SUBJECT = "churn.beside"
PATTERNS = 50
"""Those that only they follow: each of them loses its last follower again and again."""
EVERY = 0.01
"""Seconds between two messages to the bystander."""


class Breaker(Visitor):
    """A visitor whose request for an upgrade breaks off in the middle."""

    def begin(self) -> None:
        self.transport.write(UPGRADE[: len(UPGRADE) // 2])


EARLY = {16: "asked", 17: "asked", 18: "broken", 19: "broken"}
"""Of twenty, those that break off before their response comes, or in the middle of a handshake."""


class Churn:
    """Goes through so many cycles, some hundred at a time."""

    def __init__(
        self,
        cycles: int = CYCLES,
        warm_up: int = WARM_UP,
        memory: float = MEMORY,
        program: str = "main.py",
        patience: float = PATIENCE,
    ) -> None:
        self._program, self._patience = program, patience
        self._cycles, self._warm_up, self._memory = cycles, warm_up, memory
        self._ends: Counter[str] = Counter()
        self._failed = 0
        """Cycles that did not come as far as they were to come."""

    async def run(self, folder: Path, progress: Progress) -> Outcome:
        """Compare what the gateway holds before and after."""
        outcome = Outcome(f"{self._cycles} times: connect, subscribe, break off")
        with running(NatsServer(folder)) as server:
            service = Gateway(
                server.url,
                program=self._program,
                log=folder / "gateway.log",
                cold=True,
                max_connections_per_address=10000,  # so many may come from one in a minute, too
            )
            with running(service) as gateway:
                async with bystander(server, gateway, outcome):
                    await asyncio.to_thread(Base.of, gateway, server)  # the first look makes things
                    fresh = await asyncio.to_thread(Base.of, gateway, server)
                    await self._cycle(self._warm_up, gateway, progress, "warming up")
                    warm = await _settled(fresh, gateway, server, self._patience)
                    self._ends.clear()
                    seconds = await self._cycle(self._cycles, gateway, progress, "cycles")
                    end = await _settled(fresh, gateway, server, self._patience)
        self._report(outcome, seconds)
        for name in ("subscriptions", "tasks", "descriptors", "connections"):
            outcome.exactly(f"{name} at the end", getattr(end, name), getattr(fresh, name))
        most = warm.memory * (1 + self._memory)
        outcome.tell(f"memory after {self._warm_up} cycles", f"{warm.memory:.1f} MiB")
        outcome.at_most("memory at the end", end.memory, most, "MiB")
        return outcome

    async def _cycle(self, count: int, gateway: Gateway, progress: Progress, what: str) -> float:
        """Go through `count` cycles; return the seconds they took."""
        begun, turns = time.monotonic(), iter(range(count))
        workers = [asyncio.create_task(self._work(turns, gateway)) for _ in range(AT_ONCE)]
        try:
            while not all(each.done() for each in workers):
                memory = gateway.ps().memory_info().rss / 2**20
                done = self._ends.total() + self._failed
                progress.say(f"{what}: {done} of {count}, {memory:.1f} MiB")
                await asyncio.wait(workers, timeout=0.5)
        finally:
            for each in workers:
                each.cancel()
        await asyncio.gather(*workers)
        return time.monotonic() - begun

    async def _work(self, turns: Iterator[int], gateway: Gateway) -> None:
        for turn in turns:
            early = EARLY.get(turn % 20, "")
            by_reset = turn // 20 % 2 == turn % 2
            visitor = (Breaker if early == "broken" else Visitor)(_pattern(turn))
            try:
                async with asyncio.timeout(PATIENCE):
                    await visitor.come(gateway)
                    came = await _came(visitor, early)
                    (visitor.reset if by_reset else visitor.close)()
                    await asyncio.shield(visitor.ended)
            except (OSError, TimeoutError):
                came = False
            if came:
                self._ends[f"{early or 'followed'}, {'RST' if by_reset else 'FIN'}"] += 1
            else:
                self._failed += 1

    def _report(self, outcome: Outcome, seconds: float) -> None:
        rate = self._cycles / seconds
        outcome.tell("they took", f"{seconds:.0f} s, {rate:.0f} a second, {AT_ONCE} at a time")
        outcome.exactly("did not come as far as they were to", self._failed, 0)
        for end, count in sorted(self._ends.items()):
            outcome.tell(end, str(count))


@asynccontextmanager
async def bystander(server: NatsServer, gateway: Gateway, outcome: Outcome) -> AsyncIterator[None]:
    """Have a browser beside them, which follows what they follow and is due every message once."""
    publisher = Publisher(SUBJECT, server.port, EVERY)
    findings = Findings()
    member = Member(gateway.stream, [SUBJECT], {SUBJECT: publisher.numbers}, findings)
    tasks = [asyncio.create_task(each) for each in (publisher.run(), member.follow())]
    try:
        await reached(lambda: member.flowed_at > 0, PATIENCE)
        yield
        publisher.paused = True
        await reached(lambda: publisher.numbers.all_confirmed, PATIENCE)
        await reached(lambda: member.checker.is_complete, PATIENCE)
        member.checker.finish()
        await member.leave()
    finally:
        for each in tasks:
            each.cancel()
    outcome.tell("messages to a bystander", str(findings.messages))
    outcome.exactly("lost, twice or out of order there", len(findings.violations), 0)
    outcome.broken += findings.violations[:1]


def _pattern(turn: int) -> str:
    """Return that of the bystander, one that overlaps it, or one that nobody else follows."""
    return (SUBJECT, "churn.*", f"churn.own.{turn % PATTERNS}")[turn % 3]


async def _came(visitor: Visitor, early: str) -> bool:
    """Wait as long as this one waits; return whether it came as far as it was to come."""
    if early == "broken":
        return True
    there = visitor.upgraded if early else visitor.acknowledged
    return await asyncio.shield(there) is not None


async def _settled(fresh: Base, gateway: Gateway, server: NatsServer, patience: float) -> Base:
    """Return what the gateway holds once it holds no more than `fresh`, or time is up."""
    deadline = time.monotonic() + patience
    while True:
        now = await asyncio.to_thread(Base.of, gateway, server)
        if not now.grown(fresh, inf) or time.monotonic() > deadline:
            return now
        await asyncio.sleep(0.1)
