"""`POST /publish/SUBJECT` and `POST /request/SUBJECT`: the same by curl, at every replica."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import nats
import pytest
from nats.aio.client import Client

from tests.support.browser_client import Browser
from tests.support.publishing import ask, heard, publish
from tests.support.raw_http import exchange, head
from tests.support.servers import PATIENCE, Gateway, NatsServer, eventually, http, running

FOREIGN = {"Origin": "http://evil.example"}


async def post(gateway: Gateway, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
    """Return status and what the response says."""
    status, text = await asyncio.to_thread(http, f"{gateway.url}/{path}", body, **headers)
    return status, json.loads(text) if text.startswith("{") else text


async def answers(client: Client, subject: str, payload: bytes) -> None:
    """Answer each request on `subject` with `payload`."""

    async def answer(msg: Any) -> None:
        await client.publish(msg.reply, payload)

    await client.subscribe(subject, cb=answer)
    await client.flush()


@pytest.mark.parametrize("body", [b"", b"1.50", b"a\r\nb", b"\xff\x00", b"{not json"])
async def test_the_body_arrives_byte_for_byte(
    gateway: Gateway, client: Client, body: bytes
) -> None:
    async with heard(client, "by.>") as next_one:
        status, said = await post(gateway, "publish/by.%C3%BC%2Fx", body)
        assert (status, said) == (
            200,
            {"success": True, "action": "publish", "subject": "by.ü/x"},
        )
        message = await next_one()
        assert (message.subject, message.data, message.headers) == ("by.ü/x", body, None)


async def test_a_stream_is_asked_for_by_ack_and_nats_headers(
    gateway: Gateway, client: Client
) -> None:
    await client.jetstream().add_stream(name="HTTP", subjects=["http.*"])
    said = {"success": True, "action": "publish", "subject": "http.a", "stream": "HTTP", "seq": 1}
    for duplicate in (False, True):
        answer = await post(gateway, "publish/http.a?ack=1", b"1", nats_msg_id="m1")
        assert answer == (200, {**said, "duplicate": duplicate})
    expect = {"Nats-Expected-Last-Sequence": "9"}
    status, refused = await post(gateway, "publish/http.a?ack=true", b"2", **expect)
    assert (status, refused["code"], refused["err_code"]) == (409, "not_stored", 10071)
    status, refused = await post(gateway, "publish/http.a", b"2", **expect)
    assert (status, refused["code"]) == (400, "bad_request")


@pytest.mark.parametrize("name", ["Nats-Rollup", "nats-rollup", "NATS-TRACE-DEST", "Nats-TTL"])
async def test_orders_to_the_server_are_refused_by_every_door(gateway: Gateway, name: str) -> None:
    for path in ("publish/orders", "publish/orders?ack=1", "request/orders"):
        status, said = await post(gateway, path, b"1", **{name: "all"})
        assert (status, said["code"]) == (400, "bad_request")
        assert "is not let through" in said["message"]
    async with Browser(gateway.stream) as browser:
        for request in (publish("orders", ack=True), ask("orders")):
            told = {**request, "headers": {name: "all"}, "connection_id": browser.connection_id}
            url = f"{gateway.url}/stream"
            _, text = await asyncio.to_thread(http, url, json.dumps(told).encode())
            assert "is not let through" in json.loads(text)[0]["message"]


@pytest.mark.parametrize(
    ("payload", "content_type"),
    [
        (b'{"a": 1.50}', "application/json"),
        (b"plain \xc3\xbc", "text/plain; charset=utf-8"),
        (b"<script>alert(1)</script>", "text/plain; charset=utf-8"),
        (b"\xff\x00", "application/octet-stream"),
        (b"", "text/plain; charset=utf-8"),
    ],
)
async def test_the_answer_to_a_request_comes_as_it_is(
    gateway: Gateway, client: Client, payload: bytes, content_type: str
) -> None:
    await answers(client, "curl.show", payload)
    request = urllib.request.Request(f"{gateway.url}/request/curl.show", data=b"")

    def fetch() -> tuple[bytes, Any]:
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return response.read(), response.headers
        except urllib.error.HTTPError as error:
            pytest.fail(error.read().decode())

    body, headers = await asyncio.to_thread(fetch)
    assert (body, headers["Content-Type"]) == (payload, content_type)
    assert headers["X-Content-Type-Options"] == "nosniff"


async def test_each_refusal_has_a_status(gateway: Gateway, client: Client) -> None:
    async with heard(client, "curl.silent"):
        for path, status, code in (
            ("publish/a..b", 400, "bad_subject"),
            ("publish/a%20b", 400, "bad_subject"),
            ("publish/a.*", 400, "bad_subject"),
            ("publish/a?ack=2", 400, "bad_request"),
            ("publish/a?acks=1", 400, "bad_request"),
            ("publish/a?timeout=5", 400, "bad_request"),
            ("request/a?timeout=x", 400, "bad_request"),
            ("request/a?timeout=nan", 400, "bad_request"),
            ("request/a?timeout=10001", 400, "bad_request"),
            ("publish/$SYS.a", 403, "denied"),
            ("publish/_INBOX.a", 403, "denied"),
            ("request/$JS.API.INFO", 403, "denied"),
            ("publish/forbidden.a", 403, "denied"),
            ("publish/a?ack=1", 503, "no_responders"),
            ("request/a", 503, "no_responders"),
            ("request/curl.silent?timeout=20", 504, "timeout"),
        ):
            found, said = await post(gateway, path, b"1")
            assert (found, said["code"], said["success"]) == (status, code, False), path
        assert (await post(gateway, "publish/a", b"x" * 4097))[0] == 413
        assert (await post(gateway, "publish/a", b"x" * 65537))[0] == 413
        assert (await post(gateway, "publish/a%0d%0aPUB%20b%200", b""))[0] == 404


async def test_a_page_of_another_origin_publishes_nothing(gateway: Gateway, client: Client) -> None:
    """A browser asks nobody before it sends a form, or text, with the cookies of its reader."""
    async with heard(client, "csrf.>") as next_one:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            for origin in ("http://evil.example", "null", "https://127.0.0.1"):
                for door in ("publish", "request"):
                    headers = {"Origin": origin, "Content-Type": kind}
                    status, _ = await post(gateway, f"{door}/csrf.a", b"1", **headers)
                    assert status == 403, (kind, origin, door)
        own = {"Origin": gateway.url, "Content-Type": "text/plain"}
        assert (await post(gateway, "publish/csrf.b", b"2", **own))[0] == 200
        assert (await next_one()).subject == "csrf.b"


async def test_only_a_page_that_may_connect_is_told_how_to_publish(gateway: Gateway) -> None:
    asks = {
        "Host": f"127.0.0.1:{gateway.port}",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "nats-msg-id",
    }
    for path in ("/publish/a.b", "/request/a.b"):
        request = head(f"OPTIONS {path}", {**asks, **FOREIGN})
        status, text = await asyncio.to_thread(exchange, gateway.port, request)
        assert (status, "Access-Control-Allow-Headers" in text) == (403, False)
        request = head(f"OPTIONS {path}", {**asks, "Origin": gateway.url})
        status, text = await asyncio.to_thread(exchange, gateway.port, request)
        assert status == 204
        assert "Nats-Msg-Id" in text


async def test_a_get_publishes_nothing(gateway: Gateway) -> None:
    for path in ("publish/a", "request/a"):
        assert (await asyncio.to_thread(http, f"{gateway.url}/{path}"))[0] == 405


async def test_every_replica_publishes_and_each_caller_is_limited_for_itself(
    nats_server: NatsServer, tmp_path: Path
) -> None:
    tokens = tmp_path / "tokens"
    lines = (
        {"name": name, "token": f"the-token-of-{name}", "publish": {"allow": [">"]}}
        for name in ("alice", "robert")
    )
    tokens.write_text("\n".join(map(json.dumps, lines)))
    settings: dict[str, object] = {
        "tokens_file": tokens,
        "allow_publish": ">",
        "publishes_per_second": 0.01,
        "publish_burst": 3,
    }
    alice, robert = (
        {"Authorization": f"Bearer the-token-of-{name}"} for name in ("alice", "robert")
    )
    first = Gateway(nats_server.url, log=tmp_path / "first", **settings)
    second = Gateway(nats_server.url, log=tmp_path / "second", **settings)
    with running(first), running(second):
        for service in (first, second):
            statuses = [(await post(service, "publish/a", b"1", **alice))[0] for _ in range(4)]
            assert statuses == [200, 200, 200, 429]
            assert (await post(service, "publish/a", b"1", **robert))[0] == 200
            assert (await post(service, "publish/a", b"1"))[0] == 401


async def test_a_connection_can_be_published_for_by_post(gateway: Gateway, client: Client) -> None:
    await answers(client, "post.sum", b"3")
    async with Browser(gateway.stream) as browser:
        for request, expected in (
            (publish("post.a", data=1), {"action": "publish", "subject": "post.a"}),
            (ask("post.sum"), {"action": "request", "subject": "post.sum", "reply": {"data": 3}}),
        ):
            body = json.dumps({**request, "connection_id": browser.connection_id}).encode()
            status, text = await asyncio.to_thread(http, f"{gateway.url}/stream", body)
            assert (status, json.loads(text)) == (200, [{"success": True, **expected, "id": 1}])
        await browser.quiet()


async def test_who_hangs_up_on_a_request_takes_a_place_for_its_time_alone(
    gateway: Gateway, client: Client
) -> None:
    asked = 'bridge_requests_total{action="request"}'
    before = gateway.figures()[asked]
    request = head("POST /request/post.silent?timeout=300", {"Host": "a", "Content-Length": "0"})
    async with heard(client, "post.silent"):
        writers = []
        for _ in range(16):
            _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
            writer.write(request)
            writers.append(writer)
        await eventually(lambda: gateway.figures()[asked] == before + 16)
        for writer in writers:
            writer.transport.abort()
    await answers(client, "post.there", b"1")
    while (answer := await post(gateway, "request/post.there"))[0] == 429:
        pass
    assert answer == (200, "1")


async def test_who_does_not_read_an_answer_is_cut_and_who_reads_slowly_is_not(
    tmp_path: Path,
) -> None:
    """Answers are as large as NATS lets them be, and held until they are read."""
    size = 1_000_000
    with (
        running(NatsServer(tmp_path)) as server,
        running(
            Gateway(server.url, log=tmp_path / "log", allow_publish=">", write_timeout=1)
        ) as service,
    ):
        service_of_theirs = await nats.connect(server.url)
        await answers(service_of_theirs, "curl.large", b"x" * size)
        late = 'bridge_refused_total{reason="too_late"}'
        request = head("POST /request/curl.large", {"Host": "127.0.0.1", "Content-Length": "0"})
        with slow_socket(service.port) as never, slow_socket(service.port) as slowly:
            for each in (never, slowly):
                each.sendall(request)
            took = await asyncio.to_thread(read_in_pieces, slowly, size)
            assert took > 2, "longer than who takes nothing may"
            await eventually(lambda: service.figures()[late] == 1)
            assert await asyncio.to_thread(bytes_until_cut, never) < size
        assert "Traceback" not in service.output()
        await service_of_theirs.close()


def slow_socket(port: int) -> socket.socket:
    """Return a connection for which the system takes little before it is read."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.settimeout(PATIENCE)
    made.connect(("127.0.0.1", port))
    return made


def bytes_until_cut(connection: socket.socket) -> int:
    """Return how many bytes are still there before the end."""
    count = 0
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65536):
            count += len(piece)
    return count


def read_in_pieces(connection: socket.socket, size: int) -> float:
    """Read so much at a low rate; return how many seconds it took."""
    begun, left = time.monotonic(), size
    while left > 0:
        piece = connection.recv(65536)
        assert piece, "it was cut"
        left -= len(piece)
        time.sleep(len(piece) / size * 3)
    return time.monotonic() - begun
