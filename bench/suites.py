"""What is measured: each step one run of one target, the targets in turn, round by round."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.annotated import variants
from bench.load import Crowd, Run, payloads
from bench.targets import Gateway, Target

MOST_BUSY = 0.8
"""Share of a core from which the load generator, not the target, may be what is measured."""

# Deliveries of one run, so that each takes about half a second.
DELIVERIES = {
    "callback, plain": 300_000,
    "callback, async": 60_000,
    "plain gateway": 6_000,
}


@dataclass
class Result:
    """Figures of one run. `valid` is false if the load generator was the bottleneck."""

    table: str
    row: str
    target: str
    valid: bool
    figures: dict[str, float] = field(default_factory=dict)


@dataclass
class Step:
    """One run to be made."""

    label: str
    run: Callable[[], Result]


def quick(targets: list[Target]) -> list[Step]:
    """Return the main table, one round."""
    return fan_out(targets, rounds=1)


def everything(targets: list[Target]) -> list[Step]:
    """Return every table; each figure is a median of at least five rounds."""
    main = [each for each in targets if each.name in ("gateway", "gateway, batch=1", "native")]
    pair = [each for each in main if each.name != "gateway, batch=1"]
    return [
        *fan_out(targets, rounds=5),
        *paced(pair, rounds=5),
        *growth(main, rounds=5),
        *metadata(targets, rounds=5),
        *idle(pair, rounds=3),
    ]


def fan_out(targets: list[Target], rounds: int) -> list[Step]:
    """One subject, N connections, 128-byte payloads, published as fast as they are taken."""
    steps = []
    for n in (1, 10, 100, 500):
        for _ in range(rounds):
            for target in targets:
                if target.name != "plain gateway" or n <= 100:
                    wanted = DELIVERIES.get(target.name, 300_000 if n == 1 else 3_000_000)
                    count = max(20, min(300_000, wanted // n))
                    steps.append(_unpaced("fan-out", str(n), target, [["bench"]] * n, count))
    return steps


def metadata(targets: list[Target], rounds: int) -> list[Step]:
    """The gateway's fan-out where messages have headers or reply subjects, over plain ones."""
    gateway = next(each for each in targets if isinstance(each, Gateway))
    return [
        _unpaced("metadata", str(n), target, [["bench"]] * n, min(200_000, 2_000_000 // n))
        for n in (1, 10, 100)
        for _ in range(rounds)
        for target in variants(gateway)
    ]


def growth(targets: list[Target], rounds: int) -> list[Step]:
    """How the cost grows with connections, payload, patterns, and patterns that overlap."""
    steps = []
    for _ in range(rounds):
        for target in targets:
            for n in (1000, 2000):
                steps.append(_unpaced("connections", str(n), target, [["bench"]] * n, 1500))
            for size in (16, 1024, 16384, 65536):
                count = max(20, min(30_000, 300_000_000 // (100 * size)))
                many = [["bench"]] * 100
                steps.append(
                    _unpaced("payload, 100 connections", str(size), target, many, count, size)
                )
            for patterns in (10, 100, 1000):
                spread = [[f"bench.{n % patterns}"] for n in range(1000)]
                count = 400_000 // (1000 // patterns)
                steps.append(
                    _unpaced("patterns, 1000 connections", str(patterns), target, spread, count)
                )
            if isinstance(target, Gateway):
                for row, follow in (
                    ("one", ["bench.*"]),
                    ("three that overlap", ["bench.*", "bench.>", "*.0"]),
                ):
                    many = [follow] * 100
                    steps.append(_unpaced("overlap, 100 connections", row, target, many, 20_000))
    return steps


def _unpaced(
    table: str, row: str, target: Target, follow: list[list[str]], count: int, size: int = 128
) -> Step:
    subjects = sorted({each for patterns in follow for each in patterns if "*" not in each})
    if "overlap" in table:
        subjects = ["bench.0"]

    def run() -> Result:
        messages = [
            (subjects[n % len(subjects)], payload)
            for n, payload in enumerate(payloads(count, size))
        ]
        with Crowd(target, follow) as crowd:
            done = crowd.run(messages)
        return _result(table, row, target, done, {"deliveries": done.deliveries})

    return Step(f"{table} {row}: {target.name}", run)


def paced(targets: list[Target], rounds: int) -> list[Step]:
    """200 messages a second to 1000 connections: how late they come, and the CPU it takes."""

    def step(target: Target) -> Step:
        def run() -> Result:
            with Crowd(target, [["bench"]] * 1000) as crowd:
                done = crowd.run([("bench", each) for each in payloads(600)], rate=200)
            late = statistics.quantiles(done.latencies, n=100)
            figures = {"p50 ms": late[49] * 1000, "p99 ms": late[98] * 1000}
            figures["CPU s per 100,000"] = done.server_cpu / done.due * 100_000
            return _result("paced", "200/s to 1000", target, done, figures)

        return Step(f"paced: {target.name}", run)

    return [step(target) for _ in range(rounds) for target in targets]


def idle(targets: list[Target], rounds: int) -> list[Step]:
    """5000 connections with one subscription each: time to set them up, memory they take."""

    def step(target: Target) -> Step:
        def run() -> Result:
            before = target.ps.memory_info().rss
            with Crowd(target, [["bench"]] * 5000) as crowd:
                each = (target.ps.memory_info().rss - before) / 5000
                figures = {"KiB each": each / 1024, "set-up s": crowd.seconds}
            return Result("idle", "5000", target.name, True, figures)

        return Step(f"idle: {target.name}", run)

    return [step(target) for _ in range(rounds) for target in targets]


def _result(table: str, row: str, target: Target, done: Run, figures: dict[str, float]) -> Result:
    figures["generator CPU"] = done.generator_cpu
    figures["target CPU"] = done.server_cpu / done.seconds
    return Result(table, row, target.name, done.generator_cpu <= MOST_BUSY, figures)
