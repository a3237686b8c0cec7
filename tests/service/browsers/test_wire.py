"""The wire: greeting, acknowledgements, refusals, and every kind of payload."""

from __future__ import annotations

import base64
import json
import re

import pytest

from tests.support.browser_client import Browser
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway


async def test_greeting_has_the_tutorials_text_and_an_unguessable_connection_id(
    gateway: Gateway,
) -> None:
    async with Browser(gateway.stream) as one, Browser(gateway.stream) as other:
        assert re.fullmatch(r"[0-9a-f]{32}", one.connection_id)
        assert one.connection_id != other.connection_id


async def test_greeting_letter_for_letter(gateway: Gateway) -> None:
    browser = Browser(gateway.stream)
    async with browser._connect as ws:
        text = await ws.recv()
    head = r'\{"success":true,"data":"Successfully connected","connection_id":"[0-9a-f]{32}"'
    assert re.fullmatch(head + r',"history":true\}', text)


async def test_subscribe_is_acknowledged_with_the_tutorials_text(gateway: Gateway) -> None:
    async with Browser(gateway.stream) as browser:
        answer = await browser.ask({"subjects": ["test.subject", "orders.*"]})
        assert answer == {
            "success": True,
            "message": "Successfully connected to events: 'test.subject', 'orders.*'",
            "action": "subscribe",
            "subjects": ["test.subject", "orders.*"],
        }


async def test_unsubscribe_is_acknowledged_for_each_subject(gateway: Gateway) -> None:
    async with Browser(gateway.stream) as browser:
        await browser.subscribe("a", "b")
        await browser.send({"subjects": ["a", "b"], "action": "unsubscribe", "id": 7})
        for subject in ("a", "b"):
            assert await browser.next() == {
                "success": True,
                "message": f"Successfully unsubscribed from event: {subject}",
                "action": "unsubscribe",
                "subjects": [subject],
                "id": 7,
            }


async def test_a_ping_is_answered_at_once_and_counted(gateway: Gateway) -> None:
    before = gateway.figures()
    async with Browser(gateway.stream) as browser:
        pong = {"success": True, "message": "pong", "action": "pong", "subjects": []}
        assert await browser.ask({"action": "ping"}) == pong
        assert await browser.ask({"action": "ping", "id": 7}) == pong | {"id": 7}
        await browser.send("ping")
        refusal = await browser.next()
        assert refusal["code"] == "bad_request"
        assert refusal["message"].endswith('A ping is {"action": "ping"}.')
    after = gateway.figures()
    counted = 'bridge_requests_total{action="ping"}', 'bridge_requests_total{action="bad"}'
    assert [after[name] - before[name] for name in counted] == [2, 1]


@pytest.mark.parametrize("spelling", ['"x"', "1.0", "9007199254740993", "-0", "1e3", '"\\u00e9"'])
async def test_id_is_echoed_as_it_was_written(gateway: Gateway, spelling: str) -> None:
    async with Browser(gateway.stream) as browser:
        for request in (
            '{"subjects":["s"],"id":%s}',
            '{"subjects":["s..s"],"id":%s}',
            '{"subjects":["s"],"action":"unsubscribe","id":%s}',
            '{"action":"dance","subjects":["s"],"id":%s}',
        ):
            await browser.send(request % spelling)
            assert (await browser.frame()).endswith(f',"id":{spelling}}}')


REFUSED = [
    ({"subjects": ["a..b"]}, "bad_subject", "'a..b' is not a valid subject: a token is empty"),
    ({"subjects": ["$SYS.>"]}, "denied", "'$SYS.>' may not be followed here."),
    ({"subjects": ["_INBOX.x"]}, "denied", "'_INBOX.x' may not be followed here."),
    (
        {"subjects": ["never"], "action": "unsubscribe"},
        "not_subscribed",
        "The user did not subscribe to event never",
    ),
    (
        {"subjects": ["a"], "action": "watch"},
        "bad_request",
        "The user has to specify action in message ('subscribe' or 'unsubscribe'), "
        "got watch instead",
    ),
    ({"action": "subscribe"}, "bad_request", "subjects required"),
    ({"subjects": []}, "bad_request", "subjects has to hold 1 to 128 subjects, got 0."),
    ({"subjects": ["a"] * 129}, "bad_request", "subjects has to hold 1 to 128 subjects, got 129."),
    ({"subjects": 5}, "bad_request", "subjects has to be a list of strings, or one string."),
    ({"subjects": ["a", 5]}, "bad_request", "subjects has to be a list of strings"),
    ({"subjects": ["a"], "id": None}, "bad_request", "id has to be a string or a number."),
    (["a"], "bad_request", "A request is a JSON object with 'subjects'."),
    ("{bad json", "bad_request", "The request is not valid JSON."),
    ('{"subjects": ["\\ud800"]}', "bad_request", "The request is not valid JSON."),
]


@pytest.mark.parametrize(("request_", "code", "sentence"), REFUSED, ids=range(len(REFUSED)))
async def test_refusal_has_code_and_sentence_and_ends_nothing(
    gateway: Gateway, raw_nats: RawNats, request_: object, code: str, sentence: str
) -> None:
    async with Browser(gateway.stream) as browser:
        await browser.subscribe("still.here")
        answer = await browser.ask(request_)
        assert answer["success"] is False
        assert answer["code"] == code
        assert answer["message"].startswith(sentence)
        assert isinstance(answer["subjects"], list)
        raw_nats.publish("still.here", b"1")
        assert await browser.next() == {"subject": "still.here", "data": 1}


async def test_each_refused_subject_has_its_own_response_and_the_rest_goes_ahead(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    async with Browser(gateway.stream) as browser:
        await browser.send({"subjects": ["good", "b a d", "$SYS.x"], "id": 1})
        answers = [await browser.next() for _ in range(3)]
        assert [answer["subjects"] for answer in answers] == [["good"], ["b a d"], ["$SYS.x"]]
        assert [answer.get("code") for answer in answers] == [None, "bad_subject", "denied"]
        raw_nats.publish("good", b"1")
        assert await browser.next() == {"subject": "good", "data": 1}


async def test_one_string_is_one_subject(gateway: Gateway) -> None:
    async with Browser(gateway.stream) as browser:
        assert (await browser.ask({"subjects": "abc"}))["subjects"] == ["abc"]


async def test_subscribing_twice_is_harmless(gateway: Gateway, raw_nats: RawNats) -> None:
    async with Browser(gateway.stream) as browser:
        await browser.subscribe("twice", "twice")
        await browser.subscribe("twice")
        raw_nats.publish("twice", b"1")
        assert await browser.next() == {"subject": "twice", "data": 1}
        await browser.quiet()


async def test_more_patterns_than_allowed_are_refused(gateway: Gateway) -> None:
    async with Browser(gateway.stream) as browser:
        await browser.subscribe(*(f"many.{n}" for n in range(128)))
        answer = await browser.ask({"subjects": ["one.more"]})
        assert answer["code"] == "limit"
        assert "128" in answer["message"]


DEEP = b"[" * 100000 + b"]" * 100000
PAYLOADS = [
    (b'{"a": 1.0, "b": 9007199254740993}', '{"a": 1.0, "b": 9007199254740993}', None),
    (b"[1,2]", "[1,2]", None),
    (b"1e999", "1e999", None),
    (b'"text"', '"text"', None),
    (b"null", "null", None),
    (b" true ", " true ", None),
    ('"ü€😀"'.encode(), '"ü€😀"', None),
    (b'{\n "a": 1\n}', '{\n "a": 1\n}', None),
    (b"hello", '"hello"', "text"),
    ("grüße".encode(), '"grüße"', "text"),
    (b'say "hi"\n\x01', json.dumps('say "hi"\n\x01'), "text"),
    (b"", '""', "text"),
    (b"NaN", '"NaN"', "text"),
    (b'{"a":Infinity}', '"{\\"a\\":Infinity}"', "text"),
    (b'"\\ud800"', '"\\"\\\\ud800\\""', "text"),
    (b'1}{"dropped":9', '"1}{\\"dropped\\":9"', "text"),
    (b"\xff\x00", '"/wA="', "base64"),
    (b'"\xff"', json.dumps(base64.b64encode(b'"\xff"').decode()), "base64"),
    (b'"' + b"x" * 1048574 + b'"', '"' + "x" * 1048574 + '"', None),
    (b"\xff" * 1048576, json.dumps(base64.b64encode(b"\xff" * 1048576).decode()), "base64"),
]


@pytest.mark.parametrize(("payload", "data", "encoding"), PAYLOADS, ids=range(len(PAYLOADS)))
async def test_payload_arrives_as_it_was_published(
    gateway: Gateway, raw_nats: RawNats, payload: bytes, data: str, encoding: str | None
) -> None:
    async with Browser(gateway.stream) as browser:
        await browser.subscribe("kinds.*")
        raw_nats.publish("kinds.one", payload)
        tail = f',"encoding":"{encoding}"' if encoding else ""
        assert await browser.frame() == f'{{"subject":"kinds.one","data":{data}{tail}}}'


async def test_deeply_nested_json_is_delivered_and_refused_without_harm(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    # How deep is too deep depends on the Python version; what is too deep is text.
    async with Browser(gateway.stream) as browser:
        await browser.subscribe("deep")
        raw_nats.publish("deep", DEEP)
        frame = await browser.frame()
        assert frame in (
            f'{{"subject":"deep","data":{DEEP.decode()}}}',
            f'{{"subject":"deep","data":"{DEEP.decode()}","encoding":"text"}}',
        )
        answer = await browser.ask('{"subjects":' + DEEP[:30000].decode())
        assert answer["code"] == "bad_request"
        answer = await browser.ask('{"subjects":' + DEEP[:30000].decode() + "]" * 30000 + "}")
        assert answer["code"] == "bad_request"


async def test_message_with_a_reply_subject_is_delivered_and_never_answered(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    async with Browser(gateway.stream) as browser:
        await browser.subscribe("service.echo", "answers.here")
        raw_nats.publish("service.echo", b'{"question":1}', reply="answers.here")
        assert await browser.next() == {"subject": "service.echo", "data": {"question": 1}}
        await browser.quiet()


async def test_denied_subjects_are_not_delivered_under_a_wildcard(
    gateway: Gateway, raw_nats: RawNats
) -> None:
    async with Browser(gateway.stream) as browser:
        await browser.subscribe(">")
        for subject in ("_INBOX.secret", "$JS.API.INFO", "panini_events.x.started", "fine"):
            raw_nats.publish(subject, b"1")
        assert await browser.next() == {"subject": "fine", "data": 1}
        await browser.quiet()


@pytest.mark.parametrize(
    ("batch", "between", "pretty"),
    [("1", "\n", '{ "pretty":  1}'), ("2", "\x1e", '{\n"pretty":\r\n1}')],
)
async def test_batch_frames_hold_several_objects(
    gateway: Gateway, raw_nats: RawNats, batch: str, between: str, pretty: str
) -> None:
    payloads = [b"%d" % n for n in range(1000)]
    payloads[500] = b'{\n"pretty":\r\n1}'
    async with Browser(f"{gateway.stream}?batch={batch}") as browser:
        await browser.subscribe("batched")
        raw_nats.send(b"".join(RawNats.command(b"batched", each) for each in payloads))
        frames, lines = 0, []
        while len(lines) < len(payloads):
            text = await browser.frame()
            assert len(text.encode()) <= 65536
            frames += 1
            lines += text.split(between)
        assert [json.loads(line)["data"] for line in lines] == [json.loads(p) for p in payloads]
        assert lines[500] == f'{{"subject":"batched","data":{pretty}}}'
        assert frames < len(payloads) / 2


@pytest.mark.parametrize(("query", "kept"), [("", True), ("?batch=1", False), ("?batch=2", True)])
async def test_line_breaks_of_a_payload_stay_also_beside_metadata(
    gateway: Gateway, raw_nats: RawNats, query: str, kept: bool
) -> None:
    async with Browser(gateway.stream + query) as browser:
        await browser.ask({"subjects": ["pretty"], "meta": ["time"], "id": 1})
        raw_nats.publish("pretty", b"[\n1]")
        assert (await browser.frame()).endswith(',"data":[\n1]}' if kept else ',"data":[ 1]}')
