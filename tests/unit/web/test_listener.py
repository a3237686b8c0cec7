"""What the event loop reports, and what of it is logged."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import socket

import pytest

from bridge.web.listener import MAX_OPEN_FILES, LoopReports, raise_open_files

ENDLESS = resource.RLIM_INFINITY


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


@pytest.mark.parametrize(
    ("soft", "hard", "taken", "files"),
    [
        (1024, 4096, 4096, 4096),
        (1024, 1024, 1024, 1024),
        (1024, ENDLESS, MAX_OPEN_FILES, MAX_OPEN_FILES),
        (ENDLESS, ENDLESS, 0, ENDLESS),
        # macOS: no bound, it says; a script of its start may have set one.
        (256, ENDLESS, 61440, 61440),
        (256, ENDLESS, 12288, 10240),
        (256, 20000, 10240, 10240),
        (256, ENDLESS, 256, 256),
        (20000, ENDLESS, 20000, 20000),
    ],
)
def test_as_many_files_as_the_system_takes_may_be_open(
    soft: int, hard: int, taken: int, files: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`taken`: the most that the system takes, whatever bound it names."""
    limits = [(soft, hard)]

    def set_limit(_: int, wanted: tuple[int, int]) -> None:
        if wanted[0] > taken:
            raise ValueError("current limit exceeds maximum limit")
        limits.append(wanted)

    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", set_limit)
    assert raise_open_files() == (soft, files)
    assert limits[-1] == (files, hard)
