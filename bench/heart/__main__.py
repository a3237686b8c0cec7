"""Measures what those who come, go and ask cost the others, row by row, each beside its goal.

python -m bench.heart                    all rows, about seven minutes
python -m bench.heart grants far         some of them
python -m bench.heart --gateway ../old   the same of another checkout

The exit status is 1 if a goal is not reached.
"""

from __future__ import annotations

import argparse
import contextlib
import resource
import signal
import sys
import time
from pathlib import Path
from types import FrameType

import psutil

from bench.client import Failure
from bench.heart.process import SIGNALS
from bench.heart.rows import ROWS, Row
from bench.heart.table import HEAD, failed_line, line, verdict
from bench.heart.world import Bench
from bench.targets import ROOT

WIDTH = 78


class Progress:
    """What goes on, on stderr: one line on a terminal, written over; else a line for each step."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._text = self.row = ""

    def say(self, text: str) -> None:
        """Say what goes on from now on."""
        self._text = text
        if not self._terminal:
            print(self._line(), file=sys.stderr, flush=True)
        self.beat()

    def beat(self) -> None:
        """Show that it goes on."""
        if self._terminal:
            print(f"\r{self._line()[:WIDTH]:{WIDTH}}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leave the line to something else."""
        if self._terminal:
            print(f"\r{'':{WIDTH}}\r", end="", file=sys.stderr, flush=True)

    def _line(self) -> str:
        return f"[{time.monotonic() - self._begun:.0f} s] {self.row}: {self._text}"


def arguments() -> argparse.Namespace:
    """Read the command line."""
    rows = "\n".join(f"  {row.name:10}{'; '.join(map(str, row.goals))}" for row in ROWS)
    parser = argparse.ArgumentParser(
        prog="bench.heart",
        description=(__doc__ or "").strip(),
        epilog=f"rows and goals:\n{rows}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help="what to measure: all by default")
    parser.add_argument(
        "--gateway",
        type=Path,
        default=ROOT,
        metavar="DIR",
        help="the checkout to measure, run by this Python: this one by default",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a tenth of it, to see that it works: the figures say nothing",
    )
    options = parser.parse_args()
    known = {row.name: row for row in ROWS}
    if unknown := [name for name in options.rows if name not in known]:
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(known)}")
    if not (options.gateway / "main.py").is_file():
        parser.error(f"{options.gateway} is no checkout: it has no main.py")
    options.rows = [known[name] for name in options.rows] or list(ROWS)
    options.gateway = options.gateway.resolve()
    return options


def measured(row: Row, bench: Bench) -> tuple[str, bool]:
    """Measure a row; return its line, and whether its goals are reached."""
    try:
        result = row.measure(bench)
    except (Failure, OSError, RuntimeError) as failure:
        return failed_line(row.name, row.what, row.goals, str(failure)), False
    is_reached = verdict(row.goals, result) == "reached"
    return line(row.name, row.what, row.goals, result), is_reached


def run(options: argparse.Namespace) -> int:
    """Measure, print a line for each row, and return the exit status."""
    progress = Progress()
    bench = Bench(options.gateway, options.quick, progress.say, progress.beat)
    all_reached = True
    print(HEAD, flush=True)
    for row in options.rows:
        progress.row = row.name
        text, is_reached = measured(row, bench)
        progress.clear()
        print(text, flush=True)
        all_reached &= is_reached
    return 0 if all_reached else 1


def interrupt(number: int, frame: FrameType | None) -> None:
    """End in order, once: what was started is stopped on the way."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def end_children() -> None:
    """End what an interrupt may have left: a server that was just being started."""
    children = psutil.Process().children(recursive=True)
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    psutil.wait_procs(children, timeout=5)


def main() -> None:
    """Measure what is asked for."""
    options = arguments()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # 3000 browsers
    for each in SIGNALS:
        signal.signal(each, interrupt)
    try:
        status = run(options)
    except KeyboardInterrupt:
        status = 130
    finally:
        end_children()
    sys.exit(status)


if __name__ == "__main__":
    main()
