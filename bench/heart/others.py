"""What others do meanwhile: come and go, change their minds, publish, and ask how it is."""

from __future__ import annotations

import http.client
import itertools
import select
import time
from collections import deque

from bench.client import Failure
from bench.heart.browser import Browser, Step
from bench.heart.process import PATIENCE, Worker
from bench.load import Publisher


class Comers(Worker):
    """Browsers that come, `rate` of them a second, and each leave `STAY` seconds later."""

    STAY = 1.0

    def __init__(self, port: int, chains: list[list[Step]], rate: float) -> None:
        self._port, self._rate = port, rate
        self._chains = itertools.cycle(chains)
        self._here: deque[tuple[float, Browser]] = deque()
        """Each with when it came, in that order."""
        self._by_number: dict[int, Browser] = {}
        self._poll = select.epoll()

    def go(self) -> tuple[int, int]:
        """Return how many have come until there is a call, and how many got an answer."""
        begin, came, answered = time.monotonic(), 0, 0
        while not self.pipe.poll():
            now = time.monotonic()
            if now >= begin + came / self._rate:
                self._come(now)
                came += 1
            while self._here and now >= self._here[0][0] + self.STAY:
                self._leave()
            for number, _ in self._poll.poll(0.01):
                answered += self._by_number[number].read()
        while self._here:
            self._leave()
        return came, answered

    def _come(self, now: float) -> None:
        browser = Browser(self._port)
        browser.ask(next(self._chains))
        self._here.append((now, browser))
        self._by_number[browser.socket.fileno()] = browser
        self._poll.register(browser.socket, select.EPOLLIN)

    def _leave(self) -> None:
        _, browser = self._here.popleft()
        del self._by_number[browser.socket.fileno()]
        browser.leave()


class Toggler(Worker):
    """A browser that makes its requests in turn, `rate` of them a second."""

    def __init__(self, port: int, hello: Step, requests: list[Step], rate: float) -> None:
        self._browser = Browser(port)
        self._requests, self._rate = requests, rate
        self._browser.ask([hello])
        while not self._browser.read():
            time.sleep(0.01)

    def go(self) -> int:
        """Return how many requests were made until there is a call; their turn is finished."""
        begin, made = time.monotonic(), 0
        while not self.pipe.poll(max(0, begin + made / self._rate - time.monotonic())):
            self._make(made)
            made += 1
        while made % len(self._requests):
            self._make(made)
            made += 1
        return made

    def _make(self, number: int) -> None:
        self._browser.take()
        self._browser.socket.sendall(self._requests[number % len(self._requests)].sent)

    def wait(self) -> None:
        """Read what comes until there is a call."""
        while not self.pipe.poll(0.1):
            self._browser.take()


class Traffic(Worker):
    """Publishes the same message, `rate` times a second."""

    def __init__(self, port: int, message: bytes, rate: float) -> None:
        self._publisher = Publisher(port)
        self._message, self._rate = message, rate

    def go(self) -> int:
        """Return how many were published until there is a call."""
        begin, sent = time.monotonic(), 0
        while not self.pipe.poll(max(0, begin + sent / self._rate - time.monotonic())):
            self._publisher.socket.sendall(self._message)
            sent += 1
        return sent


class Watcher(Worker):
    """Asks a gateway whether it lives, over and over."""

    PAUSE = 0.02
    """Seconds between an answer and the next question: what a stop may be longer than it looks."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def go(self) -> float:
        """Return the longest that an answer took until there is a call, in seconds."""
        longest = 0.0
        while not self.pipe.poll(self.PAUSE):
            asked = time.monotonic()
            self._connection.request("GET", "/livez")
            answer = self._connection.getresponse()
            answer.read()
            longest = max(longest, time.monotonic() - asked)
            if answer.status != 200:
                raise Failure(f"/livez answers {answer.status}")
        return longest
