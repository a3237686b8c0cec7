"""What the other end has taken of what was written to it."""

from __future__ import annotations

import asyncio
import socket
import struct

_ACKNOWLEDGED = struct.Struct("120xQ")
"""`tcpi_bytes_acked` in Linux's `struct tcp_info`."""


def acknowledged(transport: asyncio.BaseTransport) -> int | None:
    """Return how many bytes it has taken since the start; None if that is not known.

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
