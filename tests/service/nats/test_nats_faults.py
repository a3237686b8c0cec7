"""What the gateway does when NATS goes away, says no, or comes back."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import (
    OWN_SUBSCRIPTIONS,
    PATIENCE,
    Gateway,
    NatsServer,
    eventually,
    http,
    running,
    until,
)
from tests.timing import within

DOWN = {"status": "nats_down"}
UP = {"status": "nats_up", "gap": True}
DENIED = 10.0
"""Seconds for 200 of them: a bound against a wait for each, on a machine that may be busy."""


async def test_a_restart_of_nats_is_told_and_everything_flows_again(
    tmp_path: Path, log: Path
) -> None:
    server = NatsServer(tmp_path)
    with running(server), running(Gateway(server.url, log=log)) as service:
        async with Browser(service.stream) as one, Browser(service.stream) as two:
            await one.subscribe(*(f"many.{n}" for n in range(100)))
            await two.subscribe("many.0", "extra.*")
            server.stop()
            assert await one.next() == await two.next() == DOWN
            assert http(f"{service.url}/readyz") == (503, '{"status": "nats_down"}')
            answer = await one.ask({"subjects": ["meanwhile"], "id": 7})
            assert (answer["code"], answer["id"]) == ("nats_down", 7)
            await one.ask({"subjects": ["many.99"], "action": "unsubscribe"})
            server.start()
            assert await one.next() == await two.next() == UP
            answer = await one.next()
            assert (answer["subjects"], answer["id"]) == (["meanwhile"], 7)
            expected = sorted([f"many.{n}" for n in range(99)] + ["extra.*", "meanwhile"])
            assert server.subscriptions() == expected
            assert len(server.inboxes()) == 1
            with RawNats(server.port) as client:
                client.publish("many.0", b"1")
                client.publish("meanwhile", b"2")
                assert [(await one.next())["data"] for _ in range(2)] == [1, 2]
                assert (await two.next())["data"] == 1
        await eventually(lambda: server.subscriptions() == [])


async def test_a_subscription_the_server_denies_is_refused_before_any_acknowledgement(
    tmp_path: Path, log: Path
) -> None:
    config = """
        authorization { users: [
            { user: gateway, password: pw, permissions: { subscribe: { deny: "secret.>" } } }
            { user: other, password: pw }
        ] }
        no_auth_user: other
    """
    with running(NatsServer(tmp_path, config)) as server:
        service = Gateway(server.url.replace("//", "//gateway:pw@"), log=log)
        with running(service):
            async with Browser(service.stream) as browser, Browser(service.stream) as bystander:
                await bystander.subscribe("open.*")
                await browser.send({"subjects": ["secret.Plan", "open.plan"], "id": 1})
                answers = [await browser.next(), await browser.next()]
                assert [each["subjects"] for each in answers] == [["open.plan"], ["secret.Plan"]]
                assert answers[1]["code"] == "denied"
                assert server.subscriptions() == ["open.*", "open.plan"]
                with RawNats(server.port) as client:
                    client.publish("open.plan", b"1")
                    assert (await bystander.next())["data"] == (await browser.next())["data"] == 1


async def test_a_denied_subject_costs_one_that_differs_in_case_nothing(
    tmp_path: Path, log: Path
) -> None:
    with running(NatsServer(tmp_path, RESTRICTED.format(denied='"SECRET.>"'))) as server:
        url = server.url.replace("//", "//gateway:pw@")
        with running(Gateway(url, log=log)) as service:
            async with Browser(service.stream) as stranger, Browser(service.stream) as follower:
                await follower.subscribe("secret.a")
                answer = await stranger.ask({"subjects": ["SECRET.A"]})
                assert answer["code"] == "denied"
                await follower.quiet()
                with RawNats(server.port) as client:
                    client.publish("secret.a", b"1")
                assert (await follower.next())["data"] == 1


async def test_not_one_of_many_denied_subjects_is_acknowledged(tmp_path: Path, log: Path) -> None:
    generous = {"requests_per_second": 10000, "request_burst": 10000}
    with running(NatsServer(tmp_path, RESTRICTED.format(denied='"secret.>"'))) as server:
        url = server.url.replace("//", "//gateway:pw@")
        with running(Gateway(url, log=log, **generous)) as service:

            async def ask(browser: Browser, who: str) -> None:
                for number in range(100):
                    subjects = [f"secret.{who}.{number}", f"open.{who}.{number}"]
                    await browser.send({"subjects": subjects, "id": number})
                    accepted, refused = await browser.next(), await browser.next()
                    assert (accepted["subjects"], accepted["id"]) == ([subjects[1]], number)
                    assert (refused["subjects"], refused["code"]) == ([subjects[0]], "denied")

            async with (
                Browser(service.stream) as one,
                Browser(service.stream) as two,
                Browser(service.stream) as bystander,
            ):
                await bystander.subscribe("open.*.0")
                # Both at once: an error of the server is for one of them, and for that subject.
                with within(DENIED, "200 denied subjects, and as many accepted ones"):
                    await asyncio.gather(ask(one, "one"), ask(two, "two"))
                assert len(server.subscriptions()) == 201
                with RawNats(server.port) as client:
                    client.publish("secret.one.0", b"1")
                    client.publish("open.one.0", b"2")
                assert (await one.next())["data"] == (await bystander.next())["data"] == 2
                await two.quiet()
                await bystander.quiet()
            assert service.figures()["bridge_nats_reconnects_total"] == 0
            await eventually(lambda: "denies a SUB or PUB (1 in" in service.output())
            assert service.output().lower().count("permissions violation") == 1, (
                "not a line for each"
            )


RESTRICTED = """
    authorization {{ users: [
        {{ user: gateway, password: pw, permissions: {{ subscribe: {{ deny: [{denied}] }} }} }}
        {{ user: other, password: pw }}
    ] }}
    no_auth_user: other
"""


async def test_denied_subjects_that_the_server_spells_in_its_own_way_are_refused(
    tmp_path: Path, log: Path
) -> None:
    with running(NatsServer(tmp_path, RESTRICTED.format(denied='"secret.>"'))) as server:
        with running(Gateway(server.url.replace("//", "//gateway:pw@"), log=log)) as service:
            async with Browser(service.stream) as browser:
                for subject in ('secret."x', "secret.a\\b", "secret.\u200bz", "secret.\U000e0001"):
                    answer = await browser.ask({"subjects": [subject]})
                    assert answer.get("code") == "denied", subject
                assert server.subscriptions() == []


async def test_a_permission_that_is_taken_away_is_told_to_its_followers_alone(
    tmp_path: Path, log: Path
) -> None:
    with running(NatsServer(tmp_path, RESTRICTED.format(denied='"none"'))) as server:
        with running(Gateway(server.url.replace("//", "//gateway:pw@"), log=log)) as service:
            async with (
                Browser(service.stream) as one,
                Browser(service.stream) as two,
                Browser(service.stream) as bystander,
            ):
                await one.subscribe("later.denied", "open")
                await two.subscribe("later.denied")
                await bystander.subscribe("open")
                with within(PATIENCE, "a permission that is taken away: its followers are told"):
                    server.reload(RESTRICTED.format(denied='"later.>"'))
                    for each in (one, two):
                        answer = await each.next()
                        assert (answer["code"], answer["subjects"]) == ("denied", ["later.denied"])
                await bystander.quiet()
                again = await bystander.ask({"subjects": ["later.denied"]})
                assert again["code"] == "denied"
                with RawNats(server.port) as client:
                    client.publish("later.denied", b"1")
                    client.publish("open", b"2")
                assert (await one.next())["data"] == (await bystander.next())["data"] == 2
                await two.quiet()
                assert server.subscriptions() == ["open"]
                assert service.figures()["bridge_nats_reconnects_total"] == 0


async def test_a_denied_publish_costs_nobody_anything(tmp_path: Path, log: Path) -> None:
    config = RESTRICTED.format(denied='"none"').replace(
        "permissions: {", 'permissions: { publish: { deny: "test.>" },'
    )
    with running(NatsServer(tmp_path, config)) as server:
        url = server.url.replace("//", "//gateway:pw@")
        with running(Gateway(url, log=log, publish_test_messages=True)) as service:
            async with Browser(service.stream) as browser:
                await browser.subscribe("open")
                await eventually(lambda: "Permissions Violation for Publish" in service.output())
                await browser.quiet()
                assert "lost" not in service.output()


async def test_a_server_that_answers_nonsense_is_tried_again(tmp_path: Path, log: Path) -> None:
    server = NatsServer(tmp_path)
    service = Gateway(server.url, log=log)
    with socket.create_server(("127.0.0.1", server.port)) as nonsense:
        service.launch()
        nonsense.settimeout(PATIENCE)
        for answer in (b"INFO\r\n", b"INFO " + b"x" * 70000 + b"\r\n", b"-ERR\r\n", b"\xff\r\n"):
            connection = (await asyncio.to_thread(nonsense.accept))[0]
            with connection:
                connection.sendall(answer)
    with running(server):
        await eventually(lambda: http(f"{service.url}/readyz")[0] == 200)
        async with Browser(service.stream) as browser:
            await browser.subscribe("back")
        assert service.stop() == 0


async def test_too_many_subscriptions_for_the_server_are_refused_and_end_nothing(
    tmp_path: Path, log: Path
) -> None:
    with running(NatsServer(tmp_path, f"max_subscriptions: {5 + OWN_SUBSCRIPTIONS}")) as server:
        with running(Gateway(server.url, log=log)) as service:
            async with Browser(service.stream) as browser:
                await browser.send({"subjects": [f"s.{n}" for n in range(7)]})
                answers = [await browser.next() for _ in range(3)]
                assert answers[0]["subjects"] == [f"s.{n}" for n in range(5)]
                assert [each["code"] for each in answers[1:]] == ["limit", "limit"]
                with RawNats(server.port) as client:
                    client.publish("s.4", b"1")
                    assert (await browser.next())["data"] == 1
                await browser.ask({"subjects": ["s.0"], "action": "unsubscribe"})
                await browser.subscribe("s.6")


async def test_the_test_publisher_goes_on_after_an_outage(tmp_path: Path, log: Path) -> None:
    server = NatsServer(tmp_path)
    with running(server):
        with running(Gateway(server.url, log=log, publish_test_messages=True)) as service:
            async with Browser(service.stream) as browser:
                await browser.subscribe("test.subject")
                assert (await browser.next())["subject"] == "test.subject"
                server.stop()
                while await browser.next() != DOWN:
                    pass
                await eventually(
                    lambda: (
                        "publish_periodically_for_test fails: NATS is not reachable"
                        in service.output()
                    )
                )
                server.start()
                assert await browser.next() == UP
                assert (await browser.next())["subject"] == "test.subject"


async def test_a_nats_that_is_named_gets_no_test_messages(tmp_path: Path, log: Path) -> None:
    with running(NatsServer(tmp_path)) as server:
        with running(Gateway(server.url, log=log, publish_test_messages=None)) as service:
            async with Browser(service.stream) as browser:
                await browser.subscribe("test.subject")
                # The canary publishes every two seconds: by then there would be some.
                await eventually(lambda: sum(each["in_msgs"] for each in server.connections()) > 2)
                await browser.quiet()


async def test_a_subscribe_that_nats_does_not_answer_leaves_no_trace(
    tmp_path: Path, log: Path
) -> None:
    with running(NatsServer(tmp_path)) as server, running(Gateway(server.url, log=log)) as service:
        async with Browser(service.stream) as browser:
            server.freeze()
            answer = await browser.ask({"subjects": ["lost"], "id": "l"})
            assert answer["code"] == "nats_down"
            await browser.ask({"subjects": ["lost"], "action": "unsubscribe"})
            server.thaw()
            await browser.subscribe("found")
            await eventually(lambda: server.subscriptions() == ["found"])
            with RawNats(server.port) as client:
                await asyncio.to_thread(client.publish, "found", b"1")
                assert (await browser.next())["data"] == 1


def test_a_server_that_hangs_up_instead_of_an_answer_is_tried_again(
    tmp_path: Path, log: Path
) -> None:
    server = NatsServer(tmp_path)
    service = Gateway(server.url, log=log)
    with socket.create_server(("127.0.0.1", server.port)) as rude:
        service.launch()
        connection, _address = rude.accept()
        with connection:
            connection.sendall(b'INFO {"server_id":"x","version":"2.12.0"}\r\n')
            while b"PING" not in connection.recv(4096):
                pass
        until(lambda: "ended the connection instead of signing in" in service.output())
        assert "(connected)" not in service.output()
    with running(server):
        until(lambda: http(f"{service.url}/readyz")[0] == 200)
        assert service.stop() == 0
