"""Measures the gateway beside nats-server's own WebSocket and a plain gateway, in one run.

python -m bench            everything, under ten minutes
python -m bench --quick    the main table, under one minute
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench import plot, report, suites
from bench.targets import Gateway, Native, NatsServer, Target

RESULTS = Path(__file__).parent / "results"


def targets(stack: ExitStack) -> list[Target]:
    """Start everything that is measured; the gateways share a nats-server, native has its own."""
    ours, native = NatsServer(), NatsServer()
    stack.callback(ours.stop)
    stack.callback(native.stop)
    gateway = Gateway("gateway", ours)
    started: list[Target] = [
        gateway,
        gateway.batched(),
        Gateway("callback, plain", ours, "bench/with_callback.py", CALLBACK="plain"),
        Gateway("callback, async", ours, "bench/with_callback.py", CALLBACK="async"),
        Gateway("plain gateway", ours, "bench/plain_gateway.py"),
        Native(native),
    ]
    for target in started:
        stack.callback(target.stop)
    time.sleep(1)  # until the gateways are connected to NATS
    return started


def with_progress(steps: list[suites.Step]) -> Iterator[suites.Result]:
    """Run the steps one after the other and say how far it is."""
    started = time.monotonic()
    shown = sys.stderr.isatty()
    for number, step in enumerate(steps, 1):
        passed = time.monotonic() - started
        if shown or number % 20 == 1:
            end = "\r" if shown else "\n"
            line = f"[{number}/{len(steps)}, {passed:.0f} s] {step.label}"
            print(f"{line:<78}", end=end, file=sys.stderr, flush=True)
        yield _run(step)
    print(f"{'':<78}\r", end="", file=sys.stderr)


def _run(step: suites.Step) -> suites.Result:
    """Run a step, and again if the load generator was the bottleneck: twice at most."""
    result = step.run()
    for _ in range(2):
        if result.valid:
            break
        result = step.run()
    return result


def main() -> None:
    """Measure, print the tables, and write results and plot."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="the main table only, one round")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder for results and plot")
    options = parser.parse_args()
    with ExitStack() as stack:
        started = targets(stack)
        steps = suites.quick(started) if options.quick else suites.everything(started)
        results = list(with_progress(steps))
    summary = report.summarize(results)
    print(report.as_text(summary))
    if not options.quick:
        options.out.mkdir(parents=True, exist_ok=True)
        report.write(summary, results, options.out / "results.json")
        plot.write(summary, options.out / "fan-out.svg")
        print(f"written: {options.out}/results.json, {options.out}/fan-out.svg")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
