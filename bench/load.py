"""The load generator: a publisher and many clients in one loop of raw sockets."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections import Counter
from dataclasses import dataclass, field

from bench.client import PIECE, Client, Failure, completes
from bench.targets import Target
from bridge.wire.subjects import contains

SMALL_PIECE = 4096
AT_ONCE = 100
"""Handshakes under way at a time."""
TIMED = 10
"""In a paced run, one of so many clients is read at once."""


class Crowd:
    """Many clients of one target. Use as a context manager."""

    def __init__(self, target: Target, patterns: list[list[str]]) -> None:
        self.target = target
        self._patterns = patterns
        self.clients: dict[int, Client] = {}
        self.poll = select.epoll()
        self.seconds = 0.0
        """How long it took until all were connected and acknowledged."""

    def __enter__(self) -> Crowd:
        started = time.perf_counter()
        waiting = list(reversed(self._patterns))
        opening = 0
        while waiting or opening:
            while waiting and opening < AT_ONCE:
                client = Client(self.target, waiting.pop())
                self.clients[client.socket.fileno()] = client
                self.poll.register(client.socket, select.EPOLLIN)
                opening += 1
            for number, _ in self.poll.poll(10):
                opening -= self.clients[number].step()
        self.seconds = time.perf_counter() - started
        return self

    def __exit__(self, *error: object) -> None:
        for client in self.clients.values():
            client.socket.close()
        self.poll.close()

    def run(self, messages: list[tuple[str, bytes]], rate: float | None = None) -> Run:
        """Publish `messages`, all at once or `rate` a second, until each client has got its own."""
        run = Run(self, messages)
        before = self.target.counters()
        run.go(rate)
        after = self.target.counters()
        _check_counts({name: after[name] - before[name] for name in before}, run)
        return run


@dataclass
class Run:
    """One measurement. Times in seconds."""

    crowd: Crowd
    messages: list[tuple[str, bytes]]
    seconds: float = 0.0
    generator_cpu: float = 0.0
    """Share of the time in which the load generator was busy."""
    server_cpu: float = 0.0
    """CPU seconds the target used."""
    latencies: list[float] = field(default_factory=list)
    due: int = 0
    """Deliveries, over all clients."""
    _by_subject: dict[str, list[tuple[str, bytes]]] = field(default_factory=dict)

    def go(self, rate: float | None, limit: float = 120) -> None:
        """Measure. Raises Failure if a client gets something else, or nothing for too long."""
        target, clients = self.crowd.target, self.crowd.clients
        followers = Counter(client.patterns for client in clients.values())
        streams = {}
        for patterns, count in followers.items():
            due = self._due(patterns)
            streams[patterns] = b"".join(target.delivery(*each) for each in due)
            self.due += len(due) * count
        for client in clients.values():
            client.expected, client.position = streams[client.patterns], 0
        commands = [target.command(*message) for message in self.messages]
        publisher = Publisher(target.nats.port)
        times = target.ps.cpu_times()
        busy, started = time.process_time(), time.perf_counter()
        if rate is None:
            self._unpaced(publisher, b"".join(commands), started + limit)
        else:
            self._paced(publisher, commands, rate, len(target.delivery(*self.messages[0])))
        self.seconds = time.perf_counter() - started
        self.generator_cpu = (time.process_time() - busy) / self.seconds
        after = target.ps.cpu_times()
        self.server_cpu = after.user + after.system - times.user - times.system
        publisher.close()

    def _due(self, patterns: tuple[str, ...]) -> list[tuple[str, bytes]]:
        if not self._by_subject:
            for message in self.messages:
                self._by_subject.setdefault(message[0], []).append(message)
        wanted = [s for s in self._by_subject if any(contains(p, s) for p in patterns)]
        if len(wanted) == 1:
            return self._by_subject[wanted[0]]
        return [message for message in self.messages if message[0] in wanted]

    def _unpaced(self, publisher: Publisher, data: bytes, deadline: float) -> None:
        clients, poll = self.crowd.clients, self.crowd.poll
        publisher.offer(data)
        poll.register(publisher.socket, select.EPOLLOUT)
        number = publisher.socket.fileno()
        missing = len(clients)
        while missing:
            for event, _ in poll.poll(5):
                if event == number:
                    if publisher.push():
                        poll.unregister(number)
                else:
                    missing -= completes(clients[event], PIECE)
            if time.perf_counter() > deadline:
                raise Failure(f"{missing} clients still miss messages")

    def _paced(self, publisher: Publisher, commands: list[bytes], rate: float, each: int) -> None:
        """Publish at `rate`; every message takes `each` bytes at a client.

        Only every tenth client is read at once, and tells how late a message comes; the others are
        read four times a second, else reading would take the core that the target needs.
        """
        clients, poll, now = self.crowd.clients, self.crowd.poll, time.perf_counter
        timed = set(list(clients)[::TIMED])
        others = _Others([client for number, client in clients.items() if number not in timed])
        for client in others.clients:
            poll.unregister(client.socket)
        sent: list[float] = []
        late = self.latencies.append
        missing, begin = len(timed), now()
        while missing:
            wait = 0.01
            if len(sent) < len(commands):
                wait = begin + len(sent) / rate - now()
                if wait <= 0:
                    sent.append(now())
                    publisher.socket.sendall(commands[len(sent) - 1])
                    continue
            for event, _ in poll.poll(wait):
                client = clients[event]
                first = client.position // each
                missing -= completes(client, SMALL_PIECE)
                position, arrived = client.position, now()
                for n in range(first, position // each):
                    late(arrived - sent[n])
            others.read_some(now() - begin)
            if now() > begin + len(commands) / rate + 30:
                raise Failure(f"{missing} clients still miss messages")
        others.read_all(30)

    @property
    def deliveries(self) -> float:
        """Messages delivered a second, over all clients."""
        return self.due / self.seconds


def _check_counts(counted: dict[str, int], run: Run) -> None:
    """Raise Failure unless a target that counts has counted what was sent and what was got."""
    if not counted:
        return
    settled = counted["delivered"] + counted["filtered"] + counted["dropped"]
    got = counted["delivered"]
    if counted["due"] != settled or got != run.due:
        raise Failure(f"{run.due} messages were got, the target says {counted}")


class _Others:
    """Clients that are read now and then, in turn, each four times a second."""

    def __init__(self, clients: list[Client]) -> None:
        self.clients = clients
        self._read = 0
        for client in clients:
            client.socket.settimeout(0)

    def read_some(self, passed: float) -> None:
        """Read those whose turn it is, `passed` seconds after the start; a few at a time."""
        due = int(passed * 4 * len(self.clients))
        for turn in range(self._read, min(due, self._read + AT_ONCE // 10)):
            with contextlib.suppress(BlockingIOError):
                self.clients[turn % len(self.clients)].take(PIECE)
            self._read = turn + 1

    def read_all(self, seconds: float) -> None:
        """Read until each has got what it has to get."""
        for client in self.clients:
            client.socket.settimeout(seconds)
            while client.position < len(client.expected):
                client.take(PIECE)


class Publisher:
    """A NATS connection that publishes."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(b'CONNECT {"verbose":false,"headers":true}\r\nPING\r\n')
        while b"PONG" not in self.socket.recv(PIECE):
            pass
        self._data = memoryview(b"")

    def offer(self, data: bytes) -> None:
        self._data = memoryview(data)
        self.socket.setblocking(False)

    def push(self) -> bool:
        """Send what the socket takes; True when all is sent."""
        self._data = self._data[self.socket.send(self._data[:PIECE]) :]
        return not self._data

    def close(self) -> None:
        self.socket.close()


def payloads(count: int, size: int = 128) -> list[bytes]:
    """Return `count` numbered JSON payloads of `size` bytes."""
    room = size - len(b'{"n":"0000000"}')
    if room < 9:
        return [b'{"n":"%0*d"}' % (size - 8, n) for n in range(count)]
    pad = b"x" * (room - 9)
    return [b'{"n":"%07d","pad":"%b"}' % (n, pad) for n in range(count)]
