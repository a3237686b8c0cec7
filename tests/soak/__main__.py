"""Long runs: through faults, and under load. The exit status is 1 if a promise was broken.

make soak              all of them one after the other, about 40 minutes
make soak MINUTES=2    all of them, shorter
make soak ONLY=idle    one of them: faults, idle, churn or storm

faults    a fault each 20 seconds, 200 browsers; SEED=… for the same ones again
idle      10,000 connections are held: what they cost, and that messages still reach them
churn     100,000 connections come, subscribe and break off: nothing of them stays
storm     5000 pages lose their gateway and come back
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path
from random import SystemRandom

from bridge.web.listener import raise_open_files
from tests.soak import through_faults
from tests.soak.churn import CYCLES, Churn
from tests.soak.idle import CONNECTIONS, Idle
from tests.soak.outcome import Progress
from tests.soak.storm import BLOWS, Storm

MINUTES = 20.0
SPARE_FILES = 100
"""Beside the connections."""


def under_load(name: str, minutes: float) -> bool:
    """Do one of the runs under load, print its table; return whether every promise was kept."""
    share = minutes / MINUTES
    run: Idle | Churn | Storm
    if name == "idle":
        run = Idle(seconds=minutes * 60 / 2)
    elif name == "churn":
        run = Churn(int(CYCLES * share))
    else:
        run = Storm(blows=BLOWS if share >= 0.5 else BLOWS[:1])
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    try:
        with Progress(name) as progress:
            outcome = asyncio.run(run.run(folder, progress))
    except KeyboardInterrupt:
        shutil.rmtree(folder)
        raise
    print(*outcome.lines(), sep="\n", flush=True)
    if outcome.broken:
        print(f"the log of the gateway is in {folder}")
    else:
        shutil.rmtree(folder)
    return not outcome.broken


def main() -> None:
    """Do what was asked for, and exit with 1 if a promise was broken."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = ("faults", "idle", "churn", "storm")
    parser.add_argument("--only", choices=names, help="do this one")
    parser.add_argument(
        "--minutes", type=float, default=MINUTES, help="of faults; the others are as much shorter"
    )
    parser.add_argument("--browsers", type=int, default=200, help="in the run through faults")
    parser.add_argument("--every", type=float, default=20, help="seconds from fault to fault")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6))
    given = parser.parse_args()
    broken = []
    _, files = raise_open_files()
    for name in [given.only] if given.only else names:
        if name == "faults":
            kept = through_faults.run(given.minutes, given.browsers, given.every, given.seed)
        else:
            if name == "idle" and files < CONNECTIONS + SPARE_FILES:
                sys.exit(f"{CONNECTIONS} connections need as many open files: see `ulimit -Hn`")
            kept = under_load(name, given.minutes)
        broken += [] if kept else [name]
        print(flush=True)
    if broken:
        sys.exit(f"promises were broken: {', '.join(broken)}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nstopped; what is not printed was not finished")
        sys.exit(130)
