"""Shows what looking at each subject costs: the same fan-out with and without denials.

python -m bench.denials               100 connections that follow one wildcard, about a minute
python -m bench.denials --rounds 1    to see that it works

The denials overlap the wildcard and none of the subjects, so everything is delivered. The two are
measured in turn, and the ratio is the median of those of all rounds.
"""

from __future__ import annotations

import argparse
import statistics
import time
from contextlib import ExitStack

from bench.load import Crowd, payloads
from bench.suites import MOST_BUSY
from bench.targets import Gateway, NatsServer

DENIED = "bench.secret bench.private *.hidden"
CONNECTIONS, MESSAGES = 100, 60_000


def deliveries(target: Gateway, subjects: int) -> float | None:
    """Return the deliveries a second; None if the load generator was the bottleneck."""
    messages = [(f"bench.{n % subjects}", each) for n, each in enumerate(payloads(MESSAGES))]
    for _ in range(3):
        with Crowd(target, [["bench.*"]] * CONNECTIONS) as crowd:
            done = crowd.run(messages)
        if done.generator_cpu <= MOST_BUSY:
            return done.deliveries
    return None


def row(without: Gateway, with_denials: Gateway, subjects: int, rounds: int) -> str:
    """Measure one number of subjects; return its row of the table."""
    pairs = []
    for number in range(rounds):
        order = (without, with_denials) if number % 2 else (with_denials, without)
        rates = {target.name: deliveries(target, subjects) for target in order}
        pairs.append((rates[without.name], rates[with_denials.name]))
    valid = [(one, other) for one, other in pairs if one and other]
    if not valid:
        return f"| {subjects} | the load generator was the bottleneck | | | 0 |"
    medians = [statistics.median(each) / 1e6 for each in zip(*valid, strict=True)]
    ratios = [other / one for one, other in valid]
    spread = f"{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
    return f"| {subjects} | {medians[0]:.2f} M | {medians[1]:.2f} M | {spread} | {len(valid)} |"


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="bench.denials", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9, help="how often each is measured")
    options = parser.parse_args()
    with ExitStack() as stack:
        nats = NatsServer()
        stack.callback(nats.stop)
        without = Gateway("without", nats)
        stack.callback(without.stop)
        denying = Gateway("with denials", nats, DENY_SUBJECTS=DENIED)
        stack.callback(denying.stop)
        time.sleep(1)  # until the gateways are connected to NATS
        print("| subjects | without | with denials | ratio | rounds |\n|---|---|---|---|---|")
        for subjects in (1, 1000):
            print(row(without, denying, subjects, options.rounds), flush=True)


if __name__ == "__main__":
    main()
