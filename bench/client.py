"""One client of a benchmark: a raw socket that knows the bytes it has to get, in their order.

Each piece it reads is compared with them: so every run checks every message at every client, at the
speed of a memory comparison.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from bench.targets import Target

PIECE = 262144
PING = b"\x89\x00"


class Failure(Exception):
    """A client did not get what it had to get."""


class Client:
    """One WebSocket connection that follows its patterns and checks what it gets.

    `receive_buffer`: bytes the kernel may hold for it, for one that is to be slow.
    """

    def __init__(
        self, target: Target, patterns: list[str], receive_buffer: int | None = None
    ) -> None:
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(("127.0.0.1", target.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.patterns = tuple(patterns)
        self._steps = target.steps(patterns)
        self._head = b""
        self._left = 0
        """Bytes of the current frame still to come."""
        self.position = 0
        self.expected = b""
        self.take: Callable[[int], int] = self._take_framed if target.framed else self._take_any
        """Reads up to so many bytes and returns the position reached."""
        self._line_end = not target.framed and target.name != "native"
        self._send_step()

    def _send_step(self) -> None:
        self.socket.sendall(self._steps[0][0])

    def step(self) -> bool:
        """Read an answer to what was sent; True when the last one is there."""
        self._head += self.socket.recv(PIECE)
        if not self._steps:  # a PING of a server that others keep waiting
            return False
        if self._steps[0][1] not in self._head:
            return False
        self._head = b""
        del self._steps[0]
        if self._steps:
            self._send_step()
        return not self._steps

    def _take_framed(self, most: int) -> int:
        piece = self.socket.recv(most)
        if not piece:
            raise Failure(f"the connection was closed at byte {self.position}")
        if not self.expected.startswith(piece, self.position):
            # aiohttp asks each 25 seconds.
            piece = piece.replace(PING, b"", 1)
            if not self.expected.startswith(piece, self.position):
                raise Failure(f"byte {self.position}: got {piece[:80]!r}")
        self.position += len(piece)
        return self.position

    def _take_any(self, most: int) -> int:
        """Compare without frame heads, which stand wherever the server cut its output."""
        piece = self._head + self.socket.recv(most)
        if len(piece) == len(self._head):
            raise Failure(f"the connection was closed at byte {self.position}")
        start = 0
        while start < len(piece):
            if not self._left:
                head = read_head(piece, start)
                if head is None:
                    break
                start, self._left = head
            part = piece[start : start + self._left]
            start += len(part)
            self._left -= len(part)
            if not self.expected.startswith(part, self.position):
                # nats-server asks once, two seconds after a client has come.
                part = part.replace(b"PING\r\n", b"", 1)
                if not self.expected.startswith(part, self.position):
                    raise Failure(f"byte {self.position}: got {part[:80]!r}")
            self.position += len(part)
            if not self._left and self._line_end:
                self.position += 1
        self._head = piece[start:] if start < len(piece) else b""
        return self.position


def read_head(piece: bytes, start: int) -> tuple[int, int] | None:
    """Return where the payload of the frame at `start` begins and its size; None if cut off."""
    if len(piece) < start + 2:
        return None
    size, begin = piece[start + 1], start + 2
    extra = {126: 2, 127: 8}.get(size, 0)
    if len(piece) < begin + extra:
        return None
    if extra:
        size = int.from_bytes(piece[begin : begin + extra], "big")
    return begin + extra, size


def completes(client: Client, most: int) -> bool:
    """Let a client read; True if that made it have all it has to get."""
    missed = client.position < len(client.expected)
    return client.take(most) >= len(client.expected) and missed
