"""One address, one socket or one crowd cannot take the service from the others."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Iterator

from tests.support.browser_client import Browser
from tests.support.raw_http import UPGRADE, exchange, head
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, eventually, http, running, until
from tests.timing import Stopwatch

CROWD, OTHER = "127.0.0.1", "127.0.0.2"


@contextlib.contextmanager
def sockets(count: int, port: int, source: str = CROWD) -> Iterator[list[socket.socket]]:
    """Open TCP connections that say nothing."""
    with contextlib.ExitStack() as stack:
        opened = []
        for _ in range(count):
            raw = stack.enter_context(socket.socket())
            raw.bind((source, 0))
            raw.setblocking(False)
            raw.connect_ex(("127.0.0.1", port))
            opened.append(raw)
        yield opened


def websocket(port: int, source: str, **headers: str) -> tuple[int, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = head("GET /stream", {"Host": f"127.0.0.1:{port}", **UPGRADE, **named})
    return exchange(port, request, source=source)


async def goes_on(bystander: Browser, nats: RawNats, number: int) -> float:
    """Fail unless the bystander gets a message; return the seconds it took."""
    watch = Stopwatch()
    nats.publish("bystander", str(number).encode())
    assert await bystander.next() == {"subject": "bystander", "data": number}
    return watch.own


async def test_ten_thousand_requests_a_second_on_one_socket_end_it_alone(
    nats_server: NatsServer, raw_nats: RawNats, log
) -> None:
    with running(Gateway(nats_server.url, log=log)) as service:
        async with Browser(service.stream) as bystander, Browser(service.stream) as flooder:
            await bystander.subscribe("bystander")
            request = json.dumps({"subjects": ["flood"]})
            flood = asyncio.gather(*(flooder.send(request) for _ in range(10000)))
            slowest = max([await goes_on(bystander, raw_nats, number) for number in range(20)])
            assert await flooder.closed() == 4029
            with contextlib.suppress(Exception):
                await flood
            assert slowest < 2, "a bystander waited"
            await goes_on(bystander, raw_nats, 99)
        assert service.figures()['bridge_connections_closed_total{reason="flood"}'] == 1
        assert nats_server.subscriptions() == []


async def test_five_thousand_sockets_of_one_address_leave_room_for_another(
    nats_server: NatsServer, raw_nats: RawNats, log
) -> None:
    with running(Gateway(nats_server.url, log=log)) as service:
        async with Browser(service.stream, local_addr=(OTHER, 0)) as bystander:
            await bystander.subscribe("bystander")
            with sockets(5000, service.port):
                for number in range(20):
                    await goes_on(bystander, raw_nats, number)
                assert websocket(service.port, OTHER)[0] == 101
                await eventually(lambda: refused(service) >= 4000)
                status, text = websocket(service.port, CROWD)
                assert status == 503
                assert "Retry-After: 5\r\n" in text
                assert text.endswith("At most 1000 connections from one address, please.\n")
                # Those turned away are gone soon: only the files of the others stay open.
                assert await eventually(lambda: service.ps().num_fds() < 1200)
            await goes_on(bystander, raw_nats, 99)
        await eventually(lambda: websocket(service.port, CROWD)[0] == 101)


def refused(service: Gateway) -> float:
    text = exchange(service.port, head("GET /metrics", {"Host": "x"}), source=OTHER)[1]
    return float(text.partition('\nbridge_refused_total{reason="address"} ')[2].splitlines()[0])


async def test_those_refused_for_their_address_leave_room_for_others(
    nats_server: NatsServer, log
) -> None:
    program, crowd = "tests/programs/with_few_files.py", "127.0.0.3"
    service = Gateway(nats_server.url, program=program, log=log, max_connections_per_address=1)
    with running(service):
        async with Browser(service.stream, local_addr=(crowd, 0)):
            with contextlib.ExitStack() as stack:
                for number in range(400):
                    raw = socket.create_connection(("127.0.0.1", service.port), 20, (crowd, 0))
                    assert stack.enter_context(raw).recv(65536).startswith(b"HTTP/1.1 503 ")
                    if number % 10 == 0:
                        assert websocket(service.port, OTHER)[0] == 101
        figures = service.figures()
        assert figures['bridge_refused_total{reason="address"}'] == 400
        assert figures['bridge_refused_total{reason="full"}'] == 0


def test_addresses_behind_a_proxy_are_counted_each_for_itself(nats_server: NatsServer, log) -> None:
    settings = {"max_connections_per_address": 2, "trusted_proxies": OTHER}
    with running(Gateway(nats_server.url, log=log, **settings)) as service:
        with contextlib.ExitStack() as stack:

            def connect(address: str) -> int:
                raw = socket.create_connection(("127.0.0.1", service.port), 20, (OTHER, 0))
                stack.enter_context(raw)
                headers = {"Host": "x", **UPGRADE, "X-Forwarded-For": address}
                raw.sendall(head("GET /stream", headers))
                return int(raw.recv(65536).split(b" ")[1])

            assert [connect("1.1.1.1") for _ in range(3)] == [101, 101, 503]
            assert [connect("2001:db8::1"), connect("2001:db8::2")] == [101, 101]
            assert [connect("2001:db8::3"), connect("2001:db8:0:1::1")] == [503, 101]
            # Who is no proxy is counted by its own address, whatever it says.
            own = [websocket(service.port, "127.0.0.3", X_Forwarded_For=f"9.9.9.{n}") for n in "12"]
            assert [status for status, _ in own] == [101, 101]
        until(lambda: service.figures()["bridge_connections"] == 0)
        assert websocket(service.port, OTHER, X_Forwarded_For="1.1.1.1")[0] == 101


def test_who_is_no_proxy_cannot_give_itself_another_address(nats_server: NatsServer, log) -> None:
    settings = {"max_connections_per_address": 2, "trusted_proxies": OTHER}
    with running(Gateway(nats_server.url, log=log, **settings)) as service:
        with sockets(2, service.port, "127.0.0.3"):
            until(lambda: websocket(service.port, "127.0.0.3", X_Forwarded_For="9.9.9.9")[0] == 503)


async def test_requests_that_come_drop_by_drop_are_cut(
    nats_server: NatsServer, raw_nats: RawNats, log
) -> None:
    service = Gateway(nats_server.url, log=log, request_timeout=1)
    with running(service):
        async with Browser(service.stream) as bystander:
            await bystander.subscribe("bystander")
            cut = asyncio.gather(
                *(
                    asyncio.to_thread(drip, service.port, b"GET / HTTP/1.1\r\nX: ")
                    for _ in range(5)
                ),
                *(asyncio.to_thread(drip, service.port, b"") for _ in range(5)),
            )
            posts = [asyncio.to_thread(drip, service.port, POST_HEAD) for _ in range(5)]
            answers = await asyncio.gather(*posts)
            await goes_on(bystander, raw_nats, 1)
            assert {answer.split(b" ")[1] for answer in answers} == {b"408"}
            assert set(await cut) == {b""}
        assert (await eventually(service.figures))['bridge_refused_total{reason="too_late"}'] == 15


POST_HEAD = head("POST /stream", {"Host": "x", "Content-Length": "10000"})


def drip(port: int, begin: bytes) -> bytes:
    """Send `begin`, then a byte now and then; return what came until the end, within 15 s."""
    with socket.create_connection(("127.0.0.1", port), timeout=0.1) as raw:
        raw.sendall(begin)
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            try:
                piece = raw.recv(65536)
                return piece
            except TimeoutError:
                with contextlib.suppress(ConnectionError):
                    raw.sendall(b"x" if begin else b"")
            except ConnectionError:
                return b""
        raise AssertionError("nobody cut it")


async def test_out_of_files_the_service_goes_on(
    nats_server: NatsServer, raw_nats: RawNats, log
) -> None:
    program = "tests/programs/with_few_files.py"
    with running(Gateway(nats_server.url, program=program, log=log, log_level="debug")) as service:
        async with Browser(service.stream) as bystander:
            await bystander.subscribe("bystander")
            for round in range(3):
                with sockets(400, service.port):
                    await eventually(lambda: service.ps().num_fds() > 150)
                    for number in range(20):
                        await goes_on(bystander, raw_nats, number)
                # With room again, new ones are served.
                await eventually(lambda: http(f"{service.url}/livez")[0] == 200)
                await goes_on(bystander, raw_nats, 100 + round)
        assert service.figures()['bridge_refused_total{reason="full"}'] > 0
        output = service.output()
    assert "files 256 may be open, raised from 128" in output
    assert "MAX_CONNECTIONS is 10000, but with `ulimit -n` 256 there is room for 192" in output
    assert output.count("no more files can be opened") == 1
    assert "Traceback" not in output
