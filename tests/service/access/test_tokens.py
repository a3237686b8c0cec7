"""Who may connect: tokens in a header, a cookie or the first frame, and what they grant."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.support import minting
from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import PATIENCE, Gateway, NatsServer, eventually, http, running
from tests.timing import Stopwatch

STATIC = "a-static-token-for-a-wall"
OTHER = "a-static-token-for-someone"
STATIC_LINES = "\n".join(
    json.dumps(each)
    for each in (
        {"name": "wall", "token": STATIC, "allow": ["wall.>", "_INBOX.wall.>"], "deny": ["wall.x"]},
        {"name": "someone", "token": OTHER},
    )
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tokens")


@pytest.fixture(scope="module")
def settings(folder: Path) -> dict[str, object]:
    (folder / "tokens").write_text(STATIC_LINES)
    (folder / "key.pem").write_text(minting.key_file("RS256"))
    return {
        "tokens_file": folder / "tokens",
        "jwt_key": folder / "key.pem",
        "jwt_algorithms": "RS256",
        "jwt_audience": "us",
        "jwt_issuer": "https://id",
        "log_level": "debug",
    }


@pytest.fixture(scope="module")
def guarded(
    nats_server: NatsServer, folder: Path, settings: dict[str, object]
) -> Iterator[Gateway]:
    """A gateway that asks for tokens."""
    with running(Gateway(nats_server.url, log=folder / "log", **settings)) as service:
        yield service


@asynccontextmanager
async def stranger(service: Gateway, **headers: str) -> AsyncIterator[ClientConnection]:
    """A connection that has shown no token that counts."""
    async with connect(service.stream, additional_headers=headers, proxy=None) as ws:
        assert json.loads(await ws.recv()) == {"status": "token_required"}
        yield ws


async def end(ws: ClientConnection) -> tuple[int | None, str | None]:
    """Return the code and reason that the gateway closes with; fail if it sends anything else."""
    with pytest.raises(ConnectionClosed):
        async with asyncio.timeout(PATIENCE):
            raise AssertionError(await ws.recv())
    return ws.close_code, ws.close_reason


async def refusal(service: Gateway, **headers: str) -> tuple[int, str]:
    """Return status and text of the answer to an upgrade that is refused."""
    with pytest.raises(InvalidStatus) as refused:
        async with connect(service.stream, additional_headers=headers, proxy=None):
            pass
    return refused.value.response.status_code, refused.value.response.body.decode()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def cookie(token: str, service: Gateway) -> dict[str, str]:
    return {"Cookie": f"nats_bridge_token={token}", "Origin": service.url}


@pytest.mark.parametrize("make", minting.WRONG.values(), ids=minting.WRONG)
async def test_wrong_tokens_are_refused_everywhere_and_repeated_nowhere(
    guarded: Gateway, make: Callable[[], str]
) -> None:
    token = make()
    if token.isascii():
        status, text = await refusal(guarded, **bearer(token))
        assert status == 401
        assert text.startswith("The token") and (not token or token not in text)
        async with connect(
            guarded.stream, additional_headers=cookie(token, guarded), proxy=None
        ) as ws:
            notice = json.loads(await ws.recv())
            assert notice["status"] == "token_required"
            assert notice["reason"].startswith("the token")
            assert not token or token not in notice["reason"]
            await ws.send(json.dumps({"subjects": "a"}))
            assert (await end(ws))[0] == 4501
        status, text = await asyncio.to_thread(
            http, f"{guarded.url}/stream", b"{}", **bearer(token)
        )
        assert status == 401 and (not token or token not in text)
    async with stranger(guarded) as ws:
        await ws.send(json.dumps({"token": token}))
        code, reason = await end(ws)
        assert code == 4501
        assert reason and reason.startswith("the token") and (not token or token not in reason)
    figures = (await asyncio.to_thread(http, f"{guarded.url}/metrics"))[1]
    for place in (guarded.output(), figures):
        assert len(token) < 10 or token not in place


@pytest.mark.parametrize("token", [STATIC, OTHER, "a JWT"])
@pytest.mark.parametrize("way", ["header", "cookie", "first frame"])
async def test_a_right_token_opens_each_way(guarded: Gateway, token: str, way: str) -> None:
    token = minting.good() if token == "a JWT" else token
    headers = {"header": bearer(token), "cookie": cookie(token, guarded)}.get(way, {})
    in_frame = token if way == "first frame" else None
    async with Browser(guarded.stream, in_frame, additional_headers=headers) as browser:
        await browser.subscribe("wall.a")
    assert token not in guarded.output()


async def test_beside_a_cookie_that_does_not_count_another_token_does(guarded: Gateway) -> None:
    before = guarded.figures()['bridge_refused_total{reason="unauthorized"}']
    expired = cookie(minting.good(seconds=-31), guarded)
    async with connect(guarded.stream, additional_headers=expired, proxy=None) as ws:
        assert json.loads(await ws.recv()) == {
            "status": "token_required",
            "reason": "the token has expired",
        }
        await ws.send(json.dumps({"token": STATIC}))
        assert json.loads(await ws.recv())["success"] is True
    assert guarded.figures()['bridge_refused_total{reason="unauthorized"}'] == before
    async with Browser(guarded.stream, additional_headers={**expired, **bearer(STATIC)}) as browser:
        await browser.subscribe("wall.a")
    status, text = await asyncio.to_thread(http, f"{guarded.url}/stream", b"{}", **expired)
    assert (status, text) == (401, "The token has expired.\n")
    assert guarded.figures()['bridge_refused_total{reason="unauthorized"}'] == before + 1


async def test_a_cookie_and_a_token_that_do_not_count_are_one_refusal(guarded: Gateway) -> None:
    before = guarded.figures()['bridge_refused_total{reason="unauthorized"}']
    headers = cookie("wrong", guarded)
    async with connect(guarded.stream, additional_headers=headers, proxy=None) as ws:
        assert json.loads(await ws.recv())["status"] == "token_required"
        await ws.send(json.dumps({"token": "wrong, too"}))
        assert (await end(ws))[0] == 4501
    assert guarded.figures()['bridge_refused_total{reason="unauthorized"}'] == before + 1


async def test_a_token_in_the_url_or_a_cookie_without_an_origin_counts_for_nothing(
    guarded: Gateway,
) -> None:
    url = f"{guarded.stream}?token={STATIC}&access_token={STATIC}"
    async with connect(url, proxy=None) as ws:
        assert json.loads(await ws.recv()) == {"status": "token_required"}
    async with stranger(guarded, Cookie=f"nats_bridge_token={STATIC}"):
        pass
    evil = {**cookie(STATIC, guarded), "Origin": "http://evil.example"}
    assert (await refusal(guarded, **evil))[0] == 403
    assert STATIC not in guarded.output()


@pytest.mark.parametrize(
    "frame", ['{"subjects": ["a"]}', "nonsense", b"bytes", '{"token": 1}', "[]", "{}"]
)
async def test_nothing_but_a_token_is_taken_first(guarded: Gateway, frame: str | bytes) -> None:
    async with stranger(guarded) as ws:
        await ws.send(frame)
        assert await end(ws) == (4501, "a token has to come first")


async def test_silence_is_closed_after_five_seconds_and_counted(guarded: Gateway) -> None:
    before = guarded.figures()['bridge_refused_total{reason="token_late"}']
    async with stranger(guarded) as ws:
        watch = Stopwatch()
        assert await end(ws) == (4501, "no token came in time")
        assert 4.5 < watch.seconds
        assert watch.own < 10
    assert guarded.figures()['bridge_refused_total{reason="token_late"}'] == before + 1


async def test_requests_that_follow_the_token_at_once_are_answered(guarded: Gateway) -> None:
    async with stranger(guarded) as ws:
        await ws.send(json.dumps({"token": OTHER}))
        await ws.send(json.dumps({"subjects": ["a"]}))
        assert "connection_id" in json.loads(await ws.recv())
        assert json.loads(await ws.recv())["subjects"] == ["a"]


async def test_the_connection_ends_with_its_token(guarded: Gateway) -> None:
    token = minting.good(2, sub="brief")
    async with Browser(guarded.stream, token) as browser, Browser(guarded.stream, OTHER) as other:
        await browser.subscribe("a")
        assert await browser.closed() == 4501
        assert browser.ws.close_reason == "the token has expired"
        await other.subscribe("still.here")


async def test_a_fresh_token_keeps_the_connection(guarded: Gateway) -> None:
    async with Browser(guarded.stream, minting.good(2)) as browser:
        await browser.subscribe("a")
        answer = await browser.ask({"token": minting.good(6), "id": 5})
        assert answer == {
            "success": True,
            "message": "Successfully signed in",
            "action": "token",
            "subjects": [],
            "history": True,
            "id": 5,
        }
        started = time.monotonic()
        assert await browser.closed() == 4501
        assert time.monotonic() - started > 3


@pytest.mark.parametrize("token", [lambda: "wrong", lambda: OTHER, lambda: minting.good(sub="eve")])
async def test_a_fresh_token_that_is_wrong_or_someone_elses_ends_the_connection(
    guarded: Gateway, token: Callable[[], str]
) -> None:
    async with Browser(guarded.stream, minting.good()) as browser:
        await browser.send({"token": token()})
        assert await browser.closed() == 4501


async def test_a_fresh_token_with_fewer_grants_ends_what_it_does_not_allow(
    guarded: Gateway, raw_nats: RawNats
) -> None:
    def token(*allow: str, deny: tuple[str, ...] = ()) -> str:
        return minting.good(nats={"sub": {"allow": list(allow), "deny": list(deny)}})

    async with Browser(guarded.stream, token(">")) as browser:
        await browser.subscribe("gone.*", "kept.>")
        answer = await browser.ask({"token": token("kept.>", deny=("kept.secret",))})
        assert answer["action"] == "token"
        answer = await browser.next()
        assert (answer["code"], answer["subjects"]) == ("denied", ["gone.*"])
        for subject in ("gone.a", "kept.secret", "kept.a"):
            raw_nats.publish(subject, b"1")
        assert await browser.next() == {"subject": "kept.a", "data": 1}
        await browser.quiet()


async def test_connections_get_what_their_own_grants_allow(
    guarded: Gateway, nats_server: NatsServer, raw_nats: RawNats
) -> None:
    async with (
        Browser(guarded.stream, STATIC) as wall,
        Browser(guarded.stream, OTHER) as other,
        Browser(guarded.stream, minting.good(nats={"sub": {"allow": ["wall.*"]}})) as jwt,
    ):
        for pattern in (">", "other", "wall", "*.a", "$SYS.a", "_INBOX.>", "wall.x"):
            answer = await wall.ask({"subjects": pattern})
            assert answer["code"] == "denied", pattern
        answer = await jwt.ask({"subjects": "wall.>"})
        assert answer["code"] == "denied"
        await wall.subscribe("wall.*", "_INBOX.wall.>")
        await jwt.subscribe("wall.*")
        await other.subscribe(">", "wall.*")
        assert nats_server.subscriptions().count("wall.*") == 1
        for subject in ("wall.x", "wall.y"):
            raw_nats.publish(subject, b"1")
        raw_nats.publish("_INBOX.wall.a", b"2")
        assert await wall.next() == {"subject": "wall.y", "data": 1}
        assert await wall.next() == {"subject": "_INBOX.wall.a", "data": 2}
        for browser in (other, jwt):
            assert (await browser.next())["subject"] == "wall.x"
            assert (await browser.next())["subject"] == "wall.y"
        for browser in (wall, other, jwt):
            await browser.quiet()


async def test_posts_reach_only_connections_of_the_same_holder(guarded: Gateway) -> None:
    async def status(browser: Browser, **headers: str) -> int:
        body = json.dumps({"connection_id": browser.connection_id, "subjects": ["wall.b"]}).encode()
        return (await asyncio.to_thread(http, f"{guarded.url}/stream", body, **headers))[0]

    async with (
        Browser(guarded.stream, STATIC) as wall,
        Browser(guarded.stream, minting.good()) as ann,
    ):
        assert await status(wall) == 401
        assert await status(wall, **bearer("wrong")) == 401
        assert await status(wall, **bearer(OTHER)) == 404
        assert await status(wall, **bearer(minting.good())) == 404
        assert await status(wall, **bearer(STATIC)) == 200
        assert await status(wall, **cookie(STATIC, guarded)) == 200
        assert await status(ann, **bearer(minting.good())) == 200
        assert await status(ann, **bearer(minting.good(sub="eve"))) == 404


async def test_with_allow_anonymous_those_without_a_token_get_what_all_get(
    nats_server: NatsServer, settings: dict[str, object], log: Path
) -> None:
    more: dict[str, Any] = {"allow_anonymous": True, "allow_subjects": "public.>"}
    service = Gateway(nats_server.url, log=log, **{**settings, **more})
    with running(service):
        async with Browser(service.stream) as browser:
            await browser.subscribe("public.a")
            assert (await browser.ask({"subjects": "wall.a"}))["code"] == "denied"
            assert (await browser.ask({"token": STATIC}))["action"] == "token"
            assert (await browser.next())["code"] == "denied"
            await browser.subscribe("wall.a")
        assert (await refusal(service, **bearer("wrong")))[0] == 401
        headers = cookie("wrong", service)
        async with Browser(service.stream, additional_headers=headers) as browser:
            await browser.subscribe("public.a")
            assert (await browser.ask({"subjects": "wall.a"}))["code"] == "denied"
        assert service.figures()['bridge_refused_total{reason="unauthorized"}'] == 1, (
            "the one with the header"
        )


async def test_a_token_is_refused_where_none_is_asked_for(gateway: Gateway) -> None:
    async with Browser(gateway.stream, additional_headers=bearer("any")) as browser:
        await browser.send({"token": "any"})
        assert await browser.closed() == 4501


async def test_connections_that_have_shown_no_token_count_and_are_closed_at_the_stop(
    nats_server: NatsServer, settings: dict[str, object], log: Path
) -> None:
    service = Gateway(nats_server.url, log=log, max_connections=1, **settings)
    service.start()
    async with stranger(service) as ws:
        assert (await refusal(service))[0] == 503
        stopping = asyncio.create_task(asyncio.to_thread(service.stop))
        assert (await end(ws))[0] == 1012
        assert await stopping == 0


async def test_a_new_file_counts_from_the_next_connection_on(
    nats_server: NatsServer, log: Path, tmp_path: Path
) -> None:
    path = tmp_path / "tokens"
    path.write_text(STATIC_LINES)
    with running(Gateway(nats_server.url, log=log, tokens_file=path)) as service:
        async with Browser(service.stream, STATIC):
            path.write_text(STATIC_LINES.replace(STATIC, "another-token-for-the-wall"))
            assert (await refusal(service, **bearer(STATIC)))[0] == 401
            async with Browser(service.stream, "another-token-for-the-wall"):
                pass


def test_with_tokens_other_machines_may_be_served(
    nats_server: NatsServer, settings: dict[str, object], log: Path
) -> None:
    with running(Gateway(nats_server.url, log=log, http_host="0.0.0.0", **settings)) as service:
        assert http(f"{service.url}/readyz")[0] == 200


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"tokens_file": "missing"}, "TOKENS_FILE"),
        ({"jwt_key": "/"}, "JWT_KEY"),
        ({"jwt_algorithms": "none"}, "JWT_ALGORITHMS"),
        ({"jwt_algorithms": "ES256"}, "JWT_KEY"),
        ({"jwt_key": ""}, "JWT_KEY"),
    ],
)
def test_useless_settings_end_the_start(
    settings: dict[str, object], log: Path, more: dict[str, str], name: str
) -> None:
    service = Gateway("nats://127.0.0.1:1", log=log, **{**settings, **more})
    service.launch()
    assert service.wait() == 2
    (line,) = service.output().splitlines()
    assert line.startswith(f"{name}: ")


def test_a_secret_is_no_key_unless_its_algorithm_is_named(log: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(minting.SECRET)
    service = Gateway("nats://127.0.0.1:1", log=log, jwt_key=tmp_path / "secret")
    service.launch()
    assert service.wait() == 2
    assert service.output().startswith("JWT_KEY: the file holds no key")


async def test_connections_without_a_token_leave_nothing_behind(guarded: Gateway) -> None:
    before = guarded.figures()["bridge_tasks"]
    for _ in range(20):
        async with stranger(guarded) as ws:
            ws.transport.abort()
    await eventually(lambda: guarded.figures()["bridge_tasks"] <= before)
    assert "Traceback" not in guarded.output()
