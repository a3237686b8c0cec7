"""Installs what the tests in `tests/page/builds` need; run as a program, ahead of them."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.servers import ROOT

LIST = ROOT / "tests" / "page" / "builds" / "package.json"
FOLDER = ROOT / ".npm-tools"
PATIENCE = 300  # s, for a slow network


def tools() -> Path:
    """Return the `node_modules` folder that `LIST` asks for, installed once for all tests.

    Skips the test that calls it where there is no npm.
    """
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    return installed()


def installed() -> Path:
    """Install what is missing; several processes may ask at the same time."""
    FOLDER.mkdir(exist_ok=True)
    wanted = hashlib.sha256(LIST.read_bytes()).hexdigest()
    ready = FOLDER / "ready"
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists() or ready.read_text() != wanted:
            shutil.copy(LIST, FOLDER / "package.json")
            quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
            subprocess.run(["npm", "install", *quiet], cwd=FOLDER, check=True, timeout=PATIENCE)
            ready.write_text(wanted)
    return FOLDER / "node_modules"


if __name__ == "__main__":
    if shutil.which("npm") is None:
        print("npm is not installed, so tests/page/builds is skipped.")
    else:
        print("Setting up npm packages for tests/page/builds ...", flush=True)
        installed()
