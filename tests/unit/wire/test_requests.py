"""Requests, for any input."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire import responses
from bridge.wire.requests import parse_request
from bridge.wire.responses import Refusal
from bridge.wire.wants import PLAIN, Wants
from tests.unit.wire.test_envelope import JSON


@given(st.text() | st.binary() | JSON.map(json.dumps))
def test_any_request_is_read_or_refused_with_a_sentence(text: str | bytes) -> None:
    try:
        request = parse_request(text)
    except Refusal as refusal:
        response = json.loads(refusal.line())
        assert response["success"] is False
        assert response["code"] == "bad_request"
        assert response["message"]
    else:
        assert request.action in ("subscribe", "unsubscribe", "ping")
        assert 1 <= len(request.subjects) <= 128 or request.action == "ping"


@given(
    st.lists(st.text(), min_size=1, max_size=128, unique=True),
    st.sampled_from(["subscribe", "unsubscribe"]),
    st.none()
    | st.text(max_size=30)
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False),
)
def test_well_formed_requests_are_read_as_they_are(
    subjects: list[str], action: str, request_id: object
) -> None:
    text = json.dumps(
        {"subjects": subjects, "action": action}
        | ({} if request_id is None else {"id": request_id})
    )
    if any(0xD800 <= ord(char) <= 0xDFFF for char in "".join([*subjects, str(request_id)])):
        return
    request = parse_request(text)
    assert request.subjects == tuple(subjects)
    assert request.action == action
    for line in (
        responses.subscribed(request.subjects, request.id),
        responses.unsubscribed(request.subjects[0], request.id),
        Refusal("denied", "no", request.subjects, request.id).line(),
    ):
        assert json.loads(line).get("id") == request_id


def test_connection_id_has_to_be_a_string() -> None:
    with pytest.raises(Refusal, match="connection_id"):
        parse_request('{"subjects": ["a"], "connection_id": 5}')
    assert parse_request('{"subjects": ["a"], "connection_id": "x"}').connection_id == "x"


def test_long_actions_are_cut_in_the_answer() -> None:
    with pytest.raises(Refusal) as refusal:
        parse_request(json.dumps({"subjects": ["a"], "action": "x" * 60000}))
    assert len(str(refusal.value)) < 250


@pytest.mark.parametrize("field", ["action", "subjects", "id", "connection_id", "token", "more"])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_however_deep_it_is_nested_a_request_is_refused_or_read(field: str, brackets: str) -> None:
    opening = "[" if brackets == "[]" else '{"a":'
    for depth in [1, 2, 10, 500, *range(960, 1040), 5000]:
        value = opening * depth + "1" + brackets[1] * depth
        request = {"subjects": '["a"]', "action": '"subscribe"'} | {field: value}
        text = ",".join(f'"{name}":{each}' for name, each in request.items())
        try:
            parse_request("{" + text + "}")
        except Refusal as refusal:
            assert len(refusal.line()) < 400


@pytest.mark.parametrize("request_id", ['"%s"', "%s"])
@pytest.mark.parametrize("subjects", ['["a"]', "5"])
def test_an_id_is_bounded_since_each_answer_repeats_it(request_id: str, subjects: str) -> None:
    longest = request_id % ("7" * (200 - len(request_id) + 2))
    with pytest.raises(Refusal, match="200 bytes") as refused:
        parse_request(f'{{"subjects": {subjects}, "id": {longest.replace("7", "77", 1)}}}')
    assert len(refused.value.line()) < 200
    if subjects != "5":
        request = parse_request(f'{{"subjects": {subjects}, "id": {longest}}}')
        assert request.id == longest.encode()


@pytest.mark.parametrize(
    ("text", "request_id", "connection_id"),
    [
        ('{"action": "ping"}', b"", None),
        ('{"id": 7, "action": "ping"}', b"7", None),
        ('{"action":"ping","id":"x"}', b'"x"', None),
        (b'{"action": "ping", "connection_id": "c"}', b"", "c"),
    ],
)
def test_a_ping_needs_nothing_but_its_name(
    text: str | bytes, request_id: bytes, connection_id: str | None
) -> None:
    request = parse_request(text)
    assert (request.action, request.subjects) == ("ping", ())
    assert (request.id, request.connection_id) == (request_id, connection_id)


@pytest.mark.parametrize(
    "text",
    ["ping", "PING", " ping\n", '"ping"', b"ping", b'"Ping"', '{"type":"ping"}']
    + [json.dumps({"action": "ping", "subjects": each}) for each in ([], "a", ["a"], None)]
    + ['{"action":"ping","connection_id":5}'],
)
def test_what_is_meant_as_a_ping_is_told_how_one_is_written(text: str | bytes) -> None:
    with pytest.raises(Refusal) as refusal:
        parse_request(text)
    assert str(refusal.value).endswith('A ping is {"action": "ping"}.')
    assert refusal.value.code == "bad_request"


@pytest.mark.parametrize("text", ["pong", "pin", "", "pinging", '{"type":"pong"}', '"', "[1]", "{"])
def test_what_is_no_ping_is_told_something_else(text: str) -> None:
    with pytest.raises(Refusal) as refusal:
        parse_request(text)
    assert "ping" not in str(refusal.value)


@pytest.mark.parametrize("key", ["metas", "subject", "type", "", "x" * 500])
def test_a_key_that_nobody_knows_is_refused_with_those_that_are_known(key: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_request(json.dumps({"subjects": ["a"], "id": 7, key: "x"}))
    assert refused.value.request_id == b"7"
    assert str(refused.value).endswith(
        "Its keys are subjects, action, id, connection_id, token, meta, max_rate, history, stream."
    )
    assert len(str(refused.value)) < 200


def test_options_are_those_of_following() -> None:
    request = parse_request('{"subjects": ["a"], "meta": ["headers"]}')
    assert request.wants == Wants(("headers",))
    assert parse_request('{"subjects": ["a"], "meta": null}').wants is PLAIN
    with pytest.raises(Refusal, match="meta has to be"):
        parse_request('{"subjects": ["a"], "meta": "headers"}')
    with pytest.raises(Refusal, match="'meta' belongs to subscribe"):
        parse_request('{"subjects": ["a"], "meta": ["headers"], "action": "unsubscribe"}')


@pytest.mark.parametrize("rate", ["0.01", "2", "2.0", "1e2", "100.0"])
def test_a_rate_is_a_number_from_a_hundredth_to_a_hundred(rate: str) -> None:
    request = parse_request(f'{{"subjects": ["a"], "max_rate": {rate}}}')
    assert request.wants == Wants(max_rate=float(rate))


@pytest.mark.parametrize(
    "rate", ["0", "0.009", "-1", "100.1", "1e30", "true", '"2"', "[2]", "{}", "9" * 400]
)
def test_what_is_no_rate_is_refused_with_what_is_one(rate: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_request(f'{{"subjects": ["a"], "max_rate": {rate}, "id": 1}}')
    assert str(refused.value) == "max_rate has to be a number from 0.01 to 100."
    assert refused.value.request_id == b"1"


def test_a_rate_belongs_to_subscribe_and_goes_with_the_rest() -> None:
    with pytest.raises(Refusal, match="'max_rate' belongs to subscribe"):
        parse_request('{"subjects": ["a"], "max_rate": 2, "action": "unsubscribe"}')
    request = parse_request('{"subjects": "a", "max_rate": 2, "meta": ["time"]}')
    assert request.wants == Wants(("time",), 2.0)
    assert parse_request('{"subjects": "a", "max_rate": null}').wants is PLAIN
