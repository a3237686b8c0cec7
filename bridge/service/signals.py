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
        asyncio.get_running_loop().add_signal_handler(number, stop)


def on_other_signals(
    *, stop: Callable[[], object], reread: Callable[[], object], show: Callable[[], object]
) -> None:
    """Call `reread` for HUP, or `stop` once the terminal is closed; `show` for USR1."""
    loop, terminals = asyncio.get_running_loop(), _terminals()
    if sys.stderr is not None:  # it may be closed, and then this one means nothing
        faulthandler.register(signal.SIGUSR2)

    def hung_up() -> None:
        # Whose terminal was closed is sent the same signal as who is to read a file again.
        (stop if terminals and not _terminals() else reread)()

    loop.add_signal_handler(signal.SIGHUP, hung_up)
    loop.add_signal_handler(signal.SIGUSR1, show)


def _terminals() -> list[int]:
    """Return which of stdin, stdout and stderr are a terminal that is open."""
    return [number for number in (0, 1, 2) if os.isatty(number)]


def ignore_further_signals() -> None:
    """Ignore them from now on: they have nothing to add, and Python's end would die of them."""
    # Blocked meanwhile: without its handler in the event loop, one would end the process at once.
    numbers = (*STOP_SIGNALS, signal.SIGHUP, signal.SIGUSR1)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        for number in numbers:
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
