"""The rows of a fan-out to many whose patterns or grants differ."""

from __future__ import annotations

import itertools
import time
import uuid
from functools import partial

from bench.figures import Spread
from bench.heart.browser import Step, greeting, request
from bench.heart.bystander import SUBJECT, Window, spread_evenly
from bench.heart.others import Comers, Toggler, Watcher
from bench.heart.process import Child
from bench.heart.table import Measured
from bench.heart.world import Bench, Holder, holders, world
from bench.load import Publisher
from bench.suites import MOST_BUSY
from bench.targets import publish

KIB = 1024


def grants(bench: Bench) -> Measured:
    """Messages on new subjects, all at once, to holders with grants of their own.

    Memory is what the gateway (RSS) has grown by since all were there and followed `public.>`.
    """
    stops, memory, took = [], [], []
    notes: list[str] = []
    for number in bench.rounds():
        bench.say(f"round {number}: holders come")
        tokens = holders(bench.size(300))
        chains = [_follows(["public.>"], each.token) for each in tokens]
        subjects = bench.size(9900)
        with world(bench, tokens) as here:
            crowd = here.crowd(chains)
            watcher = here.child(partial(Watcher, here.gateway.port))
            publisher = Publisher(here.nats.port)
            here.gateway.counters()  # makes room for what it answers with
            before = here.gateway.ps.memory_info().rss
            bench.say(f"round {number}: {subjects} new subjects")
            watcher.start("go")
            begin = time.monotonic()
            data = b"".join(publish(f"public.dev.{n}", b"1") for n in range(subjects))
            publisher.socket.sendall(data)
            here.wait_until_received(subjects)
            took.append(time.monotonic() - begin)
            time.sleep(0.3)
            stops.append(watcher.finish() * 1000)
            memory.append((here.gateway.ps.memory_info().rss - before) / len(tokens) / KIB)
            publisher.close()
            notes += _cut(crowd)
    return Measured(
        [Spread.of(stops), Spread.of(memory)], [f"all is done after {Spread.of(took)} s", *notes]
    )


def turnover(bench: Bench) -> Measured:
    """A steady load for holders with grants of their own, while others like them come and go."""
    count, subjects = bench.size(600), bench.size(600)
    tokens = holders(count + 60)
    watching = Holder("token-of-the-bystander", [SUBJECT])
    chains = [_follows(["public.>"], each.token) for each in tokens]
    load = spread_evenly((f"public.{n}" for n in itertools.cycle(range(subjects))), 600)
    bench.say(f"{count} holders come")
    with world(bench, [*tokens, watching]) as here:
        crowd = here.crowd(chains[:count])
        comers = here.child(lambda: Comers(here.gateway.port, chains[count:], rate=6))
        bystander = here.bystander(load, crowd, watching.token)
        quiet, busy, told = _compare(bench, bystander, comers, "six come and go each second")
        came, answered = (sum(each) for each in zip(*told, strict=True))
        notes = [*_changes(quiet, busy), f"{answered} of {came} got an answer within their second"]
        notes += _cut(crowd)
    ratio = Spread.of_ratios([each.p99 for each in busy], [each.p99 for each in quiet])
    return Measured([ratio], notes)


def toggle(bench: Bench) -> Measured:
    """A popular pattern, which one browser more joins and leaves again and again."""
    chains = _patterned(bench.size(100), 64)
    subjects = bench.size(300)
    load = spread_evenly((f"t.{n}" for n in itertools.cycle(range(subjects))), 300)
    both = [request(["t.>"]), request(["t.>"], "unsubscribe")]
    bench.say(f"{len(chains)} browsers come, with 64 patterns each")
    with world(bench) as here:
        crowd = here.crowd(chains)
        toggler = here.child(lambda: Toggler(here.gateway.port, greeting(), both, rate=10))
        bystander = here.bystander(load, crowd)
        quiet, busy, _ = _compare(bench, bystander, toggler, "one toggles")
        notes = [*_changes(quiet, busy), *_cut(crowd)]
    pairs = list(zip(quiet, busy, strict=True))
    later = Spread.of([after.p99 - before.p99 for before, after in pairs])
    more = Spread.of([100 * (b.busy["gateway"] - a.busy["gateway"]) for a, b in pairs])
    return Measured([later, more], notes)


def fresh(bench: Bench) -> Measured:
    """Subjects that are always new, under a pattern that many follow beside their own."""
    chains = _patterned(bench.size(100), 128)
    load = spread_evenly((f"t.{uuid.uuid4()}" for _ in itertools.count()), 200)
    bench.say(f"{len(chains)} browsers come, with 128 patterns each")
    with world(bench) as here:
        crowd = here.crowd(chains)
        bystander = here.bystander(load, crowd)
        bystander.call("measure", 1)  # to warm up
        windows = []
        for number in bench.rounds():
            bench.say(f"round {number}")
            windows.append(bystander.call("measure", bench.seconds))
        notes = [f"CPU {_cpu(windows)} %", *_bottleneck(windows), *_cut(crowd)]
    return Measured([_p99(windows)], notes)


def _follows(patterns: list[str], token: str = "") -> list[Step]:
    """Return what a browser does to follow `patterns`."""
    return [greeting(token), request(patterns)]


def _patterned(count: int, patterns: int) -> list[list[Step]]:
    """Return what browsers do to follow `t.>`, and for the rest of so many patterns their own."""
    own = [[f"own.{n}.{i}" for i in range(patterns - 1)] for n in range(count)]
    return [_follows([*each, "t.>"]) for each in own]


def _compare(
    bench: Bench, bystander: Child, others: Child, what: str
) -> tuple[list[Window], list[Window], list[object]]:
    """Measure in turn without the others and with them; return both, and what the others tell."""
    quiet, busy, told = [], [], []
    bystander.call("measure", 2)  # to warm up: each subject comes for the first time once
    for number in bench.rounds():
        bench.say(f"round {number}: quiet")
        quiet.append(bystander.call("measure", bench.seconds))
        bench.say(f"round {number}: {what}")
        others.start("go")
        busy.append(bystander.call("measure", bench.seconds))
        told.append(others.finish())
        time.sleep(0.5)  # until the last of them has left
    return quiet, busy, told


def _changes(quiet: list[Window], busy: list[Window]) -> list[str]:
    """Return notes: what latency and CPU were without the others, and with them."""
    return [
        f"p99 {_p99(quiet)}, then {_p99(busy)} ms",
        f"CPU {_cpu(quiet)}, then {_cpu(busy)} %",
        *_bottleneck(quiet + busy),
    ]


def _p99(windows: list[Window]) -> Spread:
    return Spread.of([each.p99 for each in windows])


def _cpu(windows: list[Window]) -> Spread:
    return Spread.of([100 * each.busy["gateway"] for each in windows])


def _bottleneck(windows: list[Window]) -> list[str]:
    """Return a note if the load took a core of its own."""
    busiest = max(each.busy["crowd"] for each in windows)
    return [f"the crowd was busy for {busiest:.0%}: no figure holds"] if busiest > MOST_BUSY else []


def _cut(crowd: Child) -> list[str]:
    """Return a note if the gateway has ended connections that read everything."""
    cut = crowd.call("cut")
    return [f"{cut} of the crowd were cut"] if cut else []
