"""The HEALTHCHECK of the Dockerfile, run as Docker runs it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.access.test_https import Secure
from tests.support.certificates import Authority
from tests.support.servers import ROOT, Gateway, NatsServer, free_port, http, running, until

HEALTHY = (0, '{"status": "ok"}\n')


def check(port: int | str, *paths: str, host: str = "0.0.0.0") -> tuple[int, str]:
    """Return the exit status, and what was said, without a traceback. `host` is HTTP_HOST."""
    found = re.search(r"HEALTHCHECK [^\[]*CMD (\[.*\])", (ROOT / "Dockerfile").read_text())
    assert found
    program, *arguments = json.loads(found[1])
    assert program == "python"
    own = {"HTTP_PORT": str(port), "HTTP_HOST": host, "http_proxy": "http://127.0.0.1:9"}
    result = subprocess.run(
        [sys.executable, *arguments, *paths],
        cwd=ROOT,
        env=os.environ | own,
        capture_output=True,
        text=True,
    )
    assert result.stderr == ""
    return result.returncode, result.stdout


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "[::]", "*", "", "127.0.0.1", "localhost"])
def test_it_is_healthy_while_messages_flow(host: str, gateway: Gateway) -> None:
    assert check(gateway.port, host=host) == HEALTHY


def test_it_is_healthy_with_a_certificate_that_is_for_others(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    service = Secure(nats_server.url, tmp_path)
    service.install(Authority(tmp_path / "ca"))
    with running(service):
        until(lambda: check(service.port) == HEALTHY)


def test_it_is_unhealthy_while_nats_is_away(tmp_path: Path, log: Path) -> None:
    service = Gateway(NatsServer(tmp_path).url, log=log)
    service.launch()
    try:
        until(lambda: http(f"{service.url}/livez")[0] == 200)
        status, text = check(service.port)
        assert check(service.port, "/livez") == HEALTHY
    finally:
        assert service.stop() == 0
    assert (status, json.loads(text)) == (1, {"status": "nats_down"})


def test_it_asks_where_the_service_listens(nats_server: NatsServer, log: Path) -> None:
    elsewhere = Gateway(nats_server.url, log=log, http_host="127.0.0.5")
    elsewhere.launch()
    try:
        until(lambda: check(elsewhere.port, host="127.0.0.5") == HEALTHY)
        assert check(elsewhere.port)[0] == 1
    finally:
        elsewhere.stop()


def test_it_says_in_one_line_that_nobody_listens() -> None:
    assert_unhealthy(free_port(), "refused")


def test_it_says_in_one_line_that_no_answer_came_in_time() -> None:
    with socket.create_server(("localhost", 0)) as silent:
        assert_unhealthy(silent.getsockname()[1], "timed out")


@pytest.mark.parametrize("port", ["", "http", "-1", "9" * 30])
def test_it_says_in_one_line_that_the_port_is_none(port: str) -> None:
    assert_unhealthy(port, "")


def assert_unhealthy(port: int | str, why: str) -> None:
    status, text = check(port)
    assert status == 1
    (line,) = text.splitlines()
    assert line.startswith("HTTP_PORT: ") and why in line
