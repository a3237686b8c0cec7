"""Shows what an idle connection costs in memory: each follows one pattern, and then does nothing.

python -m bench.idle                     2000, 5000 and 10000 connections, about three minutes
python -m bench.idle --gateway ../old    the same of another checkout
python -m bench.idle --connections 500   to see that it works

They come as a browser does, with all its headers, offer compression, and answer pings. The figure
is what the gateway (RSS) has grown by for each, since the first few were there: at once, and after
each has been pinged twice.
"""

from __future__ import annotations

import argparse
import json
import resource
import selectors
import socket
import time
from contextlib import ExitStack
from pathlib import Path

from bench.client import PING, Failure
from bench.targets import ROOT, Gateway, NatsServer, masked

ADDRESSES, PATTERNS, FIRST, TOGETHER = 20, 1000, 20, 100
PINGED_TWICE_SECONDS = 60
PONG = masked(b"", 0x8A)
HANDSHAKE = """\
GET /stream HTTP/1.1
Host: 127.0.0.1:{port}
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0
Accept: */*
Accept-Language: en-US,en;q=0.5
Accept-Encoding: gzip, deflate, br, zstd
Sec-WebSocket-Version: 13
Sec-WebSocket-Extensions: permessage-deflate
Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==
Origin: http://127.0.0.1:{port}
Connection: keep-alive, Upgrade
Sec-Fetch-Dest: empty
Sec-Fetch-Mode: websocket
Sec-Fetch-Site: same-origin
Pragma: no-cache
Cache-Control: no-cache
Upgrade: websocket

"""


class Crowd:
    """Connections to one gateway, which are left open."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._hello = HANDSHAKE.format(port=port).replace("\n", "\r\n").encode()
        self.sockets: list[socket.socket] = []
        self._selector = selectors.DefaultSelector()

    def grow(self, count: int) -> None:
        """Connect until there are `count`, some together."""
        while len(self.sockets) < count:
            begin = len(self.sockets)
            numbers = range(begin, min(count, begin + TOGETHER))
            self.sockets += [self._connected(number) for number in numbers]
            for number in numbers:
                read_until(self.sockets[number], b"Successfully connected")
                follow = {"subjects": [f"bench.{number % PATTERNS}"], "action": "subscribe"}
                self.sockets[number].sendall(masked(json.dumps(follow).encode()))
            for number in numbers:
                read_until(self.sockets[number], b'"message"')
                connection = self.sockets[number]
                self._selector.register(connection, selectors.EVENT_READ, connection)
            self.answer_pings(0)

    def _connected(self, number: int) -> socket.socket:
        source = f"127.0.0.{2 + number % ADDRESSES}", 0
        connection = socket.create_connection(("127.0.0.1", self._port), 20, source)
        connection.sendall(self._hello)
        return connection

    def answer_pings(self, seconds: float) -> None:
        """Answer what comes for a while. Raises Failure if a connection ends."""
        deadline = time.monotonic() + seconds
        while True:
            for key, _ in self._selector.select(max(0.0, deadline - time.monotonic())):
                if key.data.recv(4096) != PING:
                    raise Failure("something else than a ping came, or the end")
                key.data.sendall(PONG)
            if time.monotonic() >= deadline:
                break

    def leave(self) -> None:
        """Close all connections."""
        self._selector.close()
        for connection in self.sockets:
            connection.close()


def read_until(connection: socket.socket, part: bytes) -> None:
    """Read until `part` has come. Raises Failure if that does not happen."""
    read = b""
    while part not in read:
        piece = connection.recv(65536)
        if not piece:
            raise Failure(f"the connection was closed after {read!r}")
        read += piece


def measure(gateway: Gateway, counts: list[int]) -> None:
    """Print a row for each number of connections, and one for those that were pinged."""
    crowd = Crowd(gateway.port)
    try:
        crowd.grow(FIRST)
        least = gateway.ps.memory_info().rss
        print("| connections | RSS | for each |\n|---|---|---|")
        rows = [(f"{count}", count) for count in counts] + [("pinged twice", counts[-1])]
        for label, count in rows:
            crowd.grow(count)
            crowd.answer_pings(1 if label.isdigit() else PINGED_TWICE_SECONDS)
            rss = gateway.ps.memory_info().rss
            each = (rss - least) / 1024 / (count - FIRST)
            print(f"| {label} | {rss / 1048576:.0f} MiB | {each:.1f} KiB |", flush=True)
    finally:
        crowd.leave()


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="bench.idle", description=__doc__.split("\n")[0])
    parser.add_argument("--connections", type=int, nargs="+", default=[2000, 5000, 10000])
    parser.add_argument("--gateway", type=Path, default=ROOT, help="the checkout to measure")
    options = parser.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with ExitStack() as stack:
        nats = NatsServer()
        stack.callback(nats.stop)
        gateway = Gateway("gateway", nats, root=options.gateway.resolve())
        stack.callback(gateway.stop)
        time.sleep(1)  # until it is connected to NATS
        measure(gateway, sorted(options.connections))


if __name__ == "__main__":
    main()
