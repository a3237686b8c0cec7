"""What browsers of the long run do to their sockets."""

from __future__ import annotations

import socket
from socket import SO_LINGER, SO_RCVBUF, SOL_SOCKET
from struct import pack
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection

NARROW = 65536
"""Bytes the kernel may hold for a browser that follows bursts; less, and it could not catch up."""


def narrow_socket(stream: str) -> socket.socket:
    """Connect with a small receive buffer.

    Made small later, TCP would throw away what is on its way, and wait before it sends it again.
    """
    address = urlsplit(stream)
    raw = socket.socket()
    raw.setsockopt(SOL_SOCKET, SO_RCVBUF, NARROW)
    raw.connect((address.hostname, address.port))
    raw.setblocking(False)
    return raw


def reset(ws: ClientConnection) -> None:
    """Reset a connection, as a browser that crashes."""
    transport = ws.transport
    if not transport.is_closing():
        raw = transport.get_extra_info("socket")
        raw.setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))
        transport.abort()
