"""Thousands of connections that stay: what they cost, and that a message still reaches each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from tests.soak.outcome import Outcome, Progress
from tests.soak.visitor import Visitor, come_all, cut_all, reach_all
from tests.support.servers import PATIENCE, Gateway, NatsServer, http, running

CONNECTIONS, PATTERNS, SECONDS = 10_000, 1_000, 600.0
MEMORY = 350.0
"""MiB (RSS) the gateway may take at its worst."""
BETWEEN = 15.0
"""Seconds from one message to the next."""
REACHED = 5.0
"""Seconds a message may take until it is with all."""
LIVE = 1.0
"""Seconds `/livez` may take: it says how long the event loop does something else."""


class Idle:
    """Holds `connections` that follow `patterns` for so many seconds."""

    def __init__(
        self,
        connections: int = CONNECTIONS,
        patterns: int = PATTERNS,
        seconds: float = SECONDS,
        between: float = BETWEEN,
        program: str = "main.py",
        reached: float = REACHED,
    ) -> None:
        self._program, self._reached = program, reached
        self._connections, self._patterns = connections, patterns
        self._seconds, self._between = seconds, between
        self._live: list[float] = []
        self._own: list[float] = []
        """Seconds `/livez` took, and those of them in which it was not kept waiting for a core."""
        self._reaching: list[float] = []
        self._busy: list[float] = []
        """Per cent of one core that the gateway used between two messages."""

    async def run(self, folder: Path, progress: Progress) -> Outcome:
        """Connect, hold, and say what was seen."""
        outcome = Outcome(f"{self._connections} idle connections on {self._patterns} patterns")
        with running(NatsServer(folder)) as server:
            service = Gateway(
                server.url, program=self._program, log=folder / "gateway.log", cold=True
            )
            with running(service) as gateway:
                visitors = [
                    Visitor(f"idle.{n % self._patterns}.*") for n in range(self._connections)
                ]
                before = _memory(gateway.ps())
                progress.say("setting up")
                begun = time.monotonic()
                await come_all(visitors, gateway)
                outcome.tell("all set up", f"{time.monotonic() - begun:.1f} s")
                lost = sum(not _holds(each) for each in visitors)
                outcome.exactly("refused or not acknowledged", lost, 0)
                await self._hold(visitors, server, gateway, progress)
                self._report(outcome, visitors, gateway.ps(), before)
                await cut_all(visitors)
        return outcome

    async def _hold(
        self,
        visitors: Sequence[Visitor],
        server: NatsServer,
        gateway: Gateway,
        progress: Progress,
    ) -> None:
        end = time.monotonic() + self._seconds
        subjects = [f"idle.{each}.x" for each in range(self._patterns)]
        number = 0
        while time.monotonic() < end:
            progress.say(self._line(visitors, gateway, end))
            await self._rest(gateway)
            self._reaching.append(
                await reach_all(visitors, subjects, number, server, self._reached)
            )
            number += 1

    def _line(self, visitors: Sequence[Visitor], gateway: Gateway, end: float) -> str:
        held, left = sum(map(_holds, visitors)), max(end - time.monotonic(), 0)
        return f"{held} held, {_memory(gateway.ps()):.0f} MiB, {left:.0f} s left"

    async def _rest(self, gateway: Gateway) -> None:
        """Let nothing happen but pings; look once a second whether the gateway answers."""
        begun, process = time.monotonic(), gateway.ps()
        before = _cpu(process)
        while (passed := time.monotonic() - begun) < self._between:
            await asyncio.sleep(min(1.0, self._between - passed))
            took, starved = await asyncio.to_thread(_look, gateway)
            self._live.append(took)
            self._own.append(max(took - starved, 0))
        self._busy.append((_cpu(process) - before) / (time.monotonic() - begun) * 100)

    def _report(
        self, outcome: Outcome, visitors: Sequence[Visitor], process: psutil.Process, before: float
    ) -> None:
        count, number = len(visitors), len(self._reaching)
        outcome.exactly(f"held for {self._seconds:g} s", sum(map(_holds, visitors)), count)
        outcome.at_most("memory of the gateway at its worst", _peak(process), MEMORY, "MiB")
        now = _memory(process)
        each = (now - before) * 1024 / count
        outcome.tell("at the end", f"{now:.0f} MiB, {each:.1f} KiB for each connection")
        got = sum(got_each_once(each, number) for each in visitors)
        outcome.tell("messages to each", str(number))
        outcome.exactly("got every message once", got, count)
        outcome.spread("until a message was with all", self._reaching, "s", self._reached)
        outcome.spread("CPU between messages", self._busy, "% of a core")
        outcome.spread("`/livez`", self._live, "s")
        outcome.spread("`/livez` but for waiting for a core", self._own, "s", LIVE)


def got_each_once(visitor: Visitor, number: int) -> bool:
    """Tell whether it got so many messages, each the next: all, if there were no more of them."""
    return visitor.got == number and not visitor.out_of_turn


def _look(gateway: Gateway) -> tuple[float, float]:
    """Ask `/livez`; return the seconds it took, and those the gateway or we waited for a core.

    A machine that is busy with other things is no fault of the gateway's.
    """
    tasks = (f"/proc/{gateway.ps().pid}", "/proc/thread-self")
    before, begun = sum(map(_starved, tasks)), time.monotonic()
    status, _ = http(f"{gateway.url}/livez")
    took = time.monotonic() - begun
    return (took, sum(map(_starved, tasks)) - before) if status == 200 else (PATIENCE, 0.0)


def _starved(task: str) -> float:
    """Seconds in which a thread could have run, but for others."""
    return int(Path(task, "schedstat").read_text().split()[1]) / 1e9


def _holds(visitor: Visitor) -> bool:
    """Tell whether it was acknowledged and is still there."""
    return visitor.acknowledged.done() and not visitor.ended.done()


def _memory(process: psutil.Process) -> float:
    """MiB of memory that it has now."""
    return process.memory_info().rss / 2**20


def _peak(process: psutil.Process) -> float:
    """MiB that it had at its worst; Linux keeps that."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    (line,) = (each for each in status.splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def _cpu(process: psutil.Process) -> float:
    """Seconds of CPU that it has used."""
    times = process.cpu_times()
    return times.user + times.system
