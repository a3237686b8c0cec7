"""Shows what a second process brings: the same work for a gateway with WORKERS=1 and with 2.

python -m bench.workers               two kinds of work, about two minutes
python -m bench.workers --rounds 1    to see that it works

nats-server and the load generator share the machine with them: on two cores, there is less than one
left for a second process.
"""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack

from bench.load import payloads
from bench.pairs import deliveries, row
from bench.targets import Gateway, NatsServer, Target

CONNECTIONS, MESSAGES = 500, 20_000
OWN_SUBJECTS, OWN_MESSAGES = 1000, 200_000


def one_subject(target: Target) -> float | None:
    """Return the deliveries a second of one subject to all."""
    messages = [("bench", each) for each in payloads(MESSAGES)]
    return deliveries(target, [["bench"]] * CONNECTIONS, messages)


def own_subjects(target: Target) -> float | None:
    """Return the deliveries a second where each connection follows a subject of its own."""
    messages = [
        (f"bench.{n % OWN_SUBJECTS}", each) for n, each in enumerate(payloads(OWN_MESSAGES))
    ]
    return deliveries(target, [[f"bench.{n}"] for n in range(OWN_SUBJECTS)], messages)


def gateway(nats: NatsServer, workers: int) -> Gateway:
    """Start a gateway; its figures are not looked at, those of other workers being a second old."""
    target = Gateway(f"{workers} workers", nats, WORKERS=str(workers))
    target.counting = False
    return target


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="bench.workers", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9, help="how often each is measured")
    options = parser.parse_args()
    with ExitStack() as stack:
        nats = NatsServer()
        stack.callback(nats.stop)
        one, two = (gateway(nats, count) for count in (1, 2))
        for each in (one, two):
            stack.callback(each.process.terminate)
        time.sleep(3)  # until all workers listen and are connected to NATS
        print("| work | 1 worker | 2 workers | ratio | rounds |\n|---|---|---|---|---|")
        for work, measure in (
            (f"one subject to {CONNECTIONS} connections", one_subject),
            (f"{OWN_SUBJECTS} connections, a subject each", own_subjects),
        ):
            print(row(work, one, two, measure, options.rounds), flush=True)


if __name__ == "__main__":
    main()
