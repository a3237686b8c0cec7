"""Rounds of a load that healthy browsers take, alone or beside a slow one and a stalled one."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

from bench.client import Client, Failure, completes, read_head
from bench.figures import percentile
from bench.load import Crowd, Publisher, payloads
from bench.targets import Gateway, Target, publish

SUBJECT = "bench"
TICK = 0.1
"""Seconds between two sips of the slow browser, and two looks at the gateway."""
SIP = 1024
"""Bytes: 10 KB a second."""
PROMPT = 10
"""Clients that are read as soon as there is something, to see how late messages come."""
AT_ONCE = 8
"""Other clients that are read in one turn."""
PATIENCE = 30.0
GONE_WITHIN = 6.0


@dataclass(frozen=True)
class Shape:
    """What is done in one round."""

    connections: int = 200
    rate: int = 5000
    """Messages a second."""
    seconds: float = 7.0
    size: int = 128
    """Bytes of a payload."""

    @property
    def messages(self) -> int:
        """How many are sent."""
        return int(self.rate * self.seconds)


@dataclass
class Round:
    """What was seen in one round. Times in seconds, memory in bytes."""

    shape: Shape
    with_bad: bool
    late: list[float] = field(default_factory=list)
    """How long messages took to clients that were read promptly, oldest first."""
    memory: int = 0
    """The most the gateway had (RSS)."""
    generator_cpu: float = 0.0
    """Share of the time in which the load generator was busy."""
    gone_after: float | None = None
    """When the browser that never reads was cut, from the first message on."""
    received: int = 0
    """Of the messages sent, those that came to the slow browser."""
    told: int = 0
    """Of the messages sent, those the slow browser was told were dropped for it."""
    counted: dict[str, int] = field(default_factory=dict)
    """What the gateway's counters grew by."""

    def p99s(self) -> list[float]:
        """Return the 99th percentile of the latency in each tenth of a second.

        That of the whole round tells of the machine: others use it, too.
        """
        each = self.shape.rate * PROMPT // 10
        starts = range(0, len(self.late) - each + 1, each)
        return [percentile(self.late[n : n + each], 99) for n in starts]

    def faults(self) -> list[str]:
        """Return what was not as promised, apart from latency and memory."""
        sent, healthy, grown = self.shape.messages, self.shape.connections - 2, self.counted
        faults = []
        if grown["due"] != grown["delivered"] + grown["filtered"] + grown["dropped"]:
            faults.append(f"due is not delivered + filtered + dropped: {grown}")
        # The one that is cut follows for a part of the time.
        least, most = (healthy + 1, healthy + 2) if self.with_bad else (healthy, healthy)
        if not sent * least <= grown["due"] <= sent * most:
            faults.append(f"{grown['due']} deliveries were due for {sent} messages")
        if grown["closed_stalled"] != self.with_bad:
            faults.append(f"{grown['stalled']} browsers were cut")
        if self.with_bad and (self.gone_after is None or self.gone_after > GONE_WITHIN):
            faults.append(f"the browser that never reads was cut after {self.gone_after} s")
        if self.with_bad and not self.received < self.received + self.told == sent:
            faults.append(f"{sent} sent, but {self.received} received and {self.told} dropped")
        return faults


class SlowReader:
    """A browser that reads when it is told to, and expects each message or to hear of its drop."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._held = b""
        self.received = self.told = 0

    def read(self, most: int) -> None:
        """Read up to `most` bytes, if there are any. Raises Failure if a message is missing."""
        try:
            piece = self._socket.recv(most)
        except BlockingIOError:
            return
        if not piece:
            raise Failure("the slow browser was cut")
        self._held += piece
        position = 0
        while (head := read_head(self._held, position)) and sum(head) <= len(self._held):
            position = sum(head)
            self._take(json.loads(self._held[head[0] : position]))
        self._held = self._held[position:]

    def read_on(self, messages: int) -> None:
        """Read as fast as it goes until each of `messages` was received or told as dropped."""
        deadline = time.perf_counter() + PATIENCE
        while self.received + self.told < messages and time.perf_counter() < deadline:
            select.select([self._socket], [], [], 0.1)
            self.read(65536)

    def _take(self, message: dict[str, Any]) -> None:
        if "dropped" in message:
            self.told += message["dropped"]
        elif int(message["data"]["n"]) != self.received + self.told:
            raise Failure(f"after {self.received} received, {self.told} dropped came {message}")
        else:
            self.received += 1


def connected(target: Target) -> Client:
    """Return a client whose kernel takes little for it."""
    client = Client(target, [SUBJECT], receive_buffer=4096)
    while not client.step():
        pass
    client.socket.setblocking(False)
    return client


class Load:
    """Publishes at a rate; some clients are read promptly, the others in bulk, in turn."""

    def __init__(self, crowd: Crowd, shape: Shape) -> None:
        target = crowd.target
        messages = [(SUBJECT, payload) for payload in payloads(shape.messages, shape.size)]
        self.late: list[float] = []
        self._clients = crowd.clients
        self._rate = shape.rate
        self._commands = [publish(*message) for message in messages]
        self._each = len(target.delivery(*messages[0]))
        self._sent: list[float] = []
        stream = b"".join(target.delivery(*message) for message in messages)
        self._bulk, self._prompt = crowd.poll, select.epoll()
        for number, client in enumerate(self._clients.values()):
            client.expected = stream
            if number < PROMPT:
                self._bulk.unregister(client.socket)
                self._prompt.register(client.socket, select.EPOLLIN)

    def go(self, publisher: Publisher, aside: Callable[[], None]) -> None:
        """Return when each client has got every message; `aside` is called each `TICK`.

        Raises Failure if a client gets something else, or not all.
        """
        clock, commands, sent = time.perf_counter, self._commands, self._sent
        begin = beat = clock()
        deadline = begin + len(commands) / self._rate + PATIENCE
        missing = len(self._clients)
        while missing:
            now = clock()
            if now >= beat:
                aside()
                beat += TICK
            due = min(len(commands), int((now - begin) * self._rate) + 1)
            if len(sent) < due:
                now = clock()
                publisher.socket.sendall(b"".join(commands[len(sent) : due]))
                sent += [now] * (due - len(sent))
            missing -= self._read_promptly() + self._read_in_bulk()
            if now > deadline:
                raise Failure(f"{missing} clients still miss messages")

    def _read_promptly(self) -> int:
        """Return how many clients that made complete; waits up to a millisecond."""
        complete = 0
        for number, _ in self._prompt.poll(0.001):
            client = self._clients[number]
            first = client.position // self._each
            complete += completes(client, 16384)
            now = time.perf_counter()
            self.late += [now - then for then in self._sent[first : client.position // self._each]]
        return complete

    def _read_in_bulk(self) -> int:
        ready = self._bulk.poll(0, AT_ONCE)
        return sum(completes(self._clients[number], 65536) for number, _ in ready)


class Aside:
    """What happens each `TICK`: a sip of the slow browser, a look at the gateway."""

    def __init__(self, gateway: Gateway, seen: Round, slow: SlowReader | None) -> None:
        self._process, self._seen, self._slow = gateway.ps, seen, slow
        self._files = gateway.ps.num_fds()
        self._begin = time.perf_counter()

    def __call__(self) -> None:
        seen = self._seen
        seen.memory = max(seen.memory, self._process.memory_info().rss)
        if self._slow is not None:
            self._slow.read(SIP)
        if seen.gone_after is None and self._process.num_fds() < self._files:
            seen.gone_after = time.perf_counter() - self._begin


def measure(gateway: Gateway, shape: Shape, *, with_bad: bool) -> Round:
    """Run one round. Raises Failure if a healthy client did not get every message in order."""
    seen, slow = Round(shape, with_bad), None
    files = gateway.ps.num_fds()
    before = gateway.counters()
    with ExitStack() as stack:
        if with_bad:
            slow = SlowReader(stack.enter_context(closing(connected(gateway).socket)))
            stack.enter_context(closing(connected(gateway).socket))
        crowd = stack.enter_context(Crowd(gateway, [[SUBJECT]] * (shape.connections - 2)))
        publisher = stack.enter_context(closing(Publisher(gateway.nats.port)))
        load = Load(crowd, shape)
        busy, begin = time.process_time(), time.perf_counter()
        load.go(publisher, Aside(gateway, seen, slow))
        seen.generator_cpu = (time.process_time() - busy) / (time.perf_counter() - begin)
        seen.late = load.late
        if slow is not None:
            slow.read_on(shape.messages)
            seen.received, seen.told = slow.received, slow.told
        after = gateway.counters()
    seen.counted = {name: value - before[name] for name, value in after.items()}
    gateway.wait_until_left(files)
    return seen
