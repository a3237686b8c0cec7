"""A real nats-server and a real gateway, each a child process on a free loopback port.

Each is a process group of its own: Ctrl-C is for who started them, and who then stops them.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from bridge.nats_link.embedded import find_server
from bridge.telemetry.line_writer import WAIT_SECONDS
from bridge.wire.subjects import CONTROL
from tests.support.forked import Forked, ForkServer
from tests.support.ports import free_port

ROOT = Path(__file__).parent.parent.parent
INBOX = "_INBOX."
OWN_SUBSCRIPTIONS = 4
"""Of a gateway that nobody follows anything through: the canary's, and three for other replicas."""
PATIENCE = 20.0
"""Seconds after which a wait has failed; the machine may be slow."""


def until(condition: Callable[[], Any], within: float = PATIENCE) -> Any:
    """Return the first true value of `condition`; fail with its last value after `within`."""
    deadline = time.monotonic() + within
    while not (value := condition()):
        assert time.monotonic() < deadline, f"still {value!r} after {within} s"
        time.sleep(0.01)
    return value


async def eventually(condition: Callable[[], Any], within: float = PATIENCE) -> Any:
    """Do the same as `until` while the event loop goes on reading."""
    return await asyncio.to_thread(until, condition, within)


def http(url: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    """Return status and text of a GET, or of a POST of `body`; 0 if nobody listens."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except (urllib.error.URLError, ConnectionError):
        return 0, ""


class NatsServer:
    """A nats-server with monitoring; `config` is added to its configuration file."""

    def __init__(self, folder: Path, config: str = "") -> None:
        self.port = free_port()
        self.monitor_port = free_port()
        self.folder = folder
        self._config = folder / f"nats-{self.port}.conf"
        self._config.write_text(
            f"listen: 127.0.0.1:{self.port}\nhttp: 127.0.0.1:{self.monitor_port}\n{config}\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def launch(self) -> None:
        """Start the process without waiting for anything."""
        self._process = subprocess.Popen(
            [find_server(), "-c", self._config], stderr=subprocess.DEVNULL, process_group=0
        )

    def start(self) -> None:
        self.launch()
        self.wait_until_healthy()

    def wait_until_healthy(self) -> None:
        """Return once it serves clients; one of a cluster with JetStream also needs a leader."""
        until(lambda: http(f"http://127.0.0.1:{self.monitor_port}/healthz")[0] == 200)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            self._process = None

    def crash(self) -> None:
        """End it where it stands: if it is frozen, what it was sent is never read."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def freeze(self) -> None:
        """Stop the process where it stands: it accepts connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        process = psutil.Process(self._process.pid)
        until(lambda: process.status() == psutil.STATUS_STOPPED)

    def lame_duck(self) -> None:
        """Have it tell its clients that it will stop, and take no new ones."""
        assert self._process is not None
        self._process.send_signal(signal.SIGUSR2)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def configure(self, config: str) -> None:
        """Change the configuration, for the next start or reload."""
        head = "".join(self._config.read_text().splitlines(keepends=True)[:2])
        self._config.write_text(head + config)

    def reload(self, config: str) -> None:
        """Read a changed configuration, as an operator's `nats-server --signal reload` does."""
        assert self._process is not None
        self.configure(config)
        self._process.send_signal(signal.SIGHUP)

    def connections(self) -> list[dict[str, Any]]:
        url = f"http://127.0.0.1:{self.monitor_port}/connz?subs=1"
        return json.loads(http(url)[1])["connections"]

    @property
    def runs(self) -> bool:
        return self._process is not None

    def knows_others(self, count: int) -> bool:
        """Tell whether the server has routes to `count` others of its cluster, and names them."""
        routes = json.loads(http(f"http://127.0.0.1:{self.monitor_port}/routez")[1])["routes"]
        return len({route["remote_id"] for route in routes}) == count

    def connections_so_far(self) -> int:
        """How many connections the server has taken since it started."""
        return int(
            json.loads(http(f"http://127.0.0.1:{self.monitor_port}/varz")[1])["total_connections"]
        )

    def subscriptions(self) -> list[str]:
        """The patterns that gateways are subscribed to, sorted; one entry for each SUB.

        Without those of their own: the inbox of the canary, and what replicas ask each other.
        """
        theirs = (INBOX, f"{CONTROL}.")
        return sorted(each for each in self._all_subscriptions() if not each.startswith(theirs))

    def inboxes(self) -> list[str]:
        """The inboxes that gateways are subscribed to; one entry for each SUB."""
        return [each for each in self._all_subscriptions() if each.startswith(INBOX)]

    def _all_subscriptions(self) -> list[str]:
        return [
            pattern
            for connection in self.connections()
            if connection.get("name", "").startswith("nats_websocket_bridge")
            for pattern in connection.get("subscriptions_list", ())
        ]


class Gateway:
    """`python main.py`, or another program with the same page and stream.

    The fork server starts it, where there is one, unless `cold` asks for a Python of its own.
    """

    fork_server: ForkServer | None = None

    def __init__(
        self,
        nats_url: str | None,
        *,
        program: str = "main.py",
        log: Path,
        cold: bool = False,
        **settings: object,
    ) -> None:
        self.port = free_port()
        self._log = log
        self._cold = cold
        self._arguments = [sys.executable, str(ROOT / program)]
        inherited = {k: v for k, v in os.environ.items() if k.lower() not in _SETTINGS}
        self._environment = inherited | {"HTTP_PORT": str(self.port), "PYTHONPATH": str(ROOT)}
        settings = {"publish_test_messages": False, "log_format": "text", **settings}
        if nats_url is not None:
            settings["nats_url"] = nats_url
        given = {name: value for name, value in settings.items() if value is not None}
        self._environment |= {name.upper(): str(value) for name, value in given.items()}
        self.process: subprocess.Popen[bytes] | Forked | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def stream(self) -> str:
        return f"ws://127.0.0.1:{self.port}/stream"

    def launch(self) -> None:
        """Start the process without waiting for anything."""
        with self._log.open("ab") as log:
            if self.fork_server is None or self._cold:
                self.process = subprocess.Popen(
                    self._arguments,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self._log.parent,
                    process_group=0,
                )
            else:
                self.process = self.fork_server.start(
                    self._arguments, self._environment, self._log.parent, log.fileno()
                )

    def start(self) -> None:
        """Start and wait until messages flow."""
        self.launch()
        until(lambda: http(f"{self.url}/readyz")[0] == 200)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(number)
        try:
            status = process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        if self._log.is_file():
            leaked = _SECRET.search(self.output())
            assert leaked is None, f"the service said {leaked[0]!r}"
        return status

    def wait(self) -> int:
        """Wait for the process to end by itself; return its exit status."""
        assert self.process is not None
        return self.process.wait(PATIENCE)

    def output(self) -> str:
        """Return what it has said so far; it says it some moments later."""
        if self.process is not None and self.process.poll() is None:
            time.sleep(20 * WAIT_SECONDS)
        return self._log.read_text()

    def figures(self) -> dict[str, float]:
        """The figures of /metrics by name, with labels as they are written there."""
        lines = http(f"{self.url}/metrics")[1].splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if line and line[0] != "#")
        return {name: float(value) for name, value in pairs}

    def ps(self) -> psutil.Process:
        assert self.process is not None
        return psutil.Process(self.process.pid)


def messages_by_fate(figures: dict[str, float]) -> dict[str, int]:
    """Return how many messages were due, and what became of them."""
    total: dict[str, int] = {}
    for name, value in figures.items():
        found = re.match(r"bridge_messages_([a-z]+?)(_total)?(?:\{|$)", name)
        if found:
            total[found[1]] = total.get(found[1], 0) + int(value)
    fates = ("received", "due", "delivered", "filtered", "dropped", "pending")
    return {fate: total[fate] for fate in fates}


_SECRET = re.compile(r"planted.?(?:secret|payload)|\beyJ[\w-]{9,}|\bS[A-Z2-7]{57}\b|PRIVATE KEY")
"""What the tests plant, JWTs, seeds of nkeys, private keys: none may ever be in the output."""

_SETTINGS = {"nats_url", "http_host", "http_port", "publish_test_messages", "log_format"}


@contextmanager
def running(server: NatsServer | Gateway) -> Iterator[Any]:
    """Start `server` and stop it at the end of the block."""
    try:
        server.start()  # Ctrl-C may end it in the middle
        yield server
    finally:
        server.stop()
