"""A NATS client of a few lines, which sends what no client library would."""

from __future__ import annotations

import socket


class RawNats:
    """A connection to a nats-server; every `publish` is on the server when it returns."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._file = self._socket.makefile("rb")
        self._file.readline()
        self.send(b'CONNECT {"verbose":false,"pedantic":false,"headers":true}\r\n')

    def publish(
        self, subject: str | bytes, payload: bytes = b"", reply: str = "", headers: bytes = b""
    ) -> None:
        name = subject.encode() if isinstance(subject, str) else subject
        self.send(self.command(name, payload, reply.encode(), headers))

    @staticmethod
    def command(subject: bytes, payload: bytes, reply: bytes = b"", headers: bytes = b"") -> bytes:
        """Return the bytes of a PUB or HPUB (NATS docs, "Client Protocol")."""
        size = len(headers) + len(payload)
        if headers:
            verb = b"HPUB %b %b %d %d" % (subject, reply, len(headers), size)
        else:
            verb = b"PUB %b %b %d" % (subject, reply, size)
        return verb + b"\r\n" + headers + payload + b"\r\n"

    def send(self, data: bytes) -> None:
        """Send `data` and wait until the server has taken it. Raises on an error it reports."""
        self._socket.sendall(data + b"PING\r\n")
        while (line := self._file.readline()) != b"PONG\r\n":
            if line == b"PING\r\n":
                self._socket.sendall(b"PONG\r\n")
            elif not line.startswith(b"INFO"):
                raise ConnectionError(line.decode(errors="replace") or "closed")

    def __enter__(self) -> RawNats:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()
        self._socket.close()
