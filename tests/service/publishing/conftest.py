"""A gateway by which anyone may publish, and a server with streams that does not let it do all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import nats
import pytest
from nats.aio.client import Client

from tests.support.servers import Gateway, NatsServer, running

FAST: dict[str, object] = {"publishes_per_second": 100000, "publish_burst": 100000}


@pytest.fixture(scope="module")
def jetstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A server with streams, small payloads, and a user that may not publish everything."""
    folder = tmp_path_factory.mktemp("jetstream")
    config = f"""
        max_payload: 4096
        jetstream {{ store_dir: "{folder}" }}
        authorization {{ users: [
            {{user: u, password: p, permissions: {{publish: {{deny: ["forbidden.>"]}}}}}},
            {{user: all, password: p}}
        ] }}
    """
    with running(NatsServer(folder, config)) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(jetstream: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that lets anyone publish nearly everything."""
    service = Gateway(
        jetstream.url,
        log=tmp_path_factory.mktemp("gateway") / "log",
        allow_publish="> $KV.b.>",
        deny_publish="secret.>",
        nats_user="u",
        nats_password="p",
        **FAST,
    )
    with running(service):
        yield service


@pytest.fixture
async def client(jetstream: NatsServer) -> AsyncIterator[Client]:
    """A plain NATS client that may do anything."""
    made = await nats.connect(jetstream.url, user="all", password="p")
    yield made
    await made.close()
