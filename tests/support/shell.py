"""A shell as a reader of the README has one, in a folder like a clone that has been set up."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.programs import nats_pub
from tests.support.servers import PATIENCE, ROOT, Gateway

KEPT = ("HOME", "LANG", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
"""What a shell here has of our own environment."""


def shell_folder(parent: Path) -> Path:
    """Return a folder like a clone that has been set up, with a `nats` command on the PATH."""
    place = parent / "clone"
    (place / ".venv" / "bin").mkdir(parents=True)
    for path in ROOT.iterdir():
        if not path.name.startswith("."):
            (place / path.name).symlink_to(path)
    program(place / ".venv" / "bin" / "python", f'exec {sys.executable} "$@"')
    for name in ("ready", "ready-dev", "ready-browser"):
        (place / ".venv" / name).touch()
    program(place / "bin" / "nats", f'exec {sys.executable} {nats_pub.__file__} "$@"')
    return place


def program(path: Path, line: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def surroundings(folder: Path, **more: object) -> dict[str, str]:
    """Return the environment of a shell in `folder`: none of our settings, but `more`."""
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    return kept | {"PATH": path, **{name: str(value) for name, value in more.items()}}


def sh(command: str, folder: Path, **more: object) -> str:
    """Run a command of the README to its end; return what it prints."""
    ended = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=surroundings(folder, **more),
        stdout=subprocess.PIPE,
        text=True,
        timeout=4 * PATIENCE,
    )
    assert ended.returncode == 0, ended
    return ended.stdout


class Typed(Gateway):
    """A gateway that is started by a command of the README, in a shell."""

    def __init__(self, command: str, folder: Path, port: int, **more: object) -> None:
        super().__init__(None, log=folder / "output", cold=True)
        self.port = port
        self._arguments = ["sh", "-c", f"exec {command}" if "=" not in command else command]
        self._environment = surroundings(folder, LOG_FORMAT="text", **more)

    def stop(self, number: int = signal.SIGINT) -> int:
        """Press Ctrl-C: everything that was started from the terminal gets it."""
        process, self.process = self.process, None
        if process is None:
            return 0
        os.killpg(process.pid, number)
        try:
            return process.wait(PATIENCE)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # whatever did not end
            process.wait()
