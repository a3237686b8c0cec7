"""A gateway whose clients follow a stream, and what is asked of JetStream for that."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
import time
from typing import Any, TypeVar

from bench.targets import Gateway, NatsServer, masked, publish
from bridge.wire.cursor import Cursor, epoch_of
from bridge.wire.frames import text_frame

G = TypeVar("G", bound=Gateway)
STREAM = "BENCH"


class StreamServer(NatsServer):
    """A nats-server with a stream in memory, of all that is published for a benchmark."""

    def __init__(self) -> None:
        self.published = 0
        """Messages that are or will be in the stream."""
        self._folder = tempfile.mkdtemp(prefix="bench-")
        super().__init__(f'jetstream {{ store_dir: "{self._folder}" }}\n')
        config = {"name": STREAM, "subjects": ["bench", "bench.>", "quiet"], "storage": "memory"}
        self.ask(f"STREAM.CREATE.{STREAM}", config | {"allow_direct": True, "no_ack": True})

    def stop(self) -> None:
        """End it, and remove what it stored."""
        super().stop()
        shutil.rmtree(self._folder)

    def ask(self, what: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what JetStream answers. Raises RuntimeError with an error of its."""
        request = publish(f"$JS.API.{what} answer", json.dumps(body or {}).encode())
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as raw:
            raw.sendall(b'CONNECT {"verbose":false}\r\nSUB answer 1\r\n' + request)
            with raw.makefile("rb") as lines:
                while not (line := lines.readline()).startswith(b"MSG "):
                    if not line:
                        raise RuntimeError("the NATS server hung up")
                answer: dict[str, Any] = json.loads(lines.read(int(line.split()[-1])))
        if "error" in answer:
            raise RuntimeError(answer["error"]["description"])
        return answer

    def end(self) -> str:
        """Return the cursor of the end of the stream, once it has all that was published."""
        deadline = time.monotonic() + 60
        while True:
            info = self.ask(f"STREAM.INFO.{STREAM}")
            last = info["state"]["last_seq"]
            if last == self.published:
                return str(Cursor(STREAM, epoch_of(info["created"]), last))
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.published} messages, {last} stored")
            time.sleep(0.01)


def variant(kind: type[G], gateway: Gateway, name: str, server: StreamServer) -> G:
    """Return the same process under another name, beside `server` and followed as `kind` does."""
    other = object.__new__(kind)
    other.__dict__ = gateway.__dict__ | {"name": name, "server": server}
    return other


class Stored(Gateway):
    """A gateway whose clients follow subjects that a stream stores."""

    server: StreamServer

    def command(self, subject: str, payload: bytes) -> bytes:
        self.server.published += 1
        return super().command(subject, payload)


class OfStream(Stored):
    """A gateway whose clients follow the stream from a cursor on, or from where it ends.

    From there, not `new`: what is new for a gateway may have been stored a moment ago.
    """

    cursor = ""

    def steps(self, patterns: list[str]) -> list[tuple[bytes, bytes]]:
        hello, *_ = super().steps(patterns)
        request = {"subjects": patterns, "history": {"after": self.cursor or self.server.end()}}
        return [hello, (masked(json.dumps(request).encode()), b'"status":"live"')]

    def delivery(self, subject: str, payload: bytes) -> bytes:
        sequence = self.server.published + int(payload[6:13]) + 1
        line = b'{"subject":"%b","seq":%d,"data":%b}' % (subject.encode(), sequence, payload)
        return text_frame(line)
