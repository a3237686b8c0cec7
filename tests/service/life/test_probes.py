"""What Kubernetes asks, by the manifest in `deploy/`, while NATS comes, goes and comes back."""

from __future__ import annotations

from pathlib import Path

from tests.docs.test_kubernetes import GATEWAY as CONTAINER
from tests.support.servers import Gateway, NatsServer, http, running, until


def test_an_outage_of_nats_takes_the_page_from_nobody(tmp_path: Path, log: Path) -> None:
    server = NatsServer(tmp_path)
    gateway = Gateway(server.url, log=log)

    def passes(probe: str) -> bool:
        return http(f"{gateway.url}{CONTAINER[probe]['httpGet']['path']}")[0] == 200

    gateway.launch()
    try:
        until(lambda: http(f"{gateway.url}/livez")[0] == 200)
        assert not passes("startupProbe"), "a rollout would go on without NATS"
        with running(server):
            until(lambda: passes("startupProbe"))
        until(lambda: http(f"{gateway.url}/readyz") == (503, '{"status": "nats_down"}'))
        assert passes("readinessProbe") and passes("livenessProbe")
        assert http(gateway.url)[1].startswith("<!doctype html>")
    finally:
        assert gateway.stop() == 0
