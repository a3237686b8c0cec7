"""Shows what looking at each subject costs: the same fan-out with and without denials.

python -m bench.denials               100 connections that follow one wildcard, about a minute
python -m bench.denials --rounds 1    to see that it works

The denials overlap the wildcard and none of the subjects, so everything is delivered. The two are
measured in turn, and the ratio is the median of those of all rounds.
"""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack
from functools import partial

from bench.load import payloads
from bench.pairs import deliveries, row
from bench.targets import Gateway, NatsServer, Target

DENIED = "bench.secret bench.private *.hidden"
CONNECTIONS, MESSAGES = 100, 60_000


def measure(target: Target, subjects: int) -> float | None:
    """Return the deliveries a second with so many subjects."""
    messages = [(f"bench.{n % subjects}", each) for n, each in enumerate(payloads(MESSAGES))]
    return deliveries(target, [["bench.*"]] * CONNECTIONS, messages)


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
            work = partial(measure, subjects=subjects)
            print(row(str(subjects), without, denying, work, options.rounds), flush=True)


if __name__ == "__main__":
    main()
