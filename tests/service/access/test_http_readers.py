"""Who may read messages by a plain GET, which browsers also send for pages of others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.access.authentication import COOKIE
from tests.support import minting
from tests.support.http_reader import SSE, HttpReader
from tests.support.servers import Gateway, NatsServer, running, until

FRIEND = "https://friend.example"
TOKEN, WRONG = "the-token-of-ann-here", "a-token-of-nobody-here"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
SAME = {"Sec-Fetch-Site": "same-origin"}
HERS = {"Cookie": f"{COOKIE}={TOKEN}"}
EVIL = {"Host": "evil.example"}
A_BROWSER = {"Accept-Language": "en"}


@pytest.fixture(scope="module")
def anyone(nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway on this machine, which needs no token and is not meant for other pages."""
    log = tmp_path_factory.mktemp("anyone") / "log"
    with running(Gateway(nats_server.url, log=log, allowed_origins=FRIEND)) as service:
        yield service


@pytest.fixture(scope="module")
def guarded(nats_server: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "tokens").write_text(json.dumps({"name": "ann", "token": TOKEN, "allow": ["a.>"]}))
    (folder / "key").write_text(minting.key_file("ES256"))
    settings = {"tokens_file": folder / "tokens", "jwt_key": folder / "key"}
    settings |= {"jwt_algorithms": "ES256", "allowed_origins": f"{FRIEND} https://own.example"}
    with running(Gateway(nats_server.url, log=folder / "log", **settings)) as service:
        yield service


def status(service: Gateway, headers: dict[str, str], query: str = "subjects=a.b") -> int:
    with HttpReader(service.port, query, headers) as reader:
        return reader.status


def refused(gateway: Gateway) -> float:
    """Return how many were refused for their origin; figures are made once a second."""
    return gateway.figures().get('bridge_refused_total{reason="origin"}', 0)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 200),
        (A_BROWSER, 200),
        ({"Host": "localhost:5001"} | A_BROWSER, 200),
        ({"Host": "[::1]:5001"} | A_BROWSER, 200),
        ({"Host": "friend.example"} | A_BROWSER, 200),
        ({"Host": "gateway:5001"}, 200),
        ({"Host": "gateway:5001"} | A_BROWSER, 403),
        (EVIL, 403),
        (EVIL | SAME, 403),
        (EVIL | {"Authorization": f"Bearer {TOKEN}"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": FRIEND}, 200),
        ({"Origin": FRIEND, "Host": "nats.example"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://evil.example"} | EVIL, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_no_page_of_others_reads_where_no_token_is_needed(
    anyone: Gateway, headers: dict[str, str], expected: int
) -> None:
    before = refused(anyone)
    assert status(anyone, headers) == expected
    until(lambda: refused(anyone) - before == (expected == 403))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 401),
        (BEARER, 200),
        (BEARER | EVIL, 200),
        ({"Authorization": f"Bearer {WRONG}"}, 401),
        (HERS, 401),
        (HERS | SAME, 200),
        (HERS | SAME | EVIL, 403),
        (HERS | SAME | {"Host": "own.example"}, 200),
        (HERS | {"Sec-Fetch-Site": "none"}, 401),
        (HERS | {"Sec-Fetch-Site": "cross-site"}, 403),
        (HERS | {"Sec-Fetch-Site": "cross-site", "Origin": FRIEND}, 200),
        (HERS | {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403),
    ],
)
def test_a_cookie_counts_for_a_page_of_the_same_origin_or_an_allowed_one(
    guarded: Gateway, headers: dict[str, str], expected: int
) -> None:
    assert status(guarded, headers) == expected


@pytest.mark.parametrize(
    "forged",
    [{"X-Forwarded-Host": "localhost"}, {"Forwarded": "for=127.0.0.9;host=localhost"}, {}],
)
def test_a_page_that_was_pointed_at_a_trusted_proxy_cannot_name_itself(
    nats_server: NatsServer, log: Path, forged: dict[str, str]
) -> None:
    settings = {"trusted_proxies": "127.0.0.1", "allowed_origins": FRIEND}
    with running(Gateway(nats_server.url, log=log, **settings)) as service:
        assert status(service, EVIL | A_BROWSER | forged) == 403
        upstream = {"Host": "gateway:5001", "X-Forwarded-Host": "friend.example"}
        assert status(service, upstream | A_BROWSER) == 200


def test_grants_are_those_of_the_token(guarded: Gateway) -> None:
    assert status(guarded, BEARER, "subjects=b") == 403
    with HttpReader(guarded.port, "subjects=a.*&subjects=b", BEARER) as reader:
        assert [reader.next().get("code") for _ in range(3)] == [None, None, "denied"]


def test_an_allowed_page_may_read_what_comes_and_why_nothing_does(guarded: Gateway) -> None:
    for headers, expected in ((BEARER, 200), ({}, 401)):
        with HttpReader(guarded.port, "subjects=a.b", headers | {"Origin": FRIEND}) as reader:
            told = reader.response.headers
            assert reader.status == expected
            assert told["Access-Control-Allow-Origin"] == FRIEND
            assert told["Access-Control-Allow-Credentials"] == "true"
            assert told["Vary"].endswith("Origin")
    with HttpReader(guarded.port, "subjects=a.b", {"Origin": "https://evil.example"}) as reader:
        assert "Access-Control-Allow-Origin" not in reader.response.headers


def test_the_end_of_a_token_ends_it(guarded: Gateway) -> None:
    brief = {"Authorization": f"Bearer {minting.token('ES256', seconds=2)}"}
    with HttpReader(guarded.port, "subjects=a.b", brief | SSE) as reader:
        assert reader.status == 200
        while '"closed"' not in (last := reader.event()).get("data", ""):
            assert last, "it has ended"
        assert json.loads(last["data"]) == {
            "status": "closed",
            "code": 4501,
            "reason": "the token has expired",
        }
        assert reader.rest() == ""


def test_one_too_many_is_503(nats_server: NatsServer, log: Path) -> None:
    with running(Gateway(nats_server.url, log=log, max_connections=1)) as service:
        for _ in range(2):
            assert status(service, {}, "subjects=a&limit=0") == 400, "and gives its place back"
        reader = HttpReader(service.port, "subjects=a")
        assert reader.status == 200
        with HttpReader(service.port, "subjects=a") as refused:
            assert (refused.status, refused.response.headers["Retry-After"]) == (503, "5")
        reader.__exit__()
        until(lambda: status(service, {}) == 200)
