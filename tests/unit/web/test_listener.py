"""What the event loop reports, and what of it is logged."""

from __future__ import annotations

import asyncio
import errno
import os
import socket

import pytest

from bridge.web.listener import LoopReports


async def test_a_port_closed_while_no_file_was_free_leaves_no_traceback(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """asyncio waits a second for a free file, and then accepts again, on whatever is there."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(LoopReports())
    soon = loop.call_later
    monkeypatch.setattr(loop, "call_later", lambda _, call, *args: soon(0.01, call, *args))
    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    (listening,) = server.sockets
    port = listening.getsockname()[1]

    def accept(_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(socket.socket, "accept", accept)
    with socket.create_connection(("127.0.0.1", port)):
        while not caplog.records:
            await asyncio.sleep(0)
        server.close()
        await asyncio.sleep(0.1)
    assert [getattr(each, "event", each.message) for each in caplog.records] == ["no_files"]


async def test_anything_else_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.get_running_loop()
    LoopReports()(loop, {"message": "something", "exception": ValueError("planted")})
    assert "planted" in caplog.text
