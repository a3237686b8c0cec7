"""Hostile input ends nothing but its own connection; `make fuzz` does this a million times."""

from __future__ import annotations

import pytest

from tests.fuzz import NO_LIMITS, attack
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, running


@pytest.mark.load
async def test_mutated_requests_frames_and_heads_end_their_own_connection_alone(
    nats_server: NatsServer, raw_nats: RawNats, log
) -> None:
    with running(Gateway(nats_server.url, log=log, **NO_LIMITS)) as service:
        sent = await attack(service, raw_nats, inputs=5000, seed=1)
        assert sent.total() >= 5000 and len(sent) == 4
