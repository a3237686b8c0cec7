"""How long things take in the tests: held to what is promised, and shown by `pytest -s`.

What is held to it is the time but for waiting for a core, where the system tells that: a machine
that is busy with other things is no fault of the gateway's.

`python -m tests.timing 20` runs the tests that measure 20 times, and shows median and worst.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

_LINE = re.compile(r"^took (\S+) s of (\S+): (.*)$", re.MULTILINE)
"""What `took` prints."""


class Stopwatch:
    """Measures from its making on."""

    def __init__(self) -> None:
        self._waited = _waited_for_a_core()
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """The seconds on the clock."""
        return time.monotonic() - self._begun

    @property
    def own(self) -> float:
        """Those of them in which neither these tests nor what they started waited for a core."""
        seconds = self.seconds
        waited = _waited_for_a_core()
        return seconds - sum(waited[each] - self._waited.get(each, 0) for each in waited)


def _waited_for_a_core() -> dict[str, float]:
    """Return how many seconds each thread of this process and of its descendants has waited."""
    waited = {}
    for process in (own := psutil.Process(), *own.children(recursive=True)):
        for task in Path(f"/proc/{process.pid}/task").glob("*"):
            with suppress(OSError):  # it may have ended
                waited[task.name] = int((task / "schedstat").read_text().split()[1]) / 1e9
    return waited


@contextmanager
def within(seconds: float, what: str) -> Iterator[None]:
    """Fail if the block takes longer than `seconds`; show how long `what` took."""
    watch = Stopwatch()
    yield
    took(what, watch.own, seconds)


def took(what: str, measured: float, promised: float) -> None:
    """Show how long `what` took; fail if that is more than promised."""
    print(f"\ntook {measured:.3f} s of {promised:g}: {what}")
    assert measured <= promised, f"{what}: {measured:.2f} s"


def repeat(times: int, choice: list[str]) -> None:
    """Run the tests of `choice` so often, and show what they took."""
    figures: dict[tuple[str, str], list[float]] = defaultdict(list)
    for _ in range(times):
        command = [sys.executable, "-m", "pytest", "-q", "-s", *choice]
        text = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        for measured, promised, what in _LINE.findall(text):
            figures[what, promised].append(float(measured))
        for line in re.findall(r"^FAILED.*$", text, re.MULTILINE):
            print(line, flush=True)
    for (what, promised), values in sorted(figures.items()):
        median, worst = statistics.median(values), max(values)
        print(
            f"{what}: {len(values)} times, median {median:.3f}, worst {worst:.3f} of {promised} s"
        )


if __name__ == "__main__":
    repeat(int(sys.argv[1]), sys.argv[2:] or ["tests/service"])
