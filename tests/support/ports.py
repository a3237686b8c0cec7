"""Ports for servers of the tests; runs of tests at the same time do not take each other's.

Each process has a block of ports below those that the kernel gives to outgoing connections. It
listens on the first port of its block as long as it lives, and so no other process takes the block.
"""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from functools import cache

FIRST, LAST, BLOCK = 12000, 32000, 500


def free_port() -> int:
    """Return a port nobody listens on."""
    return next(port for port in _block() if _is_free(port))


@cache
def _block() -> Iterator[int]:
    """Return the ports of a block that nobody has, over and over."""
    for first in range(FIRST, LAST, BLOCK):
        holder = socket.socket()
        try:
            holder.bind(("127.0.0.1", first))
            holder.listen()
        except OSError:
            holder.close()
        else:
            _holders.append(holder)
            return itertools.cycle(range(first + 1, first + BLOCK))
    raise OSError(f"all ports from {FIRST} to {LAST} are in use")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


_holders: list[socket.socket] = []
"""The sockets that hold blocks; they are never closed."""
