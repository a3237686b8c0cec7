"""Messages by a plain GET: server-sent events and lines of JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
from pathlib import Path

import pytest

from bridge.web.websocket import CLOSE_TIMEOUT_SECONDS
from tests.service.conftest import AS_OPERATOR, OPERATOR
from tests.support.browser_client import Browser
from tests.support.http_reader import GZIP, SSE, HttpReader
from tests.support.raw_http import UPGRADE, head
from tests.support.raw_nats import RawNats
from tests.support.servers import (
    OWN_SUBSCRIPTIONS,
    Gateway,
    NatsServer,
    http,
    messages_by_fate,
    running,
    until,
)

LARGE = b'"' + b"x" * 9998 + b'"'
ACCEPTED = "bridge_connections_accepted_total"
"""Raised once what the query asks for is followed."""


def test_curl_without_a_header_gets_lines_and_limit_ends_them(
    gateway: Gateway, nats_server: NatsServer, raw_nats: RawNats
) -> None:
    before = messages_by_fate(gateway.figures())
    url = f"{gateway.url}/stream?subjects=curl.*&limit=3"
    accepted = gateway.figures()[ACCEPTED]
    curl = subprocess.Popen(["curl", "-sSN", url], stdout=subprocess.PIPE, text=True)
    until(lambda: gateway.figures()[ACCEPTED] > accepted)
    raw_nats.send(b"".join(RawNats.command(b"curl.a", b"%d" % number) for number in range(5)))
    lines = curl.communicate(timeout=20)[0].splitlines()
    assert curl.returncode == 0, "the response ends as it should"
    assert lines[0].startswith('{"success":true,"data":"Successfully connected","connection_id":')
    assert json.loads(lines[1])["subjects"] == ["curl.*"]
    assert lines[2:] == [f'{{"subject":"curl.a","data":{number}}}' for number in range(3)]
    until(lambda: "curl.*" not in nats_server.subscriptions())
    fates = messages_by_fate(gateway.figures())
    done = {fate: fates[fate] - before[fate] for fate in fates}
    assert done["delivered"] == 3
    assert done["due"] == 3 + done["filtered"] and done["dropped"] == done["pending"] == 0


def test_events_are_unnamed_messages_and_notices(gateway: Gateway, raw_nats: RawNats) -> None:
    with HttpReader(gateway.port, "subjects=sse.a&subjects=sse..b", SSE) as reader:
        told = reader.response.headers
        assert told["Content-Type"] == "text/event-stream"
        assert told["Cache-Control"] == "no-store"
        assert told["X-Accel-Buffering"] == "no"
        assert told["X-Content-Type-Options"] == "nosniff"
        assert 1000 <= int(reader.event()["retry"]) <= 3000
        events = [reader.event() for _ in range(3)]
        assert [each["event"] for each in events] == ["notice"] * 3
        greeting, followed, refused = (json.loads(each["data"]) for each in events)
        assert set(greeting) == {"success", "data", "connection_id"}
        assert (followed["success"], followed["subjects"]) == (True, ["sse.a"])
        assert (refused["code"], refused["subjects"]) == ("bad_subject", ["sse..b"])
        raw_nats.publish("sse.a", b'{"a":\r\n 1.50}')
        raw_nats.publish("sse.a", b"two\nlines")
        raw_nats.publish("sse.a", b"\xff")
        assert [reader.event() for _ in range(3)] == [
            {"data": '{"subject":"sse.a","data":{"a":   1.50}}'},
            {"data": '{"subject":"sse.a","data":"two\\nlines","encoding":"text"}'},
            {"data": '{"subject":"sse.a","data":"/w==","encoding":"base64"}'},
        ]


def test_meta_is_the_same_as_in_a_request(gateway: Gateway, raw_nats: RawNats) -> None:
    with HttpReader(gateway.port, "subjects=meta.a&meta=reply,headers", SSE) as reader:
        for _ in range(3):
            reader.event()
        raw_nats.publish("meta.a", b"1", reply="to.me", headers=b"NATS/1.0\r\nA: b\r\n\r\n")
        assert reader.event() == {
            "data": '{"subject":"meta.a","reply":"to.me","headers":[["A","b"]],"data":1}'
        }


def test_a_rate_is_the_same_as_in_a_request(gateway: Gateway, raw_nats: RawNats) -> None:
    with HttpReader(gateway.port, "subjects=rate.a&max_rate=2") as reader:
        reader.begun()
        raw_nats.send(b"".join(RawNats.command(b"rate.a", b"%d" % number) for number in range(3)))
        assert [reader.next()["data"] for _ in range(2)] == [0, 2]


@pytest.mark.parametrize(
    ("query", "accept", "status", "sentence"),
    [
        ("subjects=a..b", "*/*", 400, "'a..b' is not a valid subject"),
        ("subjects=", "*/*", 400, "'' is not a valid subject"),
        (
            "subjects=a&subject=b",
            "*/*",
            400,
            "'subject' is no key of this query. Its keys are subj",
        ),
        ("subjects=a&token=planted-secret", "*/*", 400, "'token' is no key"),
        ("subjects=a&meta=time,x", "*/*", 400, "meta has to be a list of some of"),
        ("subjects=a&limit=0", "*/*", 400, "limit has to be a number of messages, 1 or more."),
        ("subjects=a&limit=x", "*/*", 400, "limit has to be"),
        ("subjects=a&limit=", "*/*", 400, "limit has to be"),
        ("subjects=a&limit=1&limit=2", "*/*", 400, "limit may come once."),
        (
            "&".join(f"subjects={number}" for number in range(129)),
            "*/*",
            400,
            "subjects has to hol",
        ),
        ("subjects=$SYS.>", "*/*", 403, "'$SYS.>' may not be followed here."),
        ("subjects=a", "image/png", 406, "What comes here is text/event-stream or"),
        ("subjects=a", "*/*;q=0", 406, "What comes here is"),
        ("subjects=a", "text/html,application/xml;q=0.9,*/*;q=0.8", 426, "There are two ways"),
        ("limit=1", "*/*", 426, "There are two ways"),
    ],
)
def test_what_cannot_be_granted_is_a_status_and_a_sentence(
    gateway: Gateway, query: str, accept: str, status: int, sentence: str
) -> None:
    accepted = "bridge_connections_accepted_total"
    said, before = len(gateway.output()), gateway.figures()[accepted]
    with HttpReader(gateway.port, query, {"Accept": accept}) as reader:
        assert reader.status == status
        text = reader.rest()
    assert text.startswith(sentence) and text.endswith("\n") and text.count("\n") == 1
    said_since = gateway.output()[said:]
    assert "opened" not in said_since and "refused" not in said_since, "it is no noise in the log"
    assert gateway.figures()[accepted] == before


def test_what_nats_does_not_allow_is_a_status_too(tmp_path: Path, log: Path) -> None:
    user = '{user: u, password: p, permissions: {subscribe: {deny: "secret.>"}}}'
    config = f"max_subscriptions: {OWN_SUBSCRIPTIONS + 1}\nauthorization: {{ users: [{user}] }}"
    with running(NatsServer(tmp_path, config)) as server:
        url = server.url.replace("//", "//u:p@")
        with running(Gateway(url, log=log)) as service:
            with HttpReader(service.port, "subjects=secret.a") as reader:
                assert (reader.status, "'secret.a'" in reader.rest()) == (403, True)
            assert "closed:" not in service.output(), "it was none that could have been opened"
            with HttpReader(service.port, "subjects=a&subjects=b") as one:
                assert one.status == 200
                assert [one.next().get("code") for _ in range(3)] == [None, None, "limit"]
                with HttpReader(service.port, "subjects=c") as reader:
                    assert reader.status == 429


def test_a_websocket_whose_upgrade_was_dropped_is_told_so(gateway: Gateway) -> None:
    left = {name: UPGRADE[name] for name in ("Sec-WebSocket-Version", "Sec-WebSocket-Key")}
    with HttpReader(gateway.port, "subjects=a", left) as reader:
        assert reader.status == 426


def test_after_a_refusal_the_connection_can_be_used_on(gateway: Gateway) -> None:
    """For longer than one that ends has to take what is left for it."""
    request = head("GET /stream?subjects=a..b", {"Host": "127.0.0.1"})
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as raw:
        for _ in range(2):
            raw.sendall(request)
            assert raw.recv(65536).startswith(b"HTTP/1.1 400 ")
            raw.settimeout(CLOSE_TIMEOUT_SECONDS + 0.5)
            with pytest.raises(TimeoutError):
                raw.recv(1)


@pytest.mark.parametrize("headers", [SSE, SSE | GZIP], ids=["plain", "gzip"])
def test_a_callback_writes_events_too(
    nats_server: NatsServer, raw_nats: RawNats, tmp_path: Path, log: Path, headers: dict[str, str]
) -> None:
    program = tmp_path / "with_a_callback_of_two_lines.py"
    program.write_text(
        "import main\n"
        "async def callback(subscriber, msg):\n"
        "    await subscriber.send_str(f'{msg.subject}\\nevent: {msg.data}')\n"
        "main.manager.callback = callback\n"
        "main.app.start()\n"
    )
    with (
        running(Gateway(nats_server.url, program=str(program), log=log)) as service,
        HttpReader(service.port, "subjects=called&limit=2", headers) as reader,
    ):
        for _ in range(3):
            reader.event()
        for number in range(3):
            raw_nats.publish("called", b"%d" % number)
        text = reader.rest()
        assert text == "".join(f"data: called\ndata: event: {number}\n\n" for number in range(2))
        until(lambda: service.figures()["bridge_connections"] == 0)
        fates = messages_by_fate(service.figures())
        assert (fates["delivered"], fates["pending"]) == (2, 0)
        # The third may have waited for its call when the response ended.
        assert fates["due"] == 2 + fates["filtered"] + fates["dropped"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "application/x-ndjson"),
        ("*/*", "application/x-ndjson"),
        ("application/json", "application/x-ndjson"),
        ("application/x-ndjson, text/event-stream;q=0.5", "application/x-ndjson"),
        ("application/x-ndjson;q=0.5, text/event-stream", "text/event-stream"),
        ("text/event-stream, */*", "text/event-stream"),
    ],
)
def test_accept_says_what_comes(gateway: Gateway, accept: str, kind: str) -> None:
    headers = {"Accept": accept} if accept else {}
    with HttpReader(gateway.port, "subjects=kind", headers) as reader:
        assert (reader.status, reader.response.headers["Content-Type"]) == (200, kind)


def test_a_head_is_answered_without_messages(gateway: Gateway, nats_server: NatsServer) -> None:
    request = head("HEAD /stream?subjects=head", {"Host": "127.0.0.1"})
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as raw:
        raw.sendall(request)
        answer = raw.makefile("rb").read().decode()
    assert answer.startswith("HTTP/1.1 200 ") and answer.endswith("\r\n\r\n")
    assert "Content-Type: application/x-ndjson" in answer
    assert "head" not in nats_server.subscriptions()


def test_http_1_0_gets_no_chunks(gateway: Gateway, raw_nats: RawNats) -> None:
    """As nginx asks unless it is told otherwise."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=20) as raw:
        raw.sendall(b"GET /stream?subjects=old&limit=1 HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        answer = raw.makefile("rb")
        told = b""
        while (line := answer.readline()) != b"\r\n":
            told += line
        assert b"chunked" not in told and b"keep-alive" not in told.lower()
        assert json.loads(answer.readline())["success"] and json.loads(answer.readline())["success"]
        raw_nats.publish("old", b"1")
        assert answer.read() == b'{"subject":"old","data":1}\n'


def test_requests_behind_it_do_not_disturb_it_and_the_connection_ends(
    nats_server: NatsServer, raw_nats: RawNats, log: Path
) -> None:
    """One whose rest does not come in time would be cut, if another request was waited for."""
    request = head("GET /stream?subjects=piped&limit=2", {"Host": "127.0.0.1"})
    with (
        running(Gateway(nats_server.url, log=log, request_timeout=0.2)) as service,
        socket.create_connection(("127.0.0.1", service.port), timeout=20) as raw,
    ):
        raw.sendall(request + request)
        until(lambda: "piped" in nats_server.subscriptions())
        raw.sendall(b"GET /stream?subjects=piped")
        came = b""
        raw.settimeout(1)
        with contextlib.suppress(TimeoutError):
            while piece := raw.recv(65536):
                came += piece
        assert b'"subjects":["piped"]' in came and b"\r\n0\r\n" not in came, "it goes on"
        raw.settimeout(20)
        raw_nats.publish("piped", b"1")
        raw_nats.publish("piped", b"2")
        while piece := raw.recv(65536):
            came += piece
    assert came.count(b"HTTP/1.1 ") == 1
    assert came.endswith(b'"data":2}\n\r\n0\r\n\r\n')


@pytest.mark.parametrize("encoding", [{}, GZIP], ids=["plain", "gzip"])
def test_a_limit_is_exact_in_the_middle_of_a_flush(
    gateway: Gateway, raw_nats: RawNats, encoding: dict[str, str]
) -> None:
    before = messages_by_fate(gateway.figures())
    limits = [1, 7, 500, 999, 1000]
    with contextlib.ExitStack() as stack:
        readers = []
        for limit in limits:
            query = {"subjects": ["burst.>", "burst.*"], "limit": limit}
            headers = encoding | (SSE if limit % 2 else {})
            readers.append(stack.enter_context(HttpReader(gateway.port, query, headers)))
        for reader in readers:
            while '"action":"subscribe"' not in reader.line():
                pass
        burst = (RawNats.command(b"burst.a", b"%d" % number) for number in range(1000))
        raw_nats.send(b"".join(burst))
        for limit, reader in zip(limits, readers, strict=True):
            found = [json.loads(each)["data"] for each in messages_of(reader.rest())]
            assert found == list(range(limit))
    until(lambda: gateway.figures()["bridge_connections"] == 0)
    fates = messages_by_fate(gateway.figures())
    done = {fate: fates[fate] - before[fate] for fate in fates}
    assert done["delivered"] == sum(limits)
    assert done["due"] == done["delivered"] + done["filtered"]
    assert done["dropped"] == done["pending"] == 0


def messages_of(text: str) -> list[str]:
    """Return the lines that are messages, without what an event has around them."""
    lines = (line.removeprefix("data: ") for line in text.splitlines())
    return [line for line in lines if line.startswith('{"subject":')]


def test_nats_away_is_200_and_messages_come_once_it_is_back(tmp_path: Path, log: Path) -> None:
    nats = NatsServer(tmp_path)
    service = Gateway(nats.url, log=log)
    service.launch()
    try:
        until(lambda: http(f"{service.url}/livez")[0] == 200)
        with HttpReader(service.port, "subjects=away") as reader:
            assert reader.status == 200
            assert reader.next()["success"] is True
            assert reader.next() == {"status": "nats_down"}
            assert reader.next()["code"] == "nats_down"
            nats.start()
            assert reader.next() == {"status": "nats_up", "gap": True}
            assert reader.next()["subjects"] == ["away"]
            with RawNats(nats.port) as client:
                client.publish("away", b"1")
            assert reader.next() == {"subject": "away", "data": 1}
    finally:
        service.stop()
        nats.stop()


def test_a_stop_ends_it_with_when_to_come_back(nats_server: NatsServer, log: Path) -> None:
    service = Gateway(nats_server.url, log=log)
    with running(service):
        with (
            HttpReader(service.port, "subjects=a", SSE) as events,
            HttpReader(service.port, "subjects=a") as lines,
        ):
            lines.begun()
            while '"action":"subscribe"' not in events.event().get("data", ""):
                pass
            assert service.stop() == 0
            assert 1000 <= int(events.event()["retry"]) <= 3000
            last = events.event()
            assert last["event"] == "notice"
            closed = {"status": "closed", "code": 1012, "reason": "the service stops"}
            assert json.loads(last["data"]) == closed
            assert events.rest() == "", "the chunks end as they should"
            assert lines.next() == closed
            assert lines.rest() == ""
    assert service.output().count("closed: code 1012") == 2


def test_an_event_source_that_comes_back_while_it_stops_comes_again(
    nats_server: NatsServer, raw_nats: RawNats, log: Path
) -> None:
    """One that reads nothing holds up the stop, and a browser keeps a connection for others."""
    events = head("GET /stream?subjects=a", {"Host": "127.0.0.1", **SSE})
    with (
        running(Gateway(nats_server.url, log=log)) as service,
        HttpReader(service.port, "subjects=holds", receive_buffer=4096) as stalled,
        socket.create_connection(("127.0.0.1", service.port), timeout=20) as kept,
    ):
        kept.sendall(head("GET /livez", {"Host": "127.0.0.1"}))
        assert kept.recv(65536).startswith(b"HTTP/1.1 200 ")
        stalled.begun()
        raw_nats.send(RawNats.command(b"holds", LARGE) * 500)
        until(lambda: service.figures()['bridge_messages_dropped_total{reason="slow"}'])
        service.ps().terminate()
        until(lambda: "stopping\n" in service.output())
        kept.sendall(events)
        answer = kept.makefile("rb").read().decode()
        service.wait()
    assert answer.startswith("HTTP/1.1 200 "), "after a 503 it would never come again"
    assert "retry: " in answer and '"code":1012' in answer and answer.endswith("0\r\n\r\n")


def test_it_is_a_connection_like_others(
    nats_server: NatsServer, raw_nats: RawNats, log: Path
) -> None:
    with running(Gateway(nats_server.url, log=log, operator_token=OPERATOR)) as service:
        with HttpReader(service.port, "subjects=listed.a") as reader:
            connection = reader.begun()
            listed = json.loads(http(f"{service.url}/connections", **AS_OPERATOR)[1])["connections"]
            assert [(each["connection_id"], each["patterns"]) for each in listed] == [
                (connection, ["listed.a"])
            ]
            asked = {"connection_id": connection, "subjects": ["listed.b"]}
            status, text = http(f"{service.url}/stream", json.dumps(asked).encode())
            assert status == 200 and json.loads(text)[0]["success"] is True
            raw_nats.publish("listed.b", b"1")
            assert reader.next() == {"subject": "listed.b", "data": 1}
            figures = service.figures()
            assert figures["bridge_connections"] == 1
            assert figures["bridge_connections_accepted_total"] == 1
        until(lambda: service.figures()['bridge_connections_closed_total{reason="left"}'] == 1)
        until(lambda: nats_server.subscriptions() == [])


def test_a_slow_reader_is_told_what_was_dropped(gateway: Gateway, raw_nats: RawNats) -> None:
    sent = 2000
    with HttpReader(gateway.port, "subjects=slow.http") as reader:
        reader.begun()
        for _ in range(sent // 20):
            raw_nats.send(RawNats.command(b"slow.http", LARGE) * 20)
        until(lambda: gateway.figures()['bridge_messages_dropped_total{reason="slow"}'])
        received = dropped = 0
        while received + dropped < sent:
            line = reader.next()
            received += "data" in line
            dropped += line.get("dropped", 0)
        assert received + dropped == sent and dropped > 0
        raw_nats.publish("slow.http", b"1")
        assert reader.next() == {"subject": "slow.http", "data": 1}


def test_a_reader_that_takes_nothing_is_cut(
    nats_server: NatsServer, raw_nats: RawNats, log: Path
) -> None:
    with running(Gateway(nats_server.url, log=log, write_timeout=1)) as service:
        with HttpReader(service.port, "subjects=stall.http", receive_buffer=4096) as reader:
            reader.begun()
            raw_nats.send(RawNats.command(b"stall.http", LARGE) * 500)
            until(lambda: "closed: code 4008" in service.output())
        assert service.figures()['bridge_connections_closed_total{reason="stalled"}'] == 1
        fates = messages_by_fate(service.figures())
        assert fates["due"] == fates["delivered"] + fates["dropped"] == 500


def with_a_shorter_idle_time(nats_server: NatsServer, folder: Path, log: Path) -> Gateway:
    program = folder / "with_a_shorter_idle_time.py"
    program.write_text(
        "from bridge.web import http_stream; http_stream.IDLE_SECONDS = 0.5\n"
        "import main; main.app.start()\n"
    )
    return Gateway(nats_server.url, program=str(program), log=log)


def test_where_no_message_comes_something_else_does(
    nats_server: NatsServer, raw_nats: RawNats, tmp_path: Path, log: Path
) -> None:
    with running(with_a_shorter_idle_time(nats_server, tmp_path, log)) as service:
        with (
            HttpReader(service.port, "subjects=idle", SSE) as events,
            HttpReader(service.port, "subjects=idle") as lines,
        ):
            lines.begun()
            while '"action":"subscribe"' not in events.event().get("data", ""):
                pass
            for _ in range(4):
                assert (events.line(), events.line(), lines.line()) == (":\n", "\n", "\n")
            raw_nats.publish("idle", b"1")
            assert lines.next() == {"subject": "idle", "data": 1}


async def test_all_ways_of_reading_get_the_same(gateway: Gateway, raw_nats: RawNats) -> None:
    sent = 5000
    before = messages_by_fate(gateway.figures())
    query = {"subjects": ["same.>", "same.*"], "meta": "headers"}
    with (
        HttpReader(gateway.port, query, SSE) as events,
        HttpReader(gateway.port, query | {"limit": sent}) as lines,
    ):
        async with Browser(gateway.stream) as frames, Browser(gateway.stream + "?batch=1") as batch:
            for browser in (frames, batch):
                await browser.ask({"subjects": ["same.>", "same.*"], "meta": ["headers"]})
            readers = [asyncio.to_thread(read_messages, each, sent) for each in (events, lines)]
            tasks = [asyncio.create_task(each) for each in readers]
            for start in range(0, sent, 100):
                batch_of = (
                    RawNats.command(
                        b"same.a", b"%d" % number, headers=b"NATS/1.0\r\nN: %d\r\n\r\n" % number
                    )
                    for number in range(start, start + 100)
                )
                await asyncio.to_thread(raw_nats.send, b"".join(batch_of))
            one = [await frames.frame() for _ in range(sent)]
            two: list[str] = []
            while len(two) < sent:
                two += (await batch.frame()).split("\n")
            three, four = [await task for task in tasks]
    assert one == two == three == four
    assert [json.loads(each)["data"] for each in one] == list(range(sent))
    until(lambda: gateway.figures()["bridge_connections"] == 0)
    fates = messages_by_fate(gateway.figures())
    done = {fate: fates[fate] - before[fate] for fate in fates}
    assert done["delivered"] == 4 * sent
    assert done["due"] == done["delivered"] + done["filtered"] + done["dropped"] + done["pending"]


def read_messages(reader: HttpReader, count: int) -> list[str]:
    """Return the next messages as they stand in the response."""
    found: list[str] = []
    while len(found) < count:
        line = reader.line().removeprefix("data: ")
        if line.startswith('{"subject":'):
            found.append(line.removesuffix("\n"))
    return found
