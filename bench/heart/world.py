"""The servers that a row measures, and the processes that put them under load."""

from __future__ import annotations

import json
import socket
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError

from bench.client import Failure
from bench.heart.browser import Step, greeting
from bench.heart.bystander import Bystander
from bench.heart.crowd import Crowd
from bench.heart.distance import Distance
from bench.heart.process import PATIENCE, Child, Worker
from bench.targets import Gateway, NatsServer

DEFAULTS = {"MAX_PENDING_BYTES": "1048576", "MAX_SUBJECTS": "128", "WRITE_TIMEOUT": "5"}
"""What users have, where the other benches have no limits."""


class Holder(NamedTuple):
    """A token, and the patterns that it grants."""

    token: str
    allow: list[str]


def holders(count: int) -> list[Holder]:
    """Return holders with grants of their own: one that all have, and one that nobody else has."""
    return [Holder(f"token-number-{n:06}", ["public.>", f"user.{n}.>"]) for n in range(count)]


@dataclass
class Bench:
    """What is measured, and how much of it.

    `say` says what goes on; `beat` is called each second while that takes long.
    """

    checkout: Path
    quick: bool
    say: Callable[[str], None]
    beat: Callable[[], None]

    def size(self, full: int) -> int:
        """Return how many of something there are."""
        return max(2, full // 10) if self.quick else full

    @property
    def seconds(self) -> float:
        """How long a load lasts."""
        return 1.0 if self.quick else 7.0

    def rounds(self, most: int = 3, budget: float = 35) -> Iterator[int]:
        """Yield 1, 2, … as long as the seconds of the budget last."""
        begin = time.monotonic()
        for number in range(1, 2 if self.quick else most + 1):
            yield number
            if time.monotonic() > begin + budget:
                return


class World:
    """A nats-server, a gateway, and processes that end with them."""

    def __init__(self, bench: Bench, nats: NatsServer, gateway: Gateway, stack: ExitStack) -> None:
        self.nats, self.gateway = nats, gateway
        self._bench, self._stack = bench, stack

    def child(self, make: Callable[[], Worker]) -> Child:
        """Start a worker."""
        return _child(make, self._bench, self._stack)

    def crowd(self, chains: Sequence[list[Step]]) -> Child:
        """Start a crowd, and return when everybody is there."""
        crowd = self.child(lambda: Crowd(self.gateway.port))
        crowd.call("come", chains)
        return crowd

    def bystander(self, load: Iterator[bytes], crowd: Child, token: str = "") -> Child:
        """Start a bystander, which publishes `load` and watches gateway and crowd."""
        ports = (self.gateway.port, self.nats.port)
        watched = {"gateway": self.gateway.process.pid, "crowd": crowd.pid}
        return self.child(lambda: Bystander(ports, greeting(token), load, watched))

    def wait_until_received(self, count: int) -> None:
        """Wait until the gateway has received so many messages, and none is pending.

        Raises Failure if it takes too long.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            counted = self.gateway.counters()
            settled = counted["delivered"] + counted["filtered"] + counted["dropped"]
            if counted["received"] >= count and counted["due"] == settled:
                return
            self._bench.beat()
            time.sleep(0.2)
        raise Failure(f"the gateway has received {counted['received']} of {count} messages")


@contextmanager
def world(
    bench: Bench, tokens: Sequence[Holder] = (), delay: float = 0, **settings: str
) -> Iterator[World]:
    """Start a nats-server, `delay` seconds away, and a gateway that lets only `tokens` in."""
    with ExitStack() as stack:
        nats = NatsServer()
        stack.callback(nats.stop)
        if delay:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            _child(lambda: Distance(listener, nats.port, delay), bench, stack)
            settings["NATS_URL"] = f"nats://127.0.0.1:{listener.getsockname()[1]}"
        if tokens:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            settings["TOKENS_FILE"] = _tokens_file(Path(folder), tokens)
        gateway = Gateway("gateway", nats, root=bench.checkout, **DEFAULTS | settings)
        stack.callback(gateway.stop)
        _wait_until_ready(gateway)
        yield World(bench, nats, gateway, stack)


def _child(make: Callable[[], Worker], bench: Bench, stack: ExitStack) -> Child:
    child = Child(make, bench.beat)
    stack.callback(child.stop)
    return child


def _tokens_file(folder: Path, tokens: Sequence[Holder]) -> str:
    path = folder / "tokens.ndjson"
    entries = (
        {"name": f"n{n}", "token": each.token, "allow": each.allow} for n, each in enumerate(tokens)
    )
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    path.chmod(0o600)
    return str(path)


def _wait_until_ready(gateway: Gateway) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{gateway.port}/readyz", timeout=10):
                return
        except HTTPError as error:
            error.close()
        time.sleep(0.02)
    raise Failure("the gateway is not ready")
