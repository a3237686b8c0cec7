"""What is logged, as JSON for a machine and as text for people."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from pathlib import Path

import pytest

from tests.support import minting, readme
from tests.support.browser_client import Browser
from tests.support.certificates import Authority
from tests.support.json_log import logged
from tests.support.raw_http import UPGRADE, exchange, head
from tests.support.raw_nats import RawNats
from tests.support.servers import (
    Gateway,
    NatsServer,
    eventually,
    http,
    messages_by_fate,
    running,
    until,
)

WALL, METRICS = "planted-secret-of-the-wall", "planted-secret-of-metrics"
CALLER = "203.0.113.9"
BEHIND_A_PROXY = {"X-Forwarded-For": CALLER}
PAYLOAD = b'"' + b"x" * 9998 + b'"'


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(json.dumps({"name": "wall", "token": WALL}))
    return path


async def test_each_event_of_a_life_is_one_json_object(
    tmp_path: Path, log: Path, tokens: Path
) -> None:
    server = NatsServer(tmp_path)
    settings = {"tokens_file": tokens, "trusted_proxies": "127.0.0.1", "allow_anonymous": True}
    service = Gateway(server.url, log=log, log_format="json", log_level="debug", **settings)
    service.launch()
    await eventually(lambda: logged(service, "nats_error"))
    with running(server):
        await eventually(lambda: http(f"{service.url}/readyz")[0] == 200)
        headers = BEHIND_A_PROXY | bearer(WALL)
        async with Browser(service.stream, additional_headers=headers) as wall:
            async with Browser(service.stream):
                pass
            server.stop()
            await eventually(lambda: logged(service, "nats_down"))
            server.start()
            await eventually(lambda: len(logged(service, "nats_up")) == 2)
            tokens.write_text("{")
            wrong = {"additional_headers": BEHIND_A_PROXY | bearer(METRICS)}
            with pytest.raises(Exception, match="401"):
                await Browser(service.stream, **wrong).__aenter__()
            await eventually(lambda: logged(service, "file_useless"))
            tokens.write_text(json.dumps({"name": "metrics", "token": METRICS}))
            async with Browser(service.stream, **wrong):
                pass
            await eventually(lambda: len(logged(service, "connection_closed")) == 2)
            assert service.stop() == 0
            assert await wall.closed() == 1012

    opened, closed = logged(service, "connection_opened"), logged(service, "connection_closed")
    assert [(each["address"], each["who"]) for each in opened] == [
        (CALLER, "wall"),
        ("127.0.0.1", "anyone"),
        (CALLER, "metrics"),
    ]
    assert opened[0]["connection"] == wall.connection_id == closed[-1]["connection"]
    assert [each["code"] for each in closed] == [1000, 1000, 1012]
    assert closed[-1]["reason"] == "the service stops"
    assert closed[0]["reason"] == "" and 0 <= closed[0]["seconds"] < 20
    assert [each["event"] for each in logged(service)][-3:] == [
        *("stopping", "connection_closed", "stopped")
    ]
    (refused,) = logged(service, "refused_token")
    assert (refused["count"], refused["reason"]) == (1, "the token is not valid")
    assert refused["address"] == CALLER
    assert logged(service, "file_read")[0]["setting"] == "TOKENS_FILE"
    assert logged(service, "listening")[0]["url"] == f"{service.url}/"
    assert logged(service, "nats_up")[0]["url"] == server.url


async def test_a_line_of_the_log_is_as_the_readme_shows_it(
    nats_server: NatsServer, log: Path, tokens: Path
) -> None:
    said = readme.Conversation("docs/logs.md")
    with running(Gateway(nats_server.url, log=log, log_format="json", tokens_file=tokens)) as it:
        async with Browser(it.stream, additional_headers=bearer(WALL)):
            await eventually(lambda: logged(it, "connection_opened"))
        (line,) = (each for each in it.output().splitlines() if '"connection_opened"' in each)
    said.saw(line)
    assert not said.left


async def test_a_slow_consumer_is_a_line_when_it_begins_and_one_when_it_ends(
    nats_server: NatsServer, raw_nats: RawNats, log: Path
) -> None:
    with running(Gateway(nats_server.url, log=log, log_format="json")) as service:
        async with Browser(service.stream) as slow:
            await slow.subscribe("episode")
            for _ in range(2):
                slow.ws.transport.pause_reading()
                flood = RawNats.command(b"episode", PAYLOAD) * 1000
                await asyncio.to_thread(raw_nats.send, flood)
                slow.ws.transport.resume_reading()
                await slow.received_and_dropped(1000)
            dropped = messages_by_fate(service.figures())["dropped"]
            (ended,) = await eventually(lambda: logged(service, "slow_consumer_ended"))
        (began,) = logged(service, "slow_consumer_began")
        assert began["connection"] == ended["connection"] == slow.connection_id
        assert began["pending_bytes"] > 500_000
        assert ended["dropped"] == dropped > 0


async def test_a_stalled_browser_is_told_before_its_end(
    nats_server: NatsServer, raw_nats: RawNats, log: Path
) -> None:
    service = Gateway(nats_server.url, log=log, log_format="json", write_timeout=1)
    with running(service):
        async with Browser(service.stream) as stalled:
            await stalled.subscribe("stalled")
            stalled.ws.transport.pause_reading()
            flood = RawNats.command(b"stalled", PAYLOAD) * 2000
            await asyncio.to_thread(raw_nats.send, flood)
            (closed,) = await eventually(lambda: logged(service, "connection_closed"))
            stalled.kill()
    names = [each["event"] for each in logged(service) if "connection" in each]
    assert names == [
        "connection_opened",
        "slow_consumer_began",
        "connection_stalled",
        "slow_consumer_ended",
        "connection_closed",
    ]
    assert (closed["code"], closed["reason"]) == (4008, "it took nothing")


async def test_a_bug_is_one_line_with_its_traceback(nats_server: NatsServer, log: Path) -> None:
    program = "tests/programs/with_a_bug.py"
    with running(Gateway(nats_server.url, program=program, log=log, log_format="json")) as service:
        async with Browser(service.stream) as browser:
            await browser.send({"subjects": ["bug"]})
            assert await browser.closed() == 1011
        assert http(f"{service.url}/bug")[0] == 500
        for name in ("connection_failed", "request_failed"):
            (failed,) = await eventually(lambda name=name: logged(service, name))
            assert failed["traceback"].endswith("RuntimeError: planted")
            assert failed["level"] == "error"


def test_a_renewed_certificate_is_told(nats_server: NatsServer, tmp_path: Path, log: Path) -> None:
    cert, key = Authority(tmp_path / "authority").issue("127.0.0.1")
    files = {"tls_cert": cert, "tls_key": key}
    service = Gateway(nats_server.url, log=log, log_format="json", **files)
    service.launch()
    try:
        until(lambda: logged(service, "listening"))
        service.ps().send_signal(signal.SIGHUP)
        until(lambda: logged(service, "certificate_renewed"))
        cert.write_text("")
        service.ps().send_signal(signal.SIGHUP)
        assert "TLS_CERT" in until(lambda: logged(service, "certificate_useless"))[0]["reason"]
    finally:
        service.stop()


def test_a_flood_of_foreign_pages_is_a_line_a_minute_with_their_number(
    nats_server: NatsServer, log: Path
) -> None:
    with running(Gateway(nats_server.url, log=log, log_format="json")) as service:
        for number in range(50):
            origin = {"Host": "127.0.0.1", "Origin": f"http://evil-{number}.example"}
            status, _ = exchange(service.port, head("GET /stream", origin | UPGRADE))
            assert status == 403
        assert len(until(lambda: logged(service, "refused_origin"))) == 1
        assert service.stop() == 0
    first, rest = logged(service, "refused_origin")
    assert (first["count"], first["origin"]) == (1, "http://evil-0.example")
    assert (rest["count"], rest["origin"]) == (49, "http://evil-49.example")


async def test_a_flood_of_what_nats_denies_is_told_in_two_lines_with_its_number(
    tmp_path: Path, log: Path
) -> None:
    config = """
        authorization { users: [
            { user: gateway, password: pw,
              permissions: { publish: { deny: "nats_bridge.request.>" } } }
        ] }
    """
    with running(NatsServer(tmp_path, config)) as server:
        url = server.url.replace("//", "//gateway:pw@")
        with running(Gateway(url, log=log, log_format="json")) as service:
            await eventually(lambda: logged(service, "nats_up"))
            others = [f"{number:08x}" * 4 for number in range(20)]  # connections of other replicas
            stream = f"{service.url}/stream"
            bodies = [json.dumps({"connection_id": it, "subjects": ["a"]}) for it in others]
            posts = [asyncio.to_thread(http, stream, body.encode()) for body in bodies]
            assert {status for status, _ in await asyncio.gather(*posts)} == {404}
            assert await asyncio.to_thread(service.stop) == 0
    first, rest = logged(service, "nats_denies")
    assert (first["count"], rest["count"]) == (1, 19)
    assert "nats_bridge.request." in first["reason"] and first["reason"] != rest["reason"]
    assert logged(service, "nats_says") == []


FORGED = '\r\n{"event": "forged"}\x1b[2J\x9b2J\u2028\u202e'


@pytest.mark.parametrize("form", ["json", "text"])
async def test_nothing_a_browser_sends_can_forge_a_line(
    nats_server: NatsServer, tmp_path: Path, log: Path, form: str
) -> None:
    key = tmp_path / "key"
    key.write_text(minting.key_file("HS256"))
    signed = {"jwt_key": key, "jwt_algorithms": "HS256"}
    service = Gateway(nats_server.url, log=log, log_format=form, **signed)
    with running(service):
        token = minting.token("HS256", sub=f"ann{FORGED}")
        async with Browser(service.stream, token):
            pass
        origin = FORGED.replace("\r\n", "").replace("\x1b", "")  # HTTP itself allows neither
        headers = {"Host": "127.0.0.1", "Origin": f"http://evil{origin}"} | UPGRADE
        request = head("GET /stream", headers)
        assert exchange(service.port, request)[0] == 403
        raw = request.replace("\x9b".encode(), b"\xff\xfe")  # no UTF-8
        assert exchange(service.port, raw)[0] == 403
    output = service.output()
    assert "ann" in output and "evil" in output
    assert all(each.isprintable() for each in output.split("\n"))
    assert not [line for line in output.split("\n") if line.startswith('{"event": "forged"}')]
    if form == "json":
        assert output.isascii()
        assert {each["who"] for each in logged(service, "connection_opened")} == {f"ann{FORGED}"}


@pytest.mark.parametrize("form", ["json", "text"])
def test_why_a_start_fails_is_in_the_log_and_the_last_line(
    nats_server: NatsServer, log: Path, form: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for wrong in ({"http_port": "http"}, {"http_port": port}):
            log.unlink(missing_ok=True)
            service = Gateway(nats_server.url, log=log, log_format=form, **wrong)
            service.launch()
            assert service.wait() == 2
            *lines, last = service.output().splitlines()
            assert last.startswith("HTTP_PORT: ")
            if form == "json":
                failed = json.loads(lines.pop())
                assert (failed["event"], failed["level"]) == ("start_failed", "error")
                assert failed["reason"] == last
            assert lines == []


def test_without_a_terminal_lines_are_json(nats_server: NatsServer, log: Path) -> None:
    with running(Gateway(nats_server.url, log=log, log_format="")) as service:
        assert until(lambda: logged(service, "nats_up"))
