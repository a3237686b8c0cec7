"""What is measured: each target with its servers, and how a client speaks with it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path

import psutil

from bridge.nats_link.embedded import find_server
from bridge.wire.frames import text_frame

ROOT = Path(__file__).parent.parent
LARGE = 4_000_000_000
"""Bytes of pending that no run reaches: what is measured is speed, not dropping."""

_COUNTER = re.compile(r'bridge_(?:messages_|connections_)?(\w+)_total(?:{\w+="(\w+)"})? (.*)')

UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)


def free_port() -> int:
    """Return a loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until something listens on `port`. Raises RuntimeError if `process` ends first."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0 and process.poll() is None:
                return
        time.sleep(0.02)
    raise RuntimeError(f"{process.args!r} does not listen on {port}")


def masked(payload: bytes, opcode: int = 0x81) -> bytes:
    """Return a client's frame; a mask of zeros leaves the payload as it is (RFC 6455, 5.3)."""
    size = len(payload)
    head = bytes([opcode, 0x80 | min(size, 126)]) + (size.to_bytes(2, "big") if size > 125 else b"")
    return head + bytes(4) + payload


def publish(subject: str, payload: bytes) -> bytes:
    """Return the bytes of a PUB."""
    return b"PUB %b %d\r\n%b\r\n" % (subject.encode(), len(payload), payload)


class NatsServer:
    """A nats-server; `websocket_port` is its own WebSocket listener, `more` its configuration.

    `compression`: whether it compresses for who offers that.
    """

    def __init__(self, more: str = "", *, compression: bool = False) -> None:
        self.port, self.websocket_port = free_port(), free_port()
        with tempfile.NamedTemporaryFile("w", suffix=".conf", delete=False) as config:
            config.write(
                f"listen: 127.0.0.1:{self.port}\nmax_pending: {LARGE}\n"
                "write_deadline: '120s'\nping_interval: '1h'\n"
                f"websocket {{ listen: '127.0.0.1:{self.websocket_port}', no_tls: true, "
                f"compression: {str(compression).lower()} }}\n{more}"
            )
        self.process = subprocess.Popen(
            [find_server(), "-c", config.name], stderr=subprocess.DEVNULL
        )
        wait_for(self.websocket_port, self.process)
        os.unlink(config.name)

    def stop(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


class Target:
    """A server that brings NATS subjects to WebSocket clients."""

    framed = True
    """Whether each message is a frame of its own, so that the bytes on the wire are known."""

    def __init__(self, name: str, nats: NatsServer, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.nats = nats
        self.process = process
        self.ps = psutil.Process(process.pid)

    port: int

    def steps(self, patterns: list[str]) -> list[tuple[bytes, bytes]]:
        """Return what a client sends to follow `patterns`: bytes, and a part of the answer."""
        raise NotImplementedError

    def delivery(self, subject: str, payload: bytes) -> bytes:
        """Return the bytes a client gets for a message; without frame heads if not `framed`."""
        raise NotImplementedError

    def command(self, subject: str, payload: bytes) -> bytes:
        """Return the bytes of a PUB."""
        return publish(subject, payload)

    def counters(self) -> dict[str, int]:
        """Return what it says it has counted since its start; nothing if it does not count.

        What is counted by reason is there as a whole, too.
        """
        return {}

    def stop(self) -> None:
        """End it, but not its nats-server."""
        self.process.kill()
        self.process.wait()


class Native(Target):
    """nats-server's own WebSocket: the NATS protocol in binary frames."""

    framed = False

    def __init__(self, nats: NatsServer) -> None:
        super().__init__("native", nats, nats.process)
        self.port = nats.websocket_port

    def steps(self, patterns: list[str]) -> list[tuple[bytes, bytes]]:
        follow = "".join(f"SUB {pattern} {n}\r\n" for n, pattern in enumerate(patterns, 1))
        options = json.dumps({"verbose": False, "echo": False, "no_responders": False})
        hello = f"CONNECT {options}\r\n{follow}PING\r\n".encode()
        return [(UPGRADE.format(path="/").encode(), b"INFO"), (masked(hello, 0x82), b"PONG")]

    def delivery(self, subject: str, payload: bytes) -> bytes:
        return f"MSG {subject} 1 {len(payload)}\r\n".encode() + payload + b"\r\n"

    def stop(self) -> None:
        """Leave it to its nats-server's end."""


class Gateway(Target):
    """This project, or another program with its wire; `path` may ask for batches.

    `root`: the checkout that is measured; this Python runs it.
    """

    def __init__(
        self,
        name: str,
        nats: NatsServer,
        program: str = "main.py",
        root: Path = ROOT,
        **environment: str,
    ) -> None:
        self.port = free_port()
        self.path = "/stream"
        self.counting = program != "bench/plain_gateway.py"
        settings = {
            "HTTP_PORT": str(self.port),
            "NATS_URL": f"nats://127.0.0.1:{nats.port}",
            "PUBLISH_TEST_MESSAGES": "false",
            "MAX_PENDING_BYTES": str(LARGE),
            "MAX_SUBJECTS": "100000",
            "MAX_CONNECTIONS_PER_ADDRESS": "10000",
            "WRITE_TIMEOUT": "120",
            "LOG_LEVEL": "error",
            "PYTHONPATH": str(root),
        }
        process = subprocess.Popen(
            [sys.executable, str(root / program)],
            env=os.environ | settings | environment,
            stdout=subprocess.DEVNULL,
            cwd=root,
        )
        super().__init__(name, nats, process)
        wait_for(self.port, process)

    def batched(self) -> Gateway:
        """Return the same process, asked for batches."""
        other = object.__new__(Gateway)
        other.__dict__ = self.__dict__ | {"name": f"{self.name}, batch=1", "framed": False}
        other.path = "/stream?batch=1"
        return other

    def wait_until_left(self, files: int) -> None:
        """Wait until no more than `files` descriptors are open. Raises RuntimeError if it lasts."""
        deadline = time.monotonic() + 20
        while self.ps.num_fds() > files:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} keeps {self.ps.num_fds() - files} sockets open")
            time.sleep(0.02)

    def counters(self) -> dict[str, int]:
        if not self.counting:
            return {}
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=120) as answer:
            lines = [line for line in answer.read().decode().splitlines() if line[0] != "#"]
        counted: Counter[str] = Counter()
        for line in lines:
            found = re.match(
                r'bridge_(?:messages_|connections_)?(\w+)_total(?:{\w+="(\w+)"})? (.*)', line
            )
            if found:
                name, label, value = found.groups()
                counted[name] += int(float(value))
                if label:
                    counted[f"{name}_{label}"] = int(float(value))
        return dict(counted)

    def steps(self, patterns: list[str]) -> list[tuple[bytes, bytes]]:
        groups = [patterns[n : n + 128] for n in range(0, len(patterns), 128)]
        requests = [masked(json.dumps({"subjects": group}).encode()) for group in groups]
        hello = (UPGRADE.format(path=self.path).encode(), b"Successfully connected")
        return [hello, *((request, b'"message"') for request in requests)]

    def delivery(self, subject: str, payload: bytes) -> bytes:
        line = b'{"subject":"%b","data":%b}' % (subject.encode(), payload)
        return text_frame(line) if self.framed else line + b"\n"
