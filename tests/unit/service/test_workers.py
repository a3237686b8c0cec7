"""Signals for processes that asyncio started."""

from __future__ import annotations

import asyncio
import signal
import subprocess

import pytest

from bridge.service.workers import _send


async def test_a_signal_leaves_the_exit_status_to_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    """`Popen.send_signal` looks first whether the process has ended, and so takes the status."""
    process = await asyncio.create_subprocess_exec("sleep", "60")

    def takes_it(self: object) -> None:
        raise AssertionError("the exit status would be lost")

    monkeypatch.setattr(subprocess.Popen, "poll", takes_it)
    _send(process, signal.SIGTERM)
    assert await process.wait() == -signal.SIGTERM
    _send(process, signal.SIGTERM)
