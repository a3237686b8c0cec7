"""The servers that service and page tests run against."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.forked import ForkServer
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, running

# Examples have no deadline: a busy machine takes longer than the usual 200 ms now and then.
settings.register_profile("busy", deadline=None)
settings.register_profile("long", deadline=None, max_examples=3000)
settings.load_profile("busy")

LONGEST = ("tests/page/browser/", "tests/page/builds/", "tests/service/replicas/", "tests/service/")
"""What begins first where there are several processes: what takes long would else end last."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # one of several processes
        items.sort(key=lambda item: [not item.nodeid.startswith(each) for each in LONGEST])


@pytest.fixture(scope="session", autouse=True)
def hang_ups_count() -> None:
    """Give programs under test what a terminal gives them, also in a run under `nohup`."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def fork_server() -> Iterator[None]:
    """Gateways start in a tenth of the time."""
    if sys.platform != "linux":  # elsewhere libraries may not survive a fork
        yield
        return
    server = Gateway.fork_server = ForkServer()
    yield
    Gateway.fork_server = None
    server.stop()


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A nats-server shared by the tests that leave it as it is."""
    with running(NatsServer(tmp_path_factory.mktemp("nats"))) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway shared by the tests of a file; its rate limit is out of their way."""
    log = tmp_path_factory.mktemp("gateway") / "log"
    service = Gateway(nats_server.url, log=log, requests_per_second=10000, request_burst=10000)
    with running(service):
        yield service


@pytest.fixture
def raw_nats(nats_server: NatsServer) -> Iterator[RawNats]:
    """A connection to the shared nats-server."""
    with RawNats(nats_server.port) as client:
        yield client


@pytest.fixture
def publish(raw_nats: RawNats) -> Callable[[str, bytes], None]:
    """Publish to the shared nats-server; the message is there when the call returns."""
    return raw_nats.publish


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A file for the output of a gateway."""
    return tmp_path / "gateway.log"
