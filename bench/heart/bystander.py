"""A browser that follows one quiet subject, and sees how late its messages come."""

from __future__ import annotations

import re
import select
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.client import Failure
from bench.figures import percentile
from bench.heart.browser import Browser, Step, request
from bench.heart.process import Worker, cpu_seconds
from bench.load import Publisher
from bench.targets import publish

TICKS = 50
"""Times a second that something is published."""
SUBJECT = "clock"
LONGEST = 30.0
"""Seconds after which a message counts as so late, and is not waited for."""

_TIME = re.compile(rb'"data":([\d.]+)}')
_CUT_OFF = 60
"""Bytes of a message that may still lack its end."""


@dataclass
class Window:
    """What was seen in some seconds of a load."""

    late: list[float]
    """How late each message came, in seconds."""
    busy: dict[str, float] = field(default_factory=dict)
    """Process to the share of a core that it used while messages were published."""

    @property
    def p99(self) -> float:
        """The 99th percentile, in milliseconds."""
        return percentile(self.late, 99) * 1000


class Bystander(Worker):
    """Publishes a load and, right behind each piece of it, a message to itself, from one process.

    The load comes in `TICKS` pieces a second. `watched`: names of processes to their ids.
    """

    def __init__(
        self, ports: tuple[int, int], hello: Step, load: Iterator[bytes], watched: dict[str, int]
    ) -> None:
        gateway, nats = ports
        self._browser = Browser(gateway)
        self._publisher = Publisher(nats)
        self._load, self._watched = load, watched
        self._late: list[float] = []
        self._begun = 0.0
        self._heard = b""
        self._poll = select.epoll()
        self._poll.register(self._browser.socket, select.EPOLLIN)
        self._browser.ask([hello, request([SUBJECT])])
        while not self._browser.read():
            self._poll.poll(1)

    def measure(self, seconds: float) -> Window:
        """Publish for so long, and wait for what is late."""
        self._late = []
        self._begun = begin = time.monotonic()
        before = {name: cpu_seconds(pid) for name, pid in self._watched.items()}
        sent = int(seconds * TICKS)
        for tick in range(sent):
            self._listen_until(begin + tick / TICKS)
            clock = publish(SUBJECT, b"%.6f" % time.monotonic())
            self._publisher.socket.sendall(next(self._load) + clock)
        self._listen_until(begin + seconds)
        passed = time.monotonic() - begin
        busy = {
            name: (cpu_seconds(pid) - before[name]) / passed for name, pid in self._watched.items()
        }
        self._listen_until(time.monotonic() + LONGEST, count=sent)
        return Window(self._late + [LONGEST] * (sent - len(self._late)), busy)

    def wait(self) -> None:
        """Read what comes, pings among it, until there is a call."""
        while not self.pipe.poll(1):
            self._browser.take()

    def _listen_until(self, end: float, count: int | None = None) -> None:
        """Listen until then, or until `count` messages have come."""
        while (left := end - time.monotonic()) > 0 and len(self._late) != count:
            if self._poll.poll(left):
                self._read()

    def _read(self) -> None:
        heard = self._heard + self._browser.take()
        now = time.monotonic()
        if b'"dropped"' in heard:
            raise Failure("messages for the bystander were dropped")
        last = 0
        for found in _TIME.finditer(heard):
            last = found.end()
            if (sent := float(found[1])) >= self._begun:  # an earlier one was given up
                self._late.append(now - sent)
        self._heard = heard[max(last, len(heard) - _CUT_OFF) :]


def spread_evenly(subjects: Iterator[str], per_second: int) -> Iterator[bytes]:
    """Yield pieces of a load of so many messages a second, the next subjects in each."""
    while True:
        yield b"".join(publish(next(subjects), b"1") for _ in range(per_second // TICKS))
