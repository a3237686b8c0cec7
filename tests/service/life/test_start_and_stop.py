"""How the service starts, what it prints, and why it does not start."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from bridge.nats_link.embedded import DEFAULT_PORT, answers
from tests.support.browser_client import Browser
from tests.support.ports import default_port
from tests.support.raw_nats import RawNats
from tests.support.servers import (
    ROOT,
    Gateway,
    NatsServer,
    eventually,
    free_port,
    http,
    running,
    until,
)
from tests.timing import within


def test_it_says_where_the_page_is_and_which_nats_without_the_password(
    nats_server: NatsServer, log: Path
) -> None:
    url = nats_server.url.replace("//", "//somebody:planted-secret@")
    with running(Gateway(url, log=log, cold=True)) as service:
        until(lambda: f"page  {service.url}/\n" in service.output())
        until(lambda: f"NATS  {nats_server.url} (connected)\n" in service.output())
        assert service.stop() == 0
        assert "planted-secret" not in service.output()


def test_without_a_nats_server_to_embed_it_says_what_to_do(log: Path, tmp_path: Path) -> None:
    program = tmp_path / "nothing_to_embed.py"
    program.write_text(
        "import sys; sys.argv[0] = 'main.py'\n"
        "from bridge.nats_link import embedded\n"
        "def nothing(): raise FileNotFoundError('there is no nats-server')\n"
        "async def nobody(): return False\n"
        "embedded.find_server, embedded.answers = nothing, nobody\n"
        "import main; main.app.start()\n"
    )
    service = Gateway(None, program=str(program), log=log)
    service.launch()
    assert service.wait() == 2
    assert service.output().endswith(
        "NATS_URL: no server answers on port 4222, and there is no nats-server; set NATS_URL\n"
    )


PAGE_OPENS = 5.0
"""Seconds; a second is promised, but the machine may be busy."""
READY = 6.0


def test_http_comes_first_and_nats_when_it_is_there(tmp_path: Path, log: Path) -> None:
    server = NatsServer(tmp_path)
    service = Gateway(server.url, log=log, cold=True)
    service.launch()
    try:
        with within(PAGE_OPENS, "NATS down at start: the page opens"):
            assert until(lambda: http(service.url)[0]) == 200
        assert http(f"{service.url}/livez")[0] == 200
        assert http(f"{service.url}/readyz") == (503, '{"status": "nats_down"}')
        with running(server), within(READY, "NATS down at start: ready once NATS is there"):
            until(lambda: http(f"{service.url}/readyz")[0] == 200)
    finally:
        assert service.stop() == 0


async def test_without_nats_connections_are_accepted_and_told(tmp_path: Path, log: Path) -> None:
    server = NatsServer(tmp_path)
    service = Gateway(server.url, log=log)
    service.launch()
    try:
        await eventually(lambda: http(f"{service.url}/livez")[0] == 200)
        async with Browser(service.stream) as browser:
            assert await browser.next() == {"status": "nats_down"}
            answer = await browser.ask({"subjects": ["early"], "id": 1})
            assert (answer["code"], answer["subjects"]) == ("nats_down", ["early"])
            with running(server):
                assert await browser.next() == {"status": "nats_up", "gap": True}
                answer = await browser.next()
                assert (answer["success"], answer["subjects"], answer["id"]) == (True, ["early"], 1)
                with RawNats(server.port) as client:
                    client.publish("early", b"2")
                assert (await browser.next())["data"] == 2
    finally:
        service.stop()


def test_wrong_credentials_make_it_wait_not_end(tmp_path: Path, log: Path) -> None:
    config = 'authorization { user: somebody, password: "r:i/g@h t%" }'
    with running(NatsServer(tmp_path, config)) as server:
        service = Gateway(server.url.replace("//", "//somebody:wrong@"), log=log)
        service.launch()
        try:
            until(lambda: http(f"{service.url}/readyz") == (503, '{"status": "nats_auth"}'))
            assert "wrong" not in service.output()
        finally:
            assert service.stop() == 0
        password = "r%3Ai%2Fg%40h%20t%25"
        right = Gateway(server.url.replace("//", f"//somebody:{password}@"), log=log)
        with running(right):
            assert http(f"{right.url}/readyz")[0] == 200


@default_port()
def test_with_no_nats_url_a_server_on_the_default_port_is_used_or_one_is_embedded(
    log: Path,
) -> None:
    with socket.socket() as probe:
        there = probe.connect_ex(("127.0.0.1", DEFAULT_PORT)) == 0
    with running(Gateway(None, log=log, cold=True, publish_test_messages=True)) as service:
        kind = "connected" if there else "embedded, its data is temporary"
        until(lambda: f"({kind})" in service.output())
        children = service.ps().children(recursive=True)
        assert bool(children) is not there
        asyncio.run(_sees_test_messages(service))
        if not there:
            asyncio.run(_sees_what_was_before(service))
        # Into a NATS that somebody else may use, only what is allowed by a setting.
        published = http(f"{service.url}/publish/test.hello", b"1")[0]
        assert published == (403 if there else 200)
        assert service.stop() == 0
    assert not any(child.is_running() for child in children)


async def _sees_test_messages(service: Gateway) -> None:
    async with Browser(service.stream) as browser:
        await browser.subscribe("test.subject")
        first, second = await browser.next(), await browser.next()
        assert list(first["data"]) == [f"key{n}" for n in range(1, 8)]
        assert first["data"]["key3"] != second["data"]["key3"]


async def _sees_what_was_before(service: Gateway) -> None:
    """All of it, in the same stream after a crash of the server."""
    epochs = set()
    for _ in range(2):
        async with Browser(service.stream) as browser:
            answer = await browser.ask({"subjects": ["test.subject"], "history": "all", "id": 1})
            epochs.add(answer["history"]["epoch"])
            first = await browser.next()
            assert (answer["history"]["stream"], first["seq"], first["replay"]) == ("TEST", 1, True)
            if len(epochs) == 1:
                server = next(
                    each
                    for each in service.ps().children(recursive=True)
                    if each.name() == "nats-server"
                )
                server.kill()
                await eventually(lambda: http(f"{service.url}/readyz")[0] == 503)
                await eventually(lambda: http(f"{service.url}/readyz")[0] == 200)
    assert len(epochs) == 1


def test_embedded_server_ends_with_a_service_that_is_killed(log: Path) -> None:
    program = "import asyncio, sys; from bridge.nats_link.embedded import EmbeddedNats\n" + (
        f"nats = EmbeddedNats({free_port()}); asyncio.run(nats.start())\n"
        "print(nats.url, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert parent.stdout is not None and parent.stdin is not None
    port = int(parent.stdout.readline().rpartition(":")[2])
    children = psutil.Process(parent.pid).children(recursive=True)
    assert {"nats-server"} <= {child.name() for child in children}
    server = next(child for child in children if child.name() == "nats-server")
    data = Path(server.cmdline()[-1])
    assert data.is_dir()
    with RawNats(port):
        pass
    server.kill()
    until(lambda: asyncio.run(answers(port)))
    children = psutil.Process(parent.pid).children(recursive=True)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    parent.stdin.close()
    until(lambda: not any(child.is_running() for child in children))
    assert not data.exists()


WRONG = [
    ({"http_port": "http"}, "HTTP_PORT"),
    ({"http_port": "0"}, "HTTP_PORT"),
    ({"http_host": "0.0.0.0"}, "ALLOW_ANONYMOUS"),
    ({"deny_subjects": "a..b"}, "DENY_SUBJECTS"),
    ({"allowed_origins": "example.com"}, "ALLOWED_ORIGINS"),
    ({"trusted_proxies": "10.0.0.0/8 proxy.example"}, "TRUSTED_PROXIES"),
    ({"log_level": "loud"}, "LOG_LEVEL"),
    ({"publish_test_messages": "perhaps"}, "PUBLISH_TEST_MESSAGES"),
    ({"nats_url": "http://127.0.0.1:4222"}, "NATS_URL"),
    ({"nats_url": "nats://127.0.0.1:abc"}, "NATS_URL"),
    ({"nats_url": "nats://127.0.0.1:4222 nats://u:p@ss:w/rd@127.0.0.1"}, "NATS_URL"),
    ({"http_host": "no.such.host.invalid", "allow_anonymous": "true"}, "HTTP_HOST"),
    ({"nats_creds": "no.such.creds"}, "NATS_CREDS"),
    ({"nats_tls_cert": "no.such.pem", "nats_tls_key": "no.such.key"}, "NATS_TLS_CERT"),
]
START_FAILED = 5.0
"""Seconds; a second is promised, but the machine may be busy."""


@pytest.mark.parametrize(("settings", "name"), WRONG, ids=[name for _, name in WRONG])
def test_wrong_setting_ends_the_start_with_one_line_that_names_it(
    settings: dict[str, str], name: str, log: Path
) -> None:
    settings = dict(settings)
    service = Gateway(settings.pop("nats_url", "nats://127.0.0.1:1"), log=log, **settings)
    with within(START_FAILED, "wrong setting to exit 2"):
        service.launch()
        assert service.wait() == 2
    (line,) = service.output().splitlines()
    assert line.startswith(f"{name}: ")
    assert "w/rd" not in line


@pytest.mark.timing  # nobody can tell how long a process that has ended waited for a core
def test_port_in_use_ends_the_start_with_one_line(nats_server: NatsServer, log: Path) -> None:
    connections = nats_server.connections_so_far()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        service = Gateway(
            nats_server.url, log=log, cold=True, http_port=port, publish_test_messages=True
        )
        with within(START_FAILED, "port in use to exit 2"):
            service.launch()
            assert service.wait() == 2
    assert nats_server.connections_so_far() == connections
    (line,) = service.output().splitlines()
    assert line.startswith("HTTP_PORT: ")


def test_help_lists_every_setting() -> None:
    from bridge.settings.derived import Settings

    command = [sys.executable, str(ROOT / "main.py"), "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for name in Settings.model_fields:
        assert f"--{name.replace('_', '-')}" in text


def test_flags_win_over_the_environment(log: Path) -> None:
    service = Gateway("nats://127.0.0.1:1", log=log, log_level="info")
    service._arguments += ["--log-level", "loud"]
    service.launch()
    assert service.wait() == 2
    assert service.output().startswith("LOG_LEVEL: ")
