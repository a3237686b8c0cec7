"""Servers with JetStream."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.jetstream import cluster_of_three, jetstream
from tests.support.servers import NatsServer, running


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
