"""The two clients of `bench.publishing` in Node: ours, and nats.js."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.client import Failure
from bench.publishing.node import Crowd, Load
from bench.publishing.service import SUBJECT, Echo
from bench.targets import NatsServer
from tests.support.servers import Gateway, running

LOADS = (
    Load("publish", 3, 2, 5, "bench"),
    Load("together", 2, 1, 5, "bench"),
    Load("request", 2, 1, 4, SUBJECT),
)


@pytest.fixture
def crowd(tools: Path) -> Iterator[Callable[[str, str], Crowd]]:
    """Return what starts Node with clients of one kind."""
    started: list[Crowd] = []

    def start(way: str, url: str) -> Crowd:
        started.append(Crowd(tools, way, url))
        return started[-1]

    yield start
    for each in started:
        each.stop()


def test_both_are_answered_and_timed(crowd: Callable[[str, str], Crowd], log: Path) -> None:
    nats = NatsServer()
    url = f"nats://127.0.0.1:{nats.port}"
    with running(Gateway(url, log=log, allow_publish=">")) as gateway:
        echo = Echo(nats.port)
        ours = crowd("gateway", gateway.stream)
        theirs = crowd("nats.js", f"ws://127.0.0.1:{nats.websocket_port}")
        for load in LOADS:
            for done in (ours.run(load), theirs.run(load)):
                assert done.rate > 0
                assert len(done.took) == (load.total if load.what == "request" else 0)
        # One of each connection is to warm up.
        sent = sum(load.total + load.connections for load in LOADS[:2])
        figures = gateway.figures()
        assert figures['bridge_publishes_total{result="sent"}'] == sent
        assert figures['bridge_publishes_total{result="answered"}'] == LOADS[2].total + 2
        echo.stop()
    nats.stop()


def test_who_is_refused_ends_the_run(crowd: Callable[[str, str], Crowd], gateway: Gateway) -> None:
    with pytest.raises(Failure, match="Node has ended"):
        crowd("gateway", gateway.stream).run(LOADS[0])
