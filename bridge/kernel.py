"""What the operating system holds for a socket, beyond what the transport knows of."""

from __future__ import annotations

import asyncio
import fcntl
import resource
import socket
import struct
import termios

BUFFER = 262144
"""Bytes. Half of it would cost speed at fan-out: it takes more writes to hand on the same."""

MOST_FILES = 1048576
"""Where the system sets no bound."""


def raise_open_files() -> tuple[int, int]:
    """Let the process open as many files as it may; return how many it could and how many it can.

    Each connection is a file, and many systems begin with 1024.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else MOST_FILES
    if wanted <= soft or soft == resource.RLIM_INFINITY:
        return soft, soft
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return soft, wanted


def bound_buffer(transport: asyncio.Transport) -> None:
    """Keep the kernel from holding megabytes for a slow browser, unseen by our limits."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)


def unacknowledged(transport: asyncio.Transport) -> int:
    """Return how many bytes the kernel holds that the other side has not taken; 0 if unknown.

    Linux tells of room in a socket only once a third of its buffer is free, so without this a
    browser that reads slowly but steadily would look as if it took nothing for seconds.
    """
    raw = transport.get_extra_info("socket")
    try:
        answer = fcntl.ioctl(raw.fileno(), termios.TIOCOUTQ, bytes(4))
    except (OSError, AttributeError):
        return 0
    size: int = struct.unpack("i", answer)[0]
    return size
