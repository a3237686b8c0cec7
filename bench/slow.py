"""Shows that slow browsers cost nobody else anything: rounds without and with two bad ones.

python -m bench.slow     200 connections, 5000 messages a second, about a minute and a half

Of the two, one never reads and one reads 10 KB a second. Prints a table and each promise that was
not kept; the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from bench.client import Failure
from bench.figures import percentile
from bench.slow_rounds import Round, Shape, measure
from bench.suites import MOST_BUSY
from bench.targets import Gateway, NatsServer

GROWTH = 1.1
"""What the 99th percentile of the healthy may grow by."""
MEMORY = 4 * 2**20
"""Bytes (RSS) the two may cost: 1 MiB of pending each, and what a buffer takes to grow."""
ROUNDS = 5


@contextmanager
def running() -> Iterator[Gateway]:
    """Start a gateway with the limits it has by default, and its nats-server."""
    nats = NatsServer()
    try:
        gateway = Gateway("gateway", nats, MAX_PENDING_BYTES="1048576", WRITE_TIMEOUT="5")
        try:
            time.sleep(1)  # until it is connected to NATS
            yield gateway
        finally:
            gateway.stop()
    finally:
        nats.stop()


def summary(alone: list[Round], beside: list[Round]) -> tuple[str, list[str]]:
    """Return a table, and what was not as promised."""
    faults = [fault for each in alone + beside for fault in each.faults()]
    busiest = max(each.generator_cpu for each in alone + beside)
    if busiest > MOST_BUSY:
        faults.append(f"the load generator was busy for {busiest:.0%}: no figure holds")
    table = [f"{'medians':32}{'alone':>10}{'beside two bad ones':>24}"]

    def row(name: str, unit: float, values: Callable[[Round], list[float]]) -> tuple[float, float]:
        without, within = (
            statistics.median(value for each in rounds for value in values(each)) / unit
            for rounds in (alone, beside)
        )
        table.append(f"{name:32}{without:>10.2f}{within:>24.2f}")
        return without, within

    row("p50, ms", 0.001, lambda each: [statistics.median(each.late)])
    row("p99 of a round, ms", 0.001, lambda each: [percentile(each.late, 99)])
    before, after = row("p99 of a tenth of a second, ms", 0.001, Round.p99s)
    if after > before * GROWTH:
        faults.append(f"the p99 of a tenth of a second grew by {after / before - 1:.0%}")
    before, after = row("memory at its most, MiB", 2**20, lambda each: [each.memory])
    if after - before > MEMORY / 2**20:
        faults.append(f"memory grew by {after - before:.1f} MiB")
    for each in beside:
        table.append(
            f"never reads: cut after {each.gone_after or 0:.1f} s; reads 10 KB/s: "
            f"{each.received} received + {each.told} dropped of {each.shape.messages}"
        )
    return "\n".join(table), faults


def main() -> None:
    """Measure, print what came of it, and exit with 1 if a promise was not kept."""
    parser = argparse.ArgumentParser(prog="bench.slow", description=__doc__.split("\n")[0])
    parser.add_argument("--rate", type=int, default=Shape.rate, help="messages a second")
    shape = Shape(rate=parser.parse_args().rate)
    alone, beside = [], []
    try:
        with running() as gateway:
            measure(gateway, replace(shape, seconds=2), with_bad=False)  # to warm up
            for number in range(1, ROUNDS + 1):
                print(f"round {number} of {ROUNDS}", file=sys.stderr)
                alone.append(measure(gateway, shape, with_bad=False))
                beside.append(measure(gateway, shape, with_bad=True))
    except Failure as failure:
        sys.exit(f"not as promised: {failure}")
    table, faults = summary(alone, beside)
    print(table)
    for fault in faults:
        print(f"not as promised: {fault}")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
