"""The cluster as Docker runs it: its containers, and whom the balancer has sent where."""

from __future__ import annotations

import csv
import json
import os
import secrets
import subprocess
from typing import Any

from tests.support.servers import PATIENCE, ROOT, free_port, until

PROJECT = "gateways-under-load"
SLOWEST_START = 600
"""Seconds, with an image to be made."""


class Cluster:
    """The profile `cluster` under ports and a name of its own. Use with `with`."""

    def __init__(self) -> None:
        self.port = free_port()
        self.nats_ports = [free_port() for _ in range(3)]
        self._token = secrets.token_hex(32)
        self._names: dict[str, list[str]] = {}
        servers = {f"NATS_{n}_PORT": str(port) for n, port in enumerate(self.nats_ports, 1)}
        own = {"CLUSTER_PORT": str(self.port), "OPERATOR_TOKEN": self._token}
        self._environment = os.environ | own | servers

    def __enter__(self) -> Cluster:
        try:
            self._compose("up", "--build", "--detach", "--wait", "balancer")
            until(lambda: len(self.connections()) == len(self.gateways))
        except BaseException:
            self._down()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._down()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def gateways(self) -> list[str]:
        """The names of the containers; those that were killed are among them."""
        return self._containers("gateways")

    @property
    def nats_servers(self) -> list[str]:
        return self._containers("nats-1", "nats-2", "nats-3")

    @property
    def balancer(self) -> str:
        return self._containers("balancer")[0]

    def kill(self, container: str) -> None:
        """End it with SIGKILL; Docker then starts it again only when asked."""
        _run("docker", "kill", container)

    def stop(self, container: str) -> None:
        """End it as a deployment does; returns when it has ended."""
        _run("docker", "stop", "--time", "15", container)

    def freeze(self, container: str) -> None:
        """Hold it where it stands: its connections stay, and nothing answers."""
        _run("docker", "pause", container)

    def start(self, container: str) -> None:
        """Start one that was killed or stopped, let one go on that was frozen."""
        state = _run("docker", "inspect", "--format", "{{.State.Status}}", container).strip()
        _run("docker", "unpause" if state == "paused" else "start", container)

    def crash(self, container: str) -> None:
        """Kill it and start it again."""
        self.kill(container)
        self.start(container)

    def connections(self) -> dict[str, int]:
        """How many connections each gateway has that is ready, as the balancer counts them."""
        table = self._ask_inside("http://127.0.0.1:8404/stats;csv").removeprefix("# ").splitlines()
        ready = {
            row["addr"].partition(":")[0]: int(row["scur"])
            for row in csv.DictReader(table)
            if row["pxname"] == "ready" and row["status"] == "UP" and row["addr"]
        }
        template = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        addresses = _run("docker", "inspect", "--format", template, *self.gateways).split("\n")
        named = zip(self.gateways, addresses[:-1], strict=True)
        return {name: ready[address] for name, address in named if address in ready}

    def roster(self) -> dict[str, Any]:
        """Who is connected to any gateway, as one of them tells an operator."""
        path = "http://127.0.0.1:8404/connections"
        return json.loads(self._ask_inside(path, f"--header=Authorization: Bearer {self._token}"))

    def _ask_inside(self, url: str, *options: str) -> str:
        """Ask the balancer as those can who are in the network of the containers."""
        return self._compose("exec", "-T", "balancer", "wget", "-q", "-O", "-", *options, url)

    def _containers(self, *services: str) -> list[str]:
        if services[0] not in self._names:
            names = self._compose("ps", "--all", "--format", "{{.Name}}", *services)
            self._names[services[0]] = sorted(names.split())
        return self._names[services[0]]

    def _down(self) -> None:
        self._compose("down", "--volumes", "--timeout", "15")

    def _compose(self, *arguments: str) -> str:
        command = ["docker", "compose", "--profile", "cluster", "--project-name", PROJECT]
        return _run(*command, *arguments, environment=self._environment)


def _run(*command: str, environment: dict[str, str] | None = None) -> str:
    """Run a program and return its output; shows what it complained of if it fails."""
    limit = SLOWEST_START if "up" in command else 3 * PATIENCE
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=limit
    )
    assert result.returncode == 0, f"{' '.join(command)}: {result.stderr[-1000:]}"
    return result.stdout
