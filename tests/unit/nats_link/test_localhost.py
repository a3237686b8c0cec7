"""A NATS server on `localhost` that is not there: what is said of it in a container."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket

import pytest

from bridge.nats_link import localhost, watch
from bridge.nats_link.localhost import LIKELY_CAUSE, LocalhostHint
from bridge.nats_link.watch import NatsWatch
from bridge.telemetry.counters import Counters
from tests.unit.nats_link.test_watch import Link

REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 4222)")
BOTH_REFUSED = OSError(
    "Multiple exceptions: [Errno 111] Connect call failed ('::1', 4222, 0, 0), "
    "[Errno 111] Connect call failed ('127.0.0.1', 4222)"
)


def inside() -> bool:
    return True


def outside() -> bool:
    return False


@pytest.mark.parametrize("error", [REFUSED, BOTH_REFUSED])
@pytest.mark.parametrize(
    "server",
    [
        *(
            "nats://localhost:4222",
            "nats://LOCALHOST",
            "nats://ann:secret@localhost",
            "tls://a.localhost",
        ),
        *("nats://127.0.0.1:4222", "nats://127.1.2.3", "nats://[::1]:4222", "nats://0.0.0.0:4222"),
        "nats://localhost.:4222",
    ],
)
def test_in_a_container_localhost_is_said_to_be_the_container_once(
    server: str, error: Exception
) -> None:
    hint = LocalhostHint(inside)
    servers = ["nats://nats:4222", server]
    assert hint(error, servers) == LIKELY_CAUSE
    assert hint(error, servers) == ""


@pytest.mark.parametrize(
    ("error", "server", "contained"),
    [
        (REFUSED, "nats://localhost:4222", outside),
        (REFUSED, "nats://nats:4222", inside),
        (REFUSED, "nats://10.0.0.7:4222", inside),
        (REFUSED, "nats://localhost.example:4222", inside),
        (REFUSED, "nats://host.docker.internal:4222", inside),
        (TimeoutError(), "nats://localhost:4222", inside),
        (Exception("nats: 'Authorization Violation'"), "nats://localhost:4222", inside),
        (socket.gaierror(-2, "Name or service not known"), "nats://localhost:4222", inside),
    ],
)
def test_nothing_is_said_where_that_is_not_the_cause(
    error: Exception, server: str, contained: object
) -> None:
    assert LocalhostHint(contained)(error, [server]) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_what_a_real_refusal_looks_like_is_known(host: str) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        with pytest.raises(OSError) as refused:
            await asyncio.open_connection(host, port)
    assert localhost.is_refused(refused.value)


@pytest.fixture
def contained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "LocalhostHint", lambda: LocalhostHint(inside))


@pytest.mark.usefixtures("contained")
async def test_the_log_has_it_once_and_never_after_messages_have_flowed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    servers = ["nats://localhost:4222"]
    waiting, flowing = (NatsWatch(lambda: servers, Counters()) for _ in range(2))
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            await waiting.error(REFUSED)
        (line,) = (each.getMessage() for each in caplog.records)
        assert "localhost is this container itself" in line
        assert "--add-host=host.docker.internal:host-gateway" in line
        caplog.clear()
        flowing.begin(Link())  # type: ignore[arg-type]
        await flowing.lost()
        await flowing.error(REFUSED)
    assert "Connect call failed" in caplog.text
    assert "container" not in caplog.text
