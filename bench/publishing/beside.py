"""How late messages come to followers while one connection publishes as much as it may."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from contextlib import ExitStack, closing

from bench.client import PIECE, Client, Failure
from bench.load import Crowd, Publisher
from bench.slow_rounds import SUBJECT, TICK, Load, Round, Shape
from bench.targets import Gateway, masked

PUBLICATION = b'{"action":"publish","subject":"elsewhere","data":{"pad":"%b"}}' % (b"x" * 110)


class AtItsLimit:
    """A connection that publishes `rate` messages a second, some each `TICK`, and is answered."""

    def __init__(self, gateway: Gateway, rate: int) -> None:
        client = Client(gateway, ["nothing"])
        while not client.step():
            pass
        self._socket = client.socket
        self._socket.setblocking(False)
        self._each = masked(PUBLICATION) * int(rate * TICK)

    def close(self) -> None:
        """Leave."""
        self._socket.close()

    def __call__(self) -> None:
        """Publish, and read what has been answered. Raises Failure for a refusal."""
        try:
            said = self._socket.recv(PIECE)
        except BlockingIOError:
            said = b""
        if b'"success":false' in said:
            raise Failure(f"refused: {said[:200]!r}")
        self._socket.sendall(self._each)


def nothing() -> None:
    """Publish nothing."""


def p99(gateway: Gateway, shape: Shape, rate: int) -> float:
    """Return the p99 of a tenth of a second of followers, in seconds, beside `rate` publications.

    Raises Failure if a follower did not get every message in its order.
    """
    files = gateway.ps.num_fds()
    with ExitStack() as stack:
        crowd = stack.enter_context(Crowd(gateway, [[SUBJECT]] * shape.connections))
        publisher = stack.enter_context(closing(Publisher(gateway.nats.port)))
        aside: Callable[[], None] = nothing
        if rate:
            aside = stack.enter_context(closing(AtItsLimit(gateway, rate)))
        load = Load(crowd, shape)
        load.go(publisher, aside)
    gateway.wait_until_left(files)
    return statistics.median(Round(shape, with_bad=False, late=load.late).p99s())
