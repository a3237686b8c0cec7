"""Who may publish, how often, and what becomes of it while NATS is away."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

from tests.support import minting
from tests.support.browser_client import Browser
from tests.support.publishing import ask, publish, refused
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, eventually, http, running


async def test_without_a_setting_nothing_is_published_by_any_door(
    nats_server: NatsServer, tmp_path: Path, log: Path
) -> None:
    tokens = tmp_path / "tokens"
    grants = {"allow": [">"], "publish": {"allow": [">", "$KV.>"]}}
    tokens.write_text(json.dumps({"name": "a", "token": "the-token-of-alice", **grants}))
    holder = {"Authorization": "Bearer the-token-of-alice"}
    with running(Gateway(nats_server.url, log=log, tokens_file=tokens)) as service:
        async with Browser(service.stream, additional_headers=holder) as browser:
            refused(await browser.ask(publish("a")), "denied")
            refused(await browser.ask(ask("a")), "denied")
            body = json.dumps(publish("a", connection_id=browser.connection_id)).encode()
            status, text = await asyncio.to_thread(http, f"{service.url}/stream", body, **holder)
            assert (status, json.loads(text)[0]["code"]) == (200, "denied")
        for path in ("publish", "request"):
            url = f"{service.url}/{path}/a"
            status, text = await asyncio.to_thread(http, url, b"1", **holder)
            assert (status, json.loads(text)["code"]) == (403, "denied")
            assert (await asyncio.to_thread(http, url, b"1"))[0] == 401
        assert service.figures()['bridge_publishes_total{result="denied"}'] == 5
        log_lines = service.output()
        assert "refused to publish on 'a' for a (1 in the last minute): denied" in log_lines


async def test_a_token_needs_a_grant_within_the_setting(
    nats_server: NatsServer, tmp_path: Path, log: Path
) -> None:
    tokens = tmp_path / "tokens"
    lines = (
        {"name": "a", "token": "the-token-of-alice", "publish": {"allow": ["orders.>", "x"]}},
        {"name": "b", "token": "the-token-of-bob!!"},
    )
    tokens.write_text("\n".join(map(json.dumps, lines)))
    service = Gateway(
        nats_server.url,
        log=log,
        tokens_file=tokens,
        allow_publish="orders.*",
        allow_anonymous=True,
    )
    with running(service):
        for token, subject, may in (
            ("the-token-of-alice", "orders.new", True),
            ("the-token-of-alice", "orders.new.x", False),
            ("the-token-of-alice", "x", False),
            ("the-token-of-bob!!", "orders.new", False),
            (None, "orders.new", False),
        ):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            async with Browser(service.stream, additional_headers=headers) as browser:
                assert (await browser.ask(publish(subject)))["success"] is may
            url = f"{service.url}/publish/{subject}"
            assert (await asyncio.to_thread(http, url, b"", **headers))[0] == (200 if may else 403)


async def test_a_fresh_token_says_whether_anything_may_be_published_from_now_on(
    nats_server: NatsServer, tmp_path: Path, log: Path
) -> None:
    def token(*grants: str) -> str:
        return minting.good(nats={"pub": {"allow": list(grants)}})

    (tmp_path / "key").write_text(minting.key_file("RS256"))
    settings = {"jwt_key": tmp_path / "key", "jwt_algorithms": "RS256", "jwt_audience": "us"}
    with running(
        Gateway(nats_server.url, log=log, allow_publish="orders.>", **settings)
    ) as service:
        async with Browser(service.stream, token()) as browser:
            refused(await browser.ask(publish("orders.new")), "denied")
            for grants in (("orders.new",), ("other",), ("orders.*",)):
                may = grants != ("other",)
                answer = await browser.ask({"token": token(*grants)})
                assert answer.get("publish", False) is may
                assert (await browser.ask(publish("orders.new")))["success"] is may


async def test_who_publishes_too_often_is_refused_and_then_ended(
    nats_server: NatsServer, log: Path
) -> None:
    service = Gateway(
        nats_server.url, log=log, allow_publish=">", publishes_per_second=0.01, publish_burst=2
    )
    with running(service):
        async with Browser(service.stream) as browser, Browser(service.stream) as bystander:
            answers = [await browser.ask(publish("a")) for _ in range(2)]
            assert [each["success"] for each in answers] == [True, True]
            for _ in range(4):
                text = refused(await browser.ask(publish("a")), "rate_limited")
                assert text == "At most 0.01 messages a second, please."
            await browser.send(publish("a"))
            assert await browser.closed() == 4029
            await bystander.subscribe("a")  # not counted among these
            assert (await bystander.ask(publish("a")))["success"] is True
        assert service.figures()['bridge_publishes_total{result="rate_limited"}'] == 5


async def test_a_page_that_answers_its_own_messages_is_held_to_its_rate(
    nats_server: NatsServer, log: Path
) -> None:
    """Each message makes it publish the next one: a loop, through the NATS server."""
    service = Gateway(
        nats_server.url, log=log, allow_publish=">", publishes_per_second=0.01, publish_burst=5
    )
    with running(service):
        async with Browser(service.stream) as browser:
            await browser.subscribe("loop")
            await browser.send(publish("loop", data=0))
            came = []
            while (line := await browser.next()).get("code") != "rate_limited":
                if "data" in line:
                    came.append(line["data"])
                    await browser.send(publish("loop", data=line["data"] + 1))
            assert came == [0, 1, 2, 3, 4]
            await browser.quiet()


async def test_nothing_is_kept_for_later_while_nats_is_away(tmp_path: Path, log: Path) -> None:
    with running(NatsServer(tmp_path)) as server:
        with running(Gateway(server.url, log=log, allow_publish=">")) as service:
            async with Browser(service.stream) as browser:
                assert (await browser.ask(publish("away", data=1)))["success"] is True
                server.stop()
                assert (await browser.next())["status"] == "nats_down"
                for request in (publish("away", data=2), publish("away", ack=True), ask("away")):
                    text = refused(await browser.ask(request), "nats_down")
                    assert text == "NATS is away: nothing was sent."
                server.start()
                with RawNats(server.port) as raw:
                    raw.send(b"SUB away 1\r\n")
                    assert (await browser.next())["status"] == "nats_up"
                    assert (await browser.ask(publish("away", data=3)))["success"] is True
                    assert raw._file.readline() == b"MSG away 1 1\r\n"
                    assert raw._file.readline() == b"3\r\n"


async def test_what_nats_may_have_when_it_is_lost_is_told_so(tmp_path: Path, log: Path) -> None:
    with running(NatsServer(tmp_path)) as server:
        with running(Gateway(server.url, log=log, allow_publish=">")) as service:
            async with Browser(service.stream) as browser:
                server.freeze()
                await browser.send(publish("lost"))
                await browser.send(ask("lost", timeout=500))
                asked = 'bridge_requests_total{action="request"}'
                await eventually(lambda: service.figures()[asked] == 1)
                server.crash()
                answers = [await browser.next() for _ in range(3)]
                told = sorted(each["message"] for each in answers if "code" in each)
                assert [each.get("code") for each in answers].count("timeout") == 2
                assert told == [
                    "NATS was lost before it confirmed 'lost': it may have the message.",
                    "No answer on 'lost' within 0.5 s.",
                ]


async def test_payloads_are_never_logged(gateway: Gateway, jetstream: NatsServer) -> None:
    planted = base64.b64encode(b"planted payload").decode()
    async with Browser(gateway.stream) as browser:
        for subject in ("forbidden.x", "$SYS.x", "secret.x", "fine.x"):
            for data, encoding in (("planted payload", "text"), (planted, "base64")):
                headers = {"X-Secret": "planted-secret"}
                request = publish(subject, data=data, encoding=encoding, headers=headers)
                await browser.ask(request)
    assert "planted" not in gateway.output()
    assert planted not in gateway.output()
