"""What the README tells people to type does what it says, and what it shows is what they get."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
import shlex
import shutil
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from importlib import metadata
from pathlib import Path

import nats
import pytest
from packaging.requirements import Requirement
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from bridge import __version__
from tests.support import minting, readme
from tests.support.browser_client import Browser
from tests.support.jetstream import make_stream, plain_client, until_stored
from tests.support.raw_nats import RawNats
from tests.support.servers import (
    PATIENCE,
    ROOT,
    Gateway,
    NatsServer,
    eventually,
    free_port,
    http,
    running,
    until,
)
from tests.support.shell import Typed, sh, shell_folder

COVERAGE = ".venv/bin/coverage"
TAKE_NO_HELP = ("tests.timing", "pytest", "pip")
"""Modules that would begin, or say nothing of ours."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shell_folder(tmp_path)


def typed(command: str, folder: Path, nats: NatsServer, second: int) -> Typed:
    """Return what `command` starts, on ports that are free and with servers that are ours."""
    port = free_port()
    if "--http-port" in command or command.startswith("HTTP_PORT="):
        own = {"NATS_URL": nats.url}
        command = command.replace("8080", str(port))
    else:
        own = {"NATS_URL": nats.url, "HTTP_PORT": port}
    if "NATS_URL=" not in command:
        own["PUBLISH_TEST_MESSAGES"] = "true"  # as without the NATS_URL that this test needs
    command = command.replace("a:4222", f"127.0.0.1:{second}").replace("b:4222", nats.url[7:])
    return Typed(command, folder, port, **own)


def started_by(test: str) -> list[str]:
    return [command for command, (name, _) in readme.COMMANDS.items() if name == test]


PLAIN = [each for each in started_by(readme.RUN) if "TLS" not in each]


@pytest.mark.parametrize("command", PLAIN)
async def test_make_run_does_what_the_readme_says(
    command: str, folder: Path, nats_server: NatsServer
) -> None:
    with running(typed(command, folder, nats_server, free_port())) as service:
        assert http(service.url)[1].startswith("<!doctype html>")
        async with Browser(service.stream) as browser:
            await browser.subscribe_at_last("test.subject")
            if "NATS_URL=" in command:
                with RawNats(nats_server.port) as client:
                    client.publish("test.subject", b"1")
                assert (await browser.next())["data"] == 1
            else:
                first, second = await browser.next(), await browser.next()
                assert first["data"]["key3"] != second["data"]["key3"]
        origin = re.search(r"ALLOWED_ORIGINS=(\S+)", command)
        async with connect(service.stream, origin=origin[1] if origin else service.url, proxy=None):
            pass
        with pytest.raises(InvalidStatus):
            async with connect(service.stream, origin="http://elsewhere.example", proxy=None):
                pass


def test_make_run_serves_https_with_a_certificate_made_as_the_readme_says(
    folder: Path, nats_server: NatsServer
) -> None:
    name = "test_make_run_serves_https_with_a_certificate_made_as_the_readme_says"
    (make,), (command,) = started_by(name), set(started_by(readme.RUN)) - set(PLAIN)
    sh(make, folder)
    trusting = ssl.create_default_context(cafile=str(folder / "cert.pem"))
    service = typed(command, folder, nats_server, free_port())
    service.launch()
    try:
        until(lambda: "page  https://" in service.output())
        url = f"https://127.0.0.1:{service.port}/"
        with urllib.request.urlopen(url, timeout=PATIENCE, context=trusting) as response:
            assert response.read().startswith(b"<!doctype html>")
    finally:
        service.stop()


@pytest.mark.parametrize("command", started_by("test_a_message_of_ones_own_is_seen"))
async def test_a_message_of_ones_own_is_seen(
    command: str, folder: Path, gateway: Gateway, nats_server: NatsServer
) -> None:
    subject, payload = shlex.split(command)[2:]
    async with Browser(gateway.stream) as browser:
        await browser.subscribe(subject)
        await asyncio.to_thread(sh, command, folder, NATS_URL=nats_server.url)
        assert await browser.next() == {"subject": subject, "data": json.loads(payload)}


@pytest.mark.parametrize("command", started_by("test_curl_follows_subjects_for_a_connection"))
async def test_curl_follows_subjects_for_a_connection(
    command: str, folder: Path, gateway: Gateway, raw_nats: RawNats
) -> None:
    async with Browser(gateway.stream) as browser:
        command = command.replace("…", browser.connection_id).replace("5001", str(gateway.port))
        (response,) = json.loads(await asyncio.to_thread(sh, command, folder))
        assert (response["success"], response["subjects"]) == (True, ["orders.*"])
        raw_nats.publish("orders.new", b"1")
        assert await browser.next() == {"subject": "orders.new", "data": 1}


@pytest.mark.parametrize("command", started_by("test_curl_reads_messages_until_its_limit"))
async def test_curl_reads_messages_until_its_limit(
    command: str, folder: Path, gateway: Gateway, raw_nats: RawNats
) -> None:
    command = command.replace("5001", str(gateway.port))
    name = "bridge_connections_accepted_total"
    accepted = gateway.figures()[name]
    reading = asyncio.create_task(asyncio.to_thread(sh, command, folder))
    await eventually(lambda: gateway.figures()[name] > accepted)
    for number in range(11):
        raw_nats.publish("orders.new", b"%d" % number)
    messages = [json.loads(line) for line in (await reading).splitlines()][2:]
    assert messages == [{"subject": "orders.new", "data": number} for number in range(10)]


@pytest.mark.parametrize("command", started_by("test_curl_reads_the_past_and_stops_or_goes_on"))
async def test_curl_reads_the_past_and_stops_or_goes_on(
    command: str, tmp_path: Path, log: Path
) -> None:
    jetstream = f'jetstream {{ store_dir: "{tmp_path}/js" }}'
    with (
        running(NatsServer(tmp_path, jetstream)) as server,
        running(Gateway(server.url, log=log)) as service,
    ):
        async with plain_client(server) as client:
            await make_stream(client, "ORDERS", ["orders.*"])
            for number in range(1, 151):
                await client.publish("orders.7", b"%d" % number)
            await until_stored(client, "ORDERS", 150)
            command = command.replace("5001", str(service.port))
            curl = subprocess.Popen(shlex.split(command), stdout=subprocess.PIPE, text=True)
            assert curl.stdout is not None
            first = 51 if "last:100" in command else 1
            lines = [json.loads(curl.stdout.readline()) for _ in range(2 + 151 - first + 1)]
            assert [each["seq"] for each in lines[2:]] == [*range(first, 151), 150]
            assert lines[-1]["status"] == "live"
            if first == 1:
                await client.publish("orders.7", b"151")
                await client.flush()
                assert json.loads(curl.stdout.readline())["seq"] == 151
                curl.kill()
            curl.communicate(timeout=PATIENCE)


@pytest.mark.parametrize("command", started_by(readme.CURL))
async def test_curl_publishes_and_asks_as_the_documentation_says(
    command: str, folder: Path, tmp_path: Path, log: Path
) -> None:
    jetstream = f'jetstream {{ store_dir: "{tmp_path}/js" }}'
    with (
        running(NatsServer(tmp_path, jetstream)) as server,
        running(Gateway(server.url, log=log, allow_publish=">")) as service,
    ):
        client = await nats.connect(server.url)
        await client.jetstream().add_stream(name="KEPT", subjects=["orders.*", "test.subject"])
        async with answering(server):
            command = command.replace("5001", str(service.port))
            answer = json.loads(await asyncio.to_thread(sh, command, folder))
        if "/request/" in command:
            assert answer == 3
        else:
            assert (answer["success"], answer.get("seq")) == (True, 1 if "ack" in command else None)
            stored = await client.jetstream().get_msg("KEPT", 1)
            assert stored.data.decode() == shlex.split(command)[2]
        await client.close()


@contextlib.asynccontextmanager
async def answering(server: NatsServer) -> AsyncIterator[None]:
    """The service that the documentation has, until it is no longer asked."""
    program = readme.block("py").replace("4222", str(server.port))
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    try:
        await eventually(
            lambda: any(
                "rpc.sum" in each.get("subscriptions_list", ()) for each in server.connections()
            )
        )
        yield
    finally:
        process.kill()
        await process.wait()


async def test_tokens_are_made_and_listed_as_the_readme_says(
    folder: Path, nats_server: NatsServer, raw_nats: RawNats, log: Path
) -> None:
    make, digest = started_by(readme.TOKENS)
    said = readme.Conversation("docs/access.md")
    secret, other, writer, reader = (sh(make, folder).strip() for _ in range(4))
    wall = said.use('"wall"') | {"sha256": sh(digest, folder, TOKEN=secret).split()[0]}
    assert wall["sha256"] == hashlib.sha256(secret.encode()).hexdigest()
    till = said.use('"till"') | {"token": writer}
    board = said.use('"board"') | {"token": reader}
    listed = (wall, said.use('"metrics"') | {"token": other}, till, board)
    (folder / "tokens").write_text("".join(f"{json.dumps(each)}\n" for each in listed))
    (folder / "key.pem").write_text(minting.key_file("ES256"))
    claims = said.use('"ann"')
    settings: dict[str, object] = {
        "tokens_file": folder / "tokens",
        "jwt_key": folder / "key.pem",
        "allow_publish": ">",
    }
    with running(Gateway(nats_server.url, log=log, jwt_audience="live", **settings)) as service:
        stale = minting.token(**claims | {"exp": 1})
        cookie = {"Cookie": f"nats_bridge_token={stale}", "Origin": service.url}
        async with connect(service.stream, additional_headers=cookie, proxy=None) as ws:
            said.saw(str(await ws.recv()))
        for token in (secret, minting.token(**claims)):
            async with connect(service.stream, proxy=None) as ws:
                said.saw(str(await ws.recv()))
                await ws.send(json.dumps(said.use('{"token": "…"}') | {"token": token}))
                assert json.loads(await ws.recv())["success"] is True
                await ws.send('{"subjects": ["orders.secret.a", "orders.*"]}')
                answers = [json.loads(await ws.recv()) for _ in range(2)]
                assert sorted(each.get("code", "ok") for each in answers) == ["denied", "ok"]
                raw_nats.publish("orders.new", b"1")
                assert json.loads(await ws.recv()) == {"subject": "orders.new", "data": 1}
                await ws.send(json.dumps(said.use('"id": 7') | {"token": token}))
                answer = json.loads(await ws.recv())
                assert (answer["action"], answer["id"]) == ("token", 7)
        for token in (reader, minting.token(**claims | said.use('"bridge"'))):
            bearer = {"Authorization": f"Bearer {token}"}
            async with connect(service.stream, additional_headers=bearer, proxy=None) as ws:
                assert json.loads(await ws.recv())["history"] is True
                await ws.send('{"subjects": ["orders.>"], "history": "all"}')
                answer = json.loads(await ws.recv())
                assert (answer["code"], answer["reason"]) == ("no_history", "off")
        bearer = {"Authorization": f"Bearer {writer}"}
        for subject, status in (("orders.new", 200), ("orders.old", 403)):
            url = f"{service.url}/publish/{subject}"
            assert (await asyncio.to_thread(http, url, b"1", **bearer))[0] == status
    for group in ('"ops"', '"sales"'):
        said.use(group)  # test_groups_may_follow_what_the_readme_says
    assert not said.left, f"not tried: {said.left}"


async def test_the_recipe_lets_in_those_who_have_a_token(
    folder: Path, nats_server: NatsServer
) -> None:
    *make, command = started_by(readme.RECIPE)
    (certificate,) = started_by(
        "test_make_run_serves_https_with_a_certificate_made_as_the_readme_says"
    )
    for each in (certificate, *make):
        sh(each, folder)
    entry = json.loads((folder / "tokens.ndjson").read_text())
    origin = re.search(r"ALLOWED_ORIGINS=(\S+)", command)
    assert origin
    trusting = ssl.create_default_context(cafile=str(folder / "cert.pem"))
    service = typed(command, folder, nats_server, free_port())
    service.launch()
    try:
        until(lambda: "NATS  " in service.output())
        stream = f"wss://127.0.0.1:{service.port}/stream"
        async with connect(stream, origin=origin[1], ssl=trusting, proxy=None) as ws:
            assert json.loads(await ws.recv()) == {"status": "token_required"}
            await ws.send(json.dumps({"token": entry["token"]}))
            assert json.loads(await ws.recv())["success"] is True
            await ws.send('{"subjects": ["orders.new", "test.subject"]}')
            answers = [json.loads(await ws.recv()) for _ in range(2)]
            assert [each.get("code", "ok") for each in answers] == ["ok", "denied"]
        with pytest.raises(InvalidStatus):
            await connect(stream, origin="https://elsewhere.example", ssl=trusting, proxy=None)
    finally:
        service.stop()


@pytest.mark.parametrize("command", started_by(readme.LONG))
def test_a_long_command_is_there_with_these_options(command: str, folder: Path) -> None:
    lines = sh(f"make -n {command[5:]}", folder) if command.startswith("make ") else command
    for line in lines.replace("\\\n", "").splitlines():
        words = shlex.split(line.lstrip("@"))
        if "-m" not in words:
            assert shutil.which(words[0]) or (ROOT / words[0]).exists() or words[0] == COVERAGE
            continue
        module = words[words.index("-m") + 1]
        if module in TAKE_NO_HELP:
            assert (ROOT / f"{module.replace('.', '/')}.py").is_file() or metadata.version(module)
            continue
        sh(" ".join([sys.executable, *words[1:], "--help"]), ROOT)


def test_the_version_is_told_as_those_who_report_are_asked() -> None:
    (command,) = started_by(readme.VERSION)
    told = sh(command.replace(".venv/bin/python", sys.executable), ROOT)
    assert told == f"nats-websocket-bridge {__version__}\n"


@pytest.mark.parametrize("command", started_by(readme.COMPOSE))
def test_the_compose_file_is_one_and_starts_what_the_readme_says(
    command: str, folder: Path
) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], check=False).returncode:
        pytest.skip("Docker Compose is not installed")
    for each in ("docker-compose.yml", "deploy"):
        (folder / each).unlink()
    shutil.copy(ROOT / "docker-compose.yml", folder)
    (folder / ".env").write_text("MAX_CONNECTIONS=7\nNATS_PASSWORD='a$b${HOME}'\n")
    shown = sh("docker compose config --format json", folder, DENY_SUBJECTS="secret.>")
    read = json.loads(shown)
    assert {"nats", "gateway"} <= set(read["services"])
    environment = read["services"]["gateway"]["environment"]
    assert environment["MAX_CONNECTIONS"] == "7"
    assert environment["DENY_SUBJECTS"] == "secret.>"
    assert environment["NATS_PASSWORD"].replace("$$", "$") == "a$b${HOME}"
    assert environment["NATS_URL"] == "nats://nats:4222"
    assert environment.get("MAX_SUBJECTS") is None
    ports = [port for each in read["services"].values() for port in each["ports"]]
    assert {(each["host_ip"], each["published"]) for each in ports} == {
        ("127.0.0.1", "5001"),
        ("127.0.0.1", "4222"),
    }
    assert "nats-data" in read["volumes"]
    sh(f"{command} --help", ROOT)


def test_direct_requirements_are_among_those_installed() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    wanted = [Requirement(line) for line in lines if line.strip() and line[0] != "#"]
    assert len(wanted) > 5
    for each in wanted:
        if each.marker is None or each.marker.evaluate():
            assert metadata.version(each.name) in each.specifier
