"""The embedded server where there is little to embed."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from bridge.nats_link import embedded, embedded_keeper, embedded_stream
from bridge.nats_link.embedded import EmbeddedNats, answers, find_server
from bridge.nats_link.embedded_stream import keep_test_messages
from tests.support.servers import free_port, until


def test_binary_is_the_one_of_the_wheel() -> None:
    assert find_server().name.startswith("nats-server")
    assert find_server().is_file()


def test_without_the_wheel_a_server_on_the_path_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def missing(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", missing)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="none to embed"):
        find_server()
    server = tmp_path / "nats-server"
    server.touch(0o755)
    assert find_server() == server


async def test_a_server_that_does_not_start_is_an_error_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embedded, "find_server", lambda: Path("/bin/true"))
    monkeypatch.setattr(embedded, "START_TIMEOUT_SECONDS", 0.2)
    nats = EmbeddedNats(free_port())
    with pytest.raises(TimeoutError, match="did not start"):
        await nats.start()
    nats.stop()


async def test_a_port_that_is_taken_is_left_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        nats = EmbeddedNats(port)
        assert nats.url != f"nats://127.0.0.1:{port}"
        await nats.start()
        assert await answers(int(nats.url.rpartition(":")[2]))
        nats.stop()


async def test_a_port_with_something_else_on_it_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embedded, "PROBE_TIMEOUT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not await answers(silent.getsockname()[1])
    assert not await answers(free_port())


def test_a_server_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    server = tmp_path / "server"
    server.write_text(f'#!/bin/sh\ntrap "" TERM\ntouch {tmp_path}/runs\nexec sleep 60\n')
    server.chmod(0o755)
    keeper = subprocess.Popen(
        [sys.executable, embedded_keeper.__file__, server, "0"], stdin=subprocess.PIPE
    )
    until((tmp_path / "runs").exists)
    assert keeper.stdin is not None
    keeper.stdin.close()
    assert keeper.wait(20) == 0


SAYS = {
    "the server hung up": b"",
    "Authorization Violation": b"-ERR 'Authorization Violation'\r\n",
    "no room": b'MSG answer 1 35\r\n{"error":{"description":"no room"}}\r\n',
    "JetStream does not answer": b"PING\r\n",
}


@pytest.mark.parametrize(("reason", "said"), SAYS.items(), ids=SAYS)
async def test_a_stream_that_cannot_be_made_is_a_warning(
    reason: str,
    said: bytes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(embedded_stream, "TIMEOUT_SECONDS", 0.2)
    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"INFO {}\r\n" + said)
        await reader.read(-1 if said else 10000)
        writer.close()
        await writer.wait_closed()
        left.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        await keep_test_messages(server.sockets[0].getsockname()[1])
        await left.wait()
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert reason in record.getMessage()
