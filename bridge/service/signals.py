"""What each signal means to a process of the service.

INT, TERM, QUIT: stop. HUP: read the certificate again, or stop if the terminal was closed. USR1:
write a line of figures. USR2: write where each thread stands, also if the event loop hangs.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import sys
from collections.abc import Callable

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)


def on_stop_signal(stop: Callable[[], object]) -> None:
    """Call `stop` in the running event loop for each signal that asks for it."""
    for number in STOP_SIGNALS:
        _call_in_loop(number, stop)


def on_other_signals(
    *, stop: Callable[[], object], reread: Callable[[], object], show: Callable[[], object]
) -> None:
    """Call `reread` for HUP, or `stop` once the terminal is closed; `show` for USR1."""
    terminals = _terminals()
    if sys.stderr is not None:  # it may be closed, and then this one means nothing
        faulthandler.register(signal.SIGUSR2)

    def hung_up() -> None:
        # Whose terminal was closed is sent the same signal as who is to read a file again.
        (stop if terminals and not _terminals() else reread)()

    _call_in_loop(signal.SIGHUP, hung_up)
    _call_in_loop(signal.SIGUSR1, show)


def _call_in_loop(number: int, act: Callable[[], object]) -> None:
    # Not by the event loop's own `add_signal_handler`: what removes such a handler, as the end of
    # the loop does, gives the signal its default back, and the next one ends the process.
    loop = asyncio.get_running_loop()
    signal.signal(number, lambda *_: loop.call_soon_threadsafe(act))


def _terminals() -> list[int]:
    """Return which of stdin, stdout and stderr are a terminal that is open."""
    return [number for number in (0, 1, 2) if os.isatty(number)]


def ignore_further_signals() -> None:
    """Ignore them from now on: they have nothing to add, and Python's end would die of them."""
    for number in (*STOP_SIGNALS, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
