"""Finds Prometheus' promtool for the tests of the alert rules; run as a program, also fetches it.

On Debian it comes with the whole server, as a package that would start one: so it is taken out of
the package, and nothing is installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PATIENCE = 60  # s; the tests can do without
OURS = Path(sys.prefix) / "bin" / "promtool"


def found() -> str | None:
    """Return the promtool that $PROMTOOL names, one on the PATH, or the one fetched."""
    named = os.environ.get("PROMTOOL") or shutil.which("promtool")
    return named or (str(OURS) if OURS.exists() else None)


def fetch() -> None:
    """Take promtool out of Debian's package."""
    if os.geteuid() == 0:
        subprocess.run(["apt-get", "-qq", "update"], check=True, timeout=PATIENCE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)  # as root, apt-get downloads as a user of its own
        download = ["apt-get", "-qq", "download", "prometheus"]
        subprocess.run(download, cwd=folder, check=True, timeout=PATIENCE)
        (package,) = folder.glob("*.deb")
        subprocess.run(["dpkg-deb", "--extract", package, folder / "all"], check=True)
        shutil.move(folder / "all/usr/bin/promtool", OURS)


if __name__ == "__main__" and not found():
    print("Fetching promtool for the tests of the alert rules ...", flush=True)
    try:
        fetch()
    except (subprocess.SubprocessError, OSError, ValueError) as error:
        print(f"Not there, so its tests are skipped: {error}", flush=True)
