"""Where the page is said to be, it is; and what a start says that may not have its port."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import PATIENCE, ROOT, Gateway, NatsServer, eventually, http
from tests.unit.web.test_port import ipv6

LOWEST_FREE = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
WITHOUT_THE_RIGHT = [
    *("setpriv", "--bounding-set=-net_bind_service", "--inh-caps=-net_bind_service")
]
"""How root runs a command like anybody else, as far as ports go."""


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("host", "at"),
    [
        ("0.0.0.0", ["127.0.0.1"]),
        ("localhost", ["localhost", "127.0.0.1"]),
        pytest.param("::1", ["[::1]"], marks=ipv6),
        pytest.param("[::1]", ["[::1]"], marks=ipv6),
        pytest.param("::", ["127.0.0.1", "[::1]", "localhost"], marks=ipv6),
        pytest.param("*", ["127.0.0.1", "[::1]", "localhost"], marks=ipv6),
    ],
)
async def test_the_page_can_be_opened_where_it_says(
    host: str, at: list[str], workers: int, nats_server: NatsServer, raw_nats: RawNats, log: Path
) -> None:
    service = Gateway(
        nats_server.url, log=log, http_host=host, allow_anonymous=True, workers=workers
    )
    service.launch()
    try:
        await eventually(lambda: "NATS  " in service.output())
        shown = re.search(r"^page  (\S+)", service.output(), re.MULTILINE)
        assert shown and shown[1] == f"http://{at[0]}:{service.port}/"
        for each in at:
            url = f"http://{each}:{service.port}"
            assert http(url)[1].startswith("<!doctype html>")
            async with Browser(f"{url}/stream".replace("http", "ws"), origin=url) as browser:
                await browser.subscribe_at_last("a.b")
                raw_nats.publish("a.b", b"1")
                assert (await browser.next())["data"] == 1
    finally:
        assert service.stop() == 0


@ipv6
async def test_an_address_of_ipv4_is_written_as_one_where_both_are_listened_to(
    nats_server: NatsServer, log: Path
) -> None:
    service = Gateway(
        nats_server.url, log=log, http_host="::", allow_anonymous=True, log_format="json"
    )
    service.launch()
    try:
        await eventually(lambda: http(f"{service.url}/readyz")[0] == 200)
        async with connect(service.stream, proxy=None):
            await eventually(lambda: '"connection_opened"' in service.output())
    finally:
        service.stop()
    events = {each["event"]: each for each in map(json.loads, service.output().splitlines())}
    assert events["connection_opened"]["address"] == "127.0.0.1"
    assert events["listening"]["url"] == f"{service.url}/"


@pytest.mark.skipif(
    not LOWEST_FREE.exists() or int(LOWEST_FREE.read_text()) <= 80,
    reason="this system lets anybody listen on port 80",
)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_port_80_without_the_right_to_it_ends_the_start_with_the_cure(workers: str) -> None:
    command = [sys.executable, str(ROOT / "main.py"), "--http-port=80", f"--workers={workers}"]
    ended = subprocess.run(
        WITHOUT_THE_RIGHT + command if os.geteuid() == 0 else command,
        env={"PATH": os.environ["PATH"], "NATS_URL": "nats://127.0.0.1:1", "LOG_FORMAT": "text"},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("HTTP_PORT: 80 is for processes with CAP_NET_BIND_SERVICE")


def test_a_port_that_is_taken_on_one_address_is_taken_on_all(
    nats_server: NatsServer, log: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        service = Gateway(
            nats_server.url, log=log, http_port=port, http_host="::", allow_anonymous=True
        )
        service.launch()
        assert service.wait() == 2
    assert service.output() == f"HTTP_PORT: {port} is in use on ::; set another one\n"
