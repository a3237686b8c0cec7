"""Node with clients of one kind, which does one run after the other."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench.client import Failure

PROGRAM = Path(__file__).with_name("crowd.mjs")


@dataclass(frozen=True)
class Load:
    """What is done in one run: `messages` on each connection, `under_way` of them at a time.

    `what`: "publish" and "request" wait for each answer; "together" publishes all of them first.
    """

    what: str
    connections: int
    under_way: int
    messages: int
    subject: str

    @property
    def total(self) -> int:
        """How many there are, over all connections."""
        return self.connections * self.messages


@dataclass(frozen=True)
class Done:
    """What came of a run, in seconds."""

    load: Load
    seconds: float
    cpu: float
    """That Node used."""
    took: list[float] = field(repr=False)
    """How long each answer to a request took."""
    server_cpu: float = 0.0
    """That the gateway used, or nats-server in its place."""

    @property
    def rate(self) -> float:
        """How many a second were acknowledged."""
        return self.load.total / self.seconds


class Crowd:
    """A program with clients of one kind. `tools`: the folder of npm packages."""

    def __init__(self, tools: Path, way: str, url: str) -> None:
        command = ["node", str(PROGRAM), str(tools), way, url]
        self._node = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, load: Load) -> Done:
        """Do one run. Raises Failure if something was refused; it has said why."""
        assert self._node.stdin is not None and self._node.stdout is not None
        asked = asdict(load)
        print(json.dumps(asked | {"underWay": asked.pop("under_way")}), file=self._node.stdin)
        self._node.stdin.flush()
        line = self._node.stdout.readline()
        if not line:
            raise Failure(f"{load.what}: Node has ended")
        return Done(load, **json.loads(line))

    def stop(self) -> None:
        """End it."""
        self._node.kill()
        self._node.communicate()
