"""Servers with JetStream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from nats.aio.client import Client

from tests.support.jetstream import cluster_of_three, jetstream, plain_client
from tests.support.servers import Gateway, NatsServer, running


@pytest.fixture(scope="module")
def stream_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """One server, shared by the tests of a file that leave it running."""
    folder = tmp_path_factory.mktemp("jetstream")
    with running(NatsServer(folder, jetstream(folder))) as server:
        yield server


@pytest.fixture(scope="module")
def three_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[NatsServer]]:
    """A cluster, shared by the tests of a file that leave it running."""
    with cluster_of_three(tmp_path_factory.mktemp("three")) as servers:
        yield servers


@pytest.fixture(scope="module")
def stream_gateway(
    stream_server: NatsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway beside that server."""
    log = tmp_path_factory.mktemp("gateway") / "log"
    gateway = Gateway(stream_server.url, log=log, allow_subjects="> $KV.>")
    with running(gateway):
        yield gateway


@pytest.fixture
async def client(stream_server: NatsServer) -> AsyncIterator[Client]:
    """A plain NATS client."""
    async with plain_client(stream_server) as client:
        yield client
