"""One WebSocket client on a raw socket: what comes is looked at for an answer, or discarded."""

from __future__ import annotations

import json
import socket
import time
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from bench.client import PIECE, PING, Failure
from bench.targets import UPGRADE, masked

PONG = masked(b"", 0x8A)
CLOSE = masked(b"", 0x88)
TAIL = 200
"""Bytes kept of what holds no answer: one may be cut in two."""
REFUSALS = (b'"success":false', b"-ERR", b"HTTP/1.1 4", b"HTTP/1.1 5")


class Step(NamedTuple):
    """What a client sends, and a part of the answer."""

    sent: bytes
    answer: bytes


def greeting(token: str = "") -> Step:
    """Return the handshake with a gateway, as the holder of `token`."""
    head = UPGRADE.format(path="/stream")
    if token:
        head = head.replace("\r\n\r\n", f"\r\nAuthorization: Bearer {token}\r\n\r\n")
    return Step(head.encode(), b'"connection_id"')


def request(patterns: list[str], action: str = "subscribe") -> Step:
    """Return a request to a gateway; that to unsubscribe is answered for each pattern."""
    text = "Successfully connected to" if action == "subscribe" else "Successfully unsubscribed"
    body = json.dumps({"subjects": patterns, "action": action})
    return Step(masked(body.encode()), text.encode())


class Browser:
    """A connection that asks one thing after the other. It answers pings."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.asked = 0.0
        """When it began to ask."""
        self._steps: deque[Step] = deque()
        self._heard = b""

    def ask(self, steps: Iterable[Step]) -> None:
        """Send the first of `steps`, and each other one after the answer to the one before."""
        self._steps.extend(steps)
        self.asked = time.monotonic()
        self.socket.sendall(self._steps[0].sent)

    def read(self) -> bool:
        """Read what is there; True if it holds the last answer. Raises Failure on a refusal."""
        piece = self.take()
        if not self._steps:
            return False
        heard = self._heard + piece
        if self._steps[0].answer not in heard:
            if any(refusal in heard for refusal in REFUSALS):
                raise Failure(f"refused: {heard[-500:]!r}")
            self._heard = heard[-TAIL:]
            return False
        self._heard = b""
        self._steps.popleft()
        if self._steps:
            self.socket.sendall(self._steps[0].sent)
        return not self._steps

    def take(self) -> bytes:
        """Return what is there. Raises Failure if the connection has ended."""
        try:
            piece = self.socket.recv(PIECE, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return b""
        except ConnectionError:
            piece = b""
        if not piece:
            raise Failure("a connection was closed")
        if PING in piece:
            self.socket.sendall(PONG)
        return piece

    def leave(self) -> None:
        """Close the connection as a page does that is left."""
        try:
            self.socket.sendall(CLOSE)
        except ConnectionError:
            pass
        self.socket.close()
