"""METRICS_PORT: what is for operators has a port of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.docs.test_deploy import INSIDE, ROUTES
from tests.support.certificates import Authority
from tests.support.ports import free_port
from tests.support.raw_http import exchange, head
from tests.support.secure import Secure, trusting
from tests.support.servers import Gateway, NatsServer, http, running, until

OPERATOR = "an-operator-of-this-test"
HEALTH = {"/livez", "/readyz"}


class Apart(Gateway):
    """A gateway with a port for operators."""

    def __init__(self, nats_url: str, log: Path, **settings: Any) -> None:
        self.inside = free_port()
        super().__init__(
            nats_url, log=log, metrics_port=self.inside, operator_token=OPERATOR, **settings
        )


def ask(port: int, path: str) -> int:
    headers = {"Host": "x", "Connection": "close", "Authorization": f"Bearer {OPERATOR}"}
    return exchange(port, head(f"GET {path}", headers))[0]


@pytest.fixture(scope="module")
def service(nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    with running(Apart(nats_server.url, tmp_path_factory.mktemp("apart") / "log")) as gateway:
        yield gateway


@pytest.mark.parametrize("path", [*sorted(ROUTES - {"/page/{name:.+}"}), "/page/js/client.js"])
def test_each_port_serves_what_belongs_there(service: Apart, path: str) -> None:
    inside, outside = ask(service.inside, path), ask(service.port, path)
    assert (inside == 404) is (path not in INSIDE)
    assert (outside == 404) is (path in INSIDE - HEALTH)


@pytest.mark.parametrize("path", ["//metrics", "/%6Detrics", "/metrics/", "/./metrics", "/nothing"])
def test_no_other_spelling_leads_in(service: Apart, path: str) -> None:
    assert ask(service.port, path) in (404, 400)


def test_it_is_said_where_the_figures_are(service: Apart) -> None:
    assert f"metrics  http://127.0.0.1:{service.inside}/" in service.output()
    assert "bridge_connections" in http(f"http://127.0.0.1:{service.inside}/metrics")[1]


def test_workers_share_it_and_each_tells_the_figures_of_all(
    nats_server: NatsServer, log: Path
) -> None:
    service = Apart(nats_server.url, log, cold=True, workers=2)
    with running(service):
        url = f"http://127.0.0.1:{service.inside}/metrics"

        def listening() -> int:
            ports = (
                each.laddr.port
                for process in service.ps().children()
                for each in process.net_connections()
                if each.status == psutil.CONN_LISTEN
            )
            return sum(port == service.inside for port in ports)

        until(lambda: listening() == 2)
        for _ in range(8):
            until(lambda: {'worker="1"', 'worker="2"'} <= workers_in(http(url)[1]))
            assert ask(service.port, "/metrics") == 404
            assert ask(service.port, "/readyz") == 200


def workers_in(text: str) -> set[str]:
    return {name for name in ('worker="1"', 'worker="2"') if name in text}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_port_that_is_in_use_ends_the_start_with_its_setting(
    nats_server: NatsServer, service: Apart, log: Path, workers: int
) -> None:
    other = Gateway(
        nats_server.url, log=log, cold=True, metrics_port=service.inside, workers=workers
    )
    other.launch()
    assert other.wait() == 2
    assert f"METRICS_PORT: {service.inside} is in use" in other.output()


def test_it_is_by_https_if_the_page_is(nats_server: NatsServer, tmp_path: Path) -> None:
    authority, port = Authority(tmp_path / "ca"), free_port()
    service = Secure(nats_server.url, tmp_path, metrics_port=port)
    service.install(authority)
    with running(service):
        request = head("GET /metrics", {"Host": "x", "Connection": "close"})
        assert exchange(port, request, tls=trusting(authority))[0] == 200
        with pytest.raises((ConnectionError, IndexError)):
            exchange(port, request)
