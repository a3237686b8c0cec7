"""A project of somebody else's that uses the client."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.support.servers import ROOT

CLIENT = ROOT / "page" / "js"
NAME = "nats-websocket-bridge"


def run(project: Path, command: list[str]) -> str:
    """Run a program of the project; return what it said. Fails unless it succeeds."""
    program = project / "node_modules" / ".bin" / command[0]
    env = os.environ | {"CI": "1", "NO_COLOR": "1"}
    done = subprocess.run(
        [program, *command[1:]], cwd=project, env=env, capture_output=True, text=True, timeout=60
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said
