"""Thousands of pages that lose their gateway at once, and come back as it does."""

from __future__ import annotations

import asyncio
import random
import re
import signal
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.soak.outcome import Outcome, Progress
from tests.soak.visitor import Visitor, cut_all, reach_all
from tests.support.servers import PATIENCE, ROOT, Gateway, NatsServer, running, until

CLIENTS, PATTERNS = 5_000, 500
ALL_BACK = 30.0
"""Seconds from the gateway's return until everybody is acknowledged."""
ANSWERED = 5.0
"""Seconds from the moment a connection is taken until it is acknowledged."""


def _of_the_page(name: str) -> float:
    """Return a constant of the page's client, in seconds."""
    text = (ROOT / "page/js/client.js").read_text()
    (value,) = re.findall(rf"^const {name} = ([\d_]+);", text, re.MULTILINE)
    return int(value) / 1000


SHORTEST_WAIT, LONGEST_WAIT = _of_the_page("SHORTEST_WAIT"), _of_the_page("LONGEST_WAIT")
PAGE_PATIENCE, STEADY = _of_the_page("PATIENCE"), _of_the_page("STEADY")


@dataclass(frozen=True)
class Blow:
    """How the gateway is lost, and for how many seconds."""

    name: str
    signal: int
    away: float


BLOWS = [
    Blow("killed", signal.SIGKILL, 0),
    Blow("restarted", signal.SIGTERM, 0),
    Blow("killed, away for 20 s", signal.SIGKILL, 20),
]


class Page:
    """A browser that comes back as the page's client does: after a wait at random, ever longer."""

    def __init__(self, pattern: str, gateway: Gateway) -> None:
        self.visitor: Visitor | None = None
        """The connection that was acknowledged and stands."""
        self.back = 0.0
        """When it was acknowledged, by the loop's clock."""
        self.waits: list[float] = []
        """For each connection since the last blow: seconds from its beginning to its response."""
        self.cut = 0
        """Connections since then that ended, or were given up, before a response."""
        self._pattern, self._gateway = pattern, gateway
        self._tries = 0

    def forget(self) -> None:
        """Count afresh: a blow is to come."""
        self.waits.clear()
        self.back, self.cut = 0.0, 0

    @property
    def is_back(self) -> bool:
        """Whether it was acknowledged since, and its connection stands."""
        return self.back > 0 and self.visitor is not None

    async def stay(self) -> None:
        """Connect again and again, until cancelled."""
        while True:
            visitor = Visitor(self._pattern)
            await self._be_there(visitor)
            ceiling = min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** (self._tries + 1))
            self._tries += 1
            await asyncio.sleep(random.uniform(SHORTEST_WAIT, ceiling))

    async def _be_there(self, visitor: Visitor) -> None:
        """Connect once; return when that has ended."""
        opened = None
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(PAGE_PATIENCE):
                await visitor.come(self._gateway)
                opened = await asyncio.shield(visitor.upgraded)
        if opened is not None:
            acknowledged = await asyncio.shield(visitor.acknowledged)
            if acknowledged is not None and visitor.since is not None:
                self.waits.append(acknowledged - visitor.since)
                self.visitor, self.back = visitor, acknowledged
                await asyncio.shield(visitor.ended)
                self.visitor = None
                self._tries *= asyncio.get_running_loop().time() - opened < STEADY
                return
        if visitor.since is not None:
            self.cut += 1
            visitor.transport.abort()


class Storm:
    """Has `clients` come back after each of `blows`."""

    def __init__(
        self,
        clients: int = CLIENTS,
        patterns: int = PATTERNS,
        blows: Sequence[Blow] = BLOWS,
        all_back: float = ALL_BACK,
        program: str = "main.py",
        patience: float = PATIENCE,
    ) -> None:
        self._all_back, self._program, self._patience = all_back, program, patience
        self._clients, self._patterns, self._blows = clients, patterns, blows

    async def run(self, folder: Path, progress: Progress) -> Outcome:
        """Let all blows fall, one after the other."""
        outcome = Outcome(f"{self._clients} clients come back")
        with running(NatsServer(folder)) as server:
            service = Gateway(
                server.url, program=self._program, log=folder / "gateway.log", cold=True
            )
            with running(service) as gateway:
                names = [f"storm.{n % self._patterns}" for n in range(self._clients)]
                pages = [Page(f"{each}.*", gateway) for each in names]
                staying = [asyncio.create_task(each.stay()) for each in pages]
                try:
                    await self._wait(pages, progress, "for the first time")
                    for number, blow in enumerate(self._blows):
                        await self._strike(blow, pages, gateway, progress, outcome)
                        there = [each.visitor for each in pages if each.visitor]
                        subjects = [f"{each}.x" for each in set(names)]
                        await reach_all(there, subjects, number, server, self._patience)
                        got = sum(each.last == number for each in there)
                        outcome.exactly(f"{blow.name}, get messages", got, self._clients)
                finally:
                    for task in staying:
                        task.cancel()
                    await cut_all([each.visitor for each in pages if each.visitor])
        return outcome

    async def _strike(
        self,
        blow: Blow,
        pages: Sequence[Page],
        gateway: Gateway,
        progress: Progress,
        outcome: Outcome,
    ) -> None:
        """Let a blow fall, and say how all came back."""
        if blow is not self._blows[0]:
            progress.say("until their back-off begins afresh")
            await asyncio.sleep(STEADY)
        for page in pages:
            page.forget()
        progress.say(blow.name)
        await asyncio.to_thread(gateway.stop, blow.signal)
        await asyncio.sleep(blow.away)
        gateway.launch()
        await asyncio.to_thread(until, lambda: _listens(gateway.port))
        returned, busy = asyncio.get_running_loop().time(), time.process_time()
        await self._wait(pages, progress, blow.name)
        share = (time.process_time() - busy) / (asyncio.get_running_loop().time() - returned)
        times = [each.back - returned for each in pages if each.is_back]
        waits = [wait for page in pages for wait in page.waits]
        outcome.exactly(f"{blow.name}, are back", len(times), len(pages))
        outcome.spread(f"{blow.name}, back after", times, "s", self._all_back)
        outcome.spread(f"{blow.name}, response after", waits, "s", ANSWERED)
        outcome.exactly(f"{blow.name}, taken and cut", sum(page.cut for page in pages), 0)
        outcome.tell(f"{blow.name}, CPU of the clients", f"{share * 100:.0f} % of a core")

    async def _wait(self, pages: Sequence[Page], progress: Progress, name: str) -> None:
        """Wait until all are acknowledged, or more than enough time has passed."""
        end = time.monotonic() + 2 * self._all_back
        while (back := sum(each.is_back for each in pages)) < len(pages):
            progress.say(f"{name}: {back} of {len(pages)} are there")
            if time.monotonic() > end:
                return
            await asyncio.sleep(0.1)


def _listens(port: int) -> bool:
    """Tell whether the system takes connections for the gateway."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
