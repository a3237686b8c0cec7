"""A service that answers requests at once, with what it was asked."""

from __future__ import annotations

import socket
import threading

from bench.client import PIECE
from bench.load import Publisher

SUBJECT = "bench.echo"


class Echo(threading.Thread):
    """Answers on `SUBJECT` until it is stopped."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self._socket = Publisher(port).socket
        self._socket.sendall(f"SUB {SUBJECT} 1\r\nPING\r\n".encode())
        while b"PONG" not in self._socket.recv(PIECE):
            pass
        self.start()

    def run(self) -> None:
        """Answer what comes; the end of the connection ends it."""
        held = b""
        while piece := self._socket.recv(PIECE):
            held += piece
            answers = []
            while (message := _next(held)) is not None:
                reply, payload, held = message
                answers.append(b"PUB %b %d\r\n%b\r\n" % (reply, len(payload), payload))
            self._socket.sendall(b"".join(answers))

    def stop(self) -> None:
        """Answer no more."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self.join()
        self._socket.close()


def _next(held: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Return reply subject and payload of the first message, and what is behind it."""
    while True:
        line, end, rest = held.partition(b"\r\n")
        if not end:
            return None
        if line.startswith(b"MSG "):
            break
        held = rest  # a PING: the connection is over before it has to be answered
    *_, reply, size = line.split()
    if len(rest) < int(size) + 2:
        return None
    return reply, rest[: int(size)], rest[int(size) + 2 :]
