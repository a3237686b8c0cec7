"""The rows of what browsers ask for: how soon it is answered, and the CPU it takes."""

from __future__ import annotations

import select
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench.client import Failure
from bench.figures import Spread
from bench.heart.browser import Browser, Step, greeting, request
from bench.heart.crowd import AT_ONCE, Asked, Crowd
from bench.heart.others import Traffic
from bench.heart.process import PATIENCE, cpu_seconds
from bench.heart.table import Measured
from bench.heart.world import Bench, World, world
from bench.suites import MOST_BUSY
from bench.targets import Native, publish

OURS, NATIVE = "the gateway", "nats-server"
PATTERNS = 128
SLOT = 0.05
"""Seconds between two requests: a connection may ask 20 times a second."""
SILENCE = 0.03
"""Seconds without a byte after which all of an answer has come."""


def far(bench: Bench) -> Measured:
    """Browsers that all ask at once, while NATS is in another zone."""
    worst, typical = [], []
    count = bench.size(200)
    for number in bench.rounds():
        bench.say(f"round {number}: {count} browsers come and ask")
        asked = [request([f"own.{n}.{i}" for i in range(10)]) for n in range(count)]
        with world(bench, delay=0.005) as here:
            crowd = here.crowd([[greeting()]] * count)
            answered: Asked = crowd.call("ask", asked)
        worst.append(max(answered.each))
        typical.append(statistics.median(answered.each))
    return Measured([Spread.of(worst)], [f"p50 {Spread.of(typical)} s"])


def joins(bench: Bench) -> Measured:
    """Browsers that come and follow two subjects each, one of which is published meanwhile."""
    return _beside_native(bench, lambda n: ["shared", f"own.{n}"], AT_ONCE, rate=20)


def arrivals(bench: Bench) -> Measured:
    """Browsers that come one after the other, each of which is logged."""
    return _beside_native(bench, lambda _: ["shared"], at_once=1, LOG_LEVEL="info")


def _beside_native(
    bench: Bench,
    wanted: Callable[[int], list[str]],
    at_once: int,
    rate: float = 0,
    **settings: str,
) -> Measured:
    """Compare how long it takes until all browsers follow what is `wanted` of each.

    `rate`: messages a second meanwhile on the subject that they share.
    """
    follow = [wanted(n) for n in range(bench.size(3000))]
    times: dict[str, list[float]] = {OURS: [], NATIVE: []}
    busiest = 0.0
    for number in bench.rounds(budget=45):
        for name in times if number % 2 else reversed(times):
            bench.say(f"round {number}: {len(follow)} browsers come to {name}")
            with world(bench, **settings) as here, _traffic(here, rate):
                seconds, busy = _come(here, follow, at_once, native=name == NATIVE)
            times[name].append(seconds)
            busiest = max(busiest, busy)
    notes = [f"{name} {Spread.of(seconds)} s" for name, seconds in times.items()]
    if busiest > MOST_BUSY:
        notes.append(f"the crowd was busy for up to {busiest:.0%}")
    return Measured([Spread.of_ratios(times[OURS], times[NATIVE])], notes)


@contextmanager
def _traffic(here: World, rate: float) -> Iterator[None]:
    """Publish on the shared subject meanwhile, if there is a rate."""
    if not rate:
        yield
        return
    traffic = here.child(lambda: Traffic(here.nats.port, publish("shared", b"1"), rate))
    traffic.start("go")
    yield
    traffic.finish()


def _come(
    here: World, follow: list[list[str]], at_once: int, *, native: bool
) -> tuple[float, float]:
    """Return the seconds until all follow their subjects, and the crowd's share of a core."""
    if native:
        server = Native(here.nats)
        port = server.port
        chains = [[Step(*each) for each in server.steps(subjects)] for subjects in follow]
    else:
        port = here.gateway.port
        chains = [[greeting(), request(subjects)] for subjects in follow]
    crowd = here.child(lambda: Crowd(port))
    before = cpu_seconds(crowd.pid)
    asked: Asked = crowd.call("come", chains, at_once)
    return asked.seconds, (cpu_seconds(crowd.pid) - before) / asked.seconds


def ask(bench: Bench) -> Measured:
    """One browser that asks for as many patterns as it may, and leaves them again."""
    kinds = {
        "ordinary": [f"ordinary.{n}" for n in range(PATTERNS)],
        "overlapping": [".".join(["*"] * 109 + [f"x{n}"]) for n in range(PATTERNS - 1)] + [">"],
    }
    taken: dict[str, list[float]] = {}
    with world(bench) as here:
        browser = Asking(here)
        for kind, patterns in kinds.items():
            bench.say(f"{kind} patterns")
            for _ in range(bench.size(40)):
                bench.beat()
                for action in ("subscribe", "unsubscribe"):
                    cost = browser.cost(request(patterns, action))
                    taken.setdefault(f"{action} {kind}", []).append(cost * 1000)
    spreads = {name: Spread.of(times) for name, times in taken.items()}
    worst = max(spreads.values(), key=lambda each: each.value)
    return Measured([worst], [f"{name} {spread} ms" for name, spread in spreads.items()])


class Asking:
    """A browser that looks at the gateway's CPU time beside each request."""

    def __init__(self, here: World) -> None:
        self._pid = here.gateway.process.pid
        self._browser = Browser(here.gateway.port)
        self._poll = select.poll()
        self._poll.register(self._browser.socket, select.POLLIN)
        self._answer(greeting())
        before = cpu_seconds(self._pid)
        time.sleep(2)
        self._idle = (cpu_seconds(self._pid) - before) / 2
        """Share of a core that the gateway uses while nobody asks."""

    def cost(self, step: Step) -> float:
        """Return the CPU seconds that a request takes, with all that follows its answer."""
        before, begin = cpu_seconds(self._pid), time.monotonic()
        self._answer(step)
        while self._poll.poll(SILENCE * 1000):
            self._browser.take()
        time.sleep(max(0, begin + SLOT - time.monotonic()))
        return cpu_seconds(self._pid) - before - self._idle * (time.monotonic() - begin)

    def _answer(self, step: Step) -> None:
        self._browser.ask([step])
        deadline = time.monotonic() + PATIENCE
        while not self._browser.read():
            self._poll.poll(1000)
            if time.monotonic() > deadline:
                raise Failure("a request has no answer")
