"""Ports for servers of the tests; runs of tests at the same time do not take each other's.

Each process has a block of ports below those that the kernel gives to outgoing connections. It
listens on the first port of its block as long as it lives, and so no other process takes the block.
"""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

FIRST, LAST, BLOCK = 12000, 32000, 500
TURN = FIRST - 1
"""Who listens on it has the turn to use the port that an embedded server takes by default."""


def free_port() -> int:
    """Return a port nobody listens on."""
    return next(port for port in _block() if _is_free(port))


@contextmanager
def default_port() -> Iterator[None]:
    """Have the port that an embedded server takes by default to oneself, among runs of tests."""
    with socket.socket() as turn:
        while not _binds(turn, TURN):
            time.sleep(0.05)
        turn.listen()
        yield


@cache
def _block() -> Iterator[int]:
    """Return the ports of a block that nobody has, over and over."""
    for first in range(FIRST, LAST, BLOCK):
        holder = socket.socket()
        if _binds(holder, first):
            holder.listen()
            _holders.append(holder)
            return itertools.cycle(range(first + 1, first + BLOCK))
        holder.close()
    raise OSError(f"all ports from {FIRST} to {LAST} are in use")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return _binds(probe, port)


def _binds(own: socket.socket, port: int) -> bool:
    try:
        own.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


_holders: list[socket.socket] = []
"""The sockets that hold blocks; they are never closed."""
