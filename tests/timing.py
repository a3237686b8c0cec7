"""How long things take in the tests: held to what is promised, and shown by `pytest -s`.

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
from contextlib import contextmanager

_LINE = re.compile(r"^took (\S+) s of (\S+): (.*)$", re.MULTILINE)
"""What `took` prints."""


@contextmanager
def within(seconds: float, what: str) -> Iterator[None]:
    """Fail if the block takes longer than `seconds`; show how long `what` took."""
    begun = time.monotonic()
    yield
    took(what, time.monotonic() - begun, seconds)


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
