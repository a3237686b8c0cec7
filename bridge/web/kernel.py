"""What the operating system holds for a socket, beyond what the transport knows of."""

from __future__ import annotations

import asyncio
import resource
import socket
import struct
from collections.abc import Callable

BUFFER = 262144
"""Bytes. Half of it would cost speed at fan-out: it takes more writes to hand on the same."""

_ACKNOWLEDGED = struct.Struct("120xQ")
"""`tcpi_bytes_acked` in Linux's `struct tcp_info`."""

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


def unsent_of(transport: asyncio.Transport) -> Callable[[], int]:
    """Return what tells how many bytes `transport` holds, and under TLS also the TCP one below it.

    asyncio's own figure for TLS leaves that out, though the backlog moves there in one go.
    """
    upper = transport.get_write_buffer_size
    lower = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
    if lower is None:
        return upper
    return lambda: upper() + int(lower.get_write_buffer_size())


def acknowledged(transport: asyncio.Transport) -> int | None:
    """Return how many bytes the other side has taken since the start; None if that is not known.

    Linux tells of room in a socket only once a third of its buffer is free, so without this a
    browser that reads slowly but steadily would look as if it took nothing for seconds.
    """
    raw = transport.get_extra_info("socket")
    try:
        answer = raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKNOWLEDGED.size)
        (count,) = _ACKNOWLEDGED.unpack(answer)
    except (OSError, AttributeError, struct.error):
        return None
    return int(count)
