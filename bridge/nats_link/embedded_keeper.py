"""The program between the service and its own nats-server; it knows only the standard library.

It waits for its standard input to end, which happens when the service stops and also when it is
killed. It runs as a script, so it must not import anything beside it: `python -I` sees to that.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
import time

RESTART_WAIT_SECONDS = 0.2
STOP_TIMEOUT_SECONDS = 2.0


def keep(server: str, port: str) -> None:
    """Run `server`, again if it ends, until standard input does; then remove its data."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with tempfile.TemporaryDirectory(prefix="nats-bridge-") as data:
        command = [server, "--addr", "127.0.0.1", "--port", port, "--jetstream"]
        while _run([*command, "--store_dir", data]):
            time.sleep(RESTART_WAIT_SECONDS)


def _run(command: list[str]) -> bool:
    """Run a server; True if it ended by itself, False if standard input did."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        readable, _, _ = select.select([sys.stdin], [], [], 0.1)
        if readable and not os.read(sys.stdin.fileno(), 1):
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()  # it can hang when it is told to stop while it starts
                process.wait()
            return False
    return True


if __name__ == "__main__":
    keep(*sys.argv[1:3])
