"""From one meaning of a signal to the next, no signal falls through."""

from __future__ import annotations

import subprocess
import sys

from tests.support.servers import ROOT

UNDER_A_HAIL = """
import asyncio, os, signal, sys, threading
from bridge.service import signals

def hail():
    while True:
        os.kill(os.getpid(), signal.SIGTERM)

async def run():
    for number in range(300):
        signals.on_stop_signal(lambda: None)
        if number == 0:
            sys.setswitchinterval(1e-6)
            threading.Thread(target=hail, daemon=True).start()
        await asyncio.sleep(0)
        signals.ignore_further_signals()

asyncio.run(run())
print("still here", flush=True)
os._exit(0)
"""


def test_a_hail_of_signals_does_not_end_a_process_that_begins_to_ignore_them() -> None:
    command = [sys.executable, "-c", UNDER_A_HAIL]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "still here\n")
