"""Many browsers in one process, which come, ask, and otherwise read what there is."""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from bench.client import Failure
from bench.heart.browser import Browser, Step
from bench.heart.process import PATIENCE, Worker

AT_ONCE = 100
"""Handshakes under way at a time: fewer than the sockets that a listener holds for later."""


@dataclass
class Asked:
    """How long it took until all had their answer, and until each of them had it, in seconds."""

    seconds: float
    each: list[float]


class Crowd(Worker):
    """Browsers of the server on `port`."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._poll = select.epoll()
        self._browsers: dict[int, Browser] = {}
        self._cut = 0

    def come(self, chains: list[list[Step]], at_once: int = AT_ONCE) -> Asked:
        """Connect a browser for each chain of steps, some at a time, and have it go through it."""
        return self._until_answered([partial(self._start, chain) for chain in chains], at_once)

    def ask(self, steps: list[Step]) -> Asked:
        """Have each browser take its step, all at once."""
        pairs = zip(self._browsers.values(), steps, strict=True)
        starts = [partial(browser.ask, [step]) for browser, step in pairs]
        return self._until_answered(starts, len(starts))

    def cut(self) -> int:
        """Return how many connections the server has ended."""
        return self._cut

    def wait(self) -> None:
        """Read what comes to all of them, until there is a call."""
        called = self.pipe.fileno()
        self._poll.register(called, select.EPOLLIN)
        numbers: list[int] = []
        while called not in numbers:
            numbers = [number for number, _ in self._poll.poll()]
            for number in numbers:
                if number != called:
                    self._drain(number)
        self._poll.unregister(called)

    def _start(self, chain: list[Step]) -> None:
        browser = Browser(self._port)
        self._browsers[browser.socket.fileno()] = browser
        self._poll.register(browser.socket, select.EPOLLIN)
        browser.ask(chain)

    def _drain(self, number: int) -> None:
        try:
            self._browsers[number].take()
        except Failure:
            self._poll.unregister(number)
            self._cut += 1

    def _until_answered(self, starts: Sequence[Callable[[], None]], at_once: int) -> Asked:
        begin = time.monotonic()
        each: list[float] = []
        waiting, total = deque(starts), len(starts)
        while len(each) < total:
            while waiting and total - len(waiting) - len(each) < at_once:
                waiting.popleft()()
            for number, _ in self._poll.poll(1):
                browser = self._browsers[number]
                if browser.read():
                    each.append(time.monotonic() - browser.asked)
            if time.monotonic() > begin + PATIENCE:
                raise Failure(f"{total - len(each)} of {total} browsers have no answer")
        return Asked(time.monotonic() - begin, each)
