"""What goes over the wire, for any input."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.wire import envelope, frames, responses
from bridge.wire.envelope import Message
from bridge.wire.requests import parse_request
from bridge.wire.responses import Refusal

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.text(min_size=1, max_size=40), st.binary(max_size=200))
@example("a", b'1}{"dropped":9')
@example("a", b'{"subject":"forged"}')
@example("a", b"NaN")
@example("a", b"-Infinity")
@example("a", b'"\xed\xa0\x80"')
def test_payload_bytes_never_change_anything_but_data(subject: str, payload: bytes) -> None:
    message = Message(subject, payload)
    envelope = json.loads(message.line, parse_constant=pytest.fail)
    assert list(envelope)[:2] == ["subject", "data"]
    assert set(envelope) <= {"subject", "data", "encoding"}
    assert envelope["subject"] == subject
    assert b"\n" not in message.line
    if envelope.get("encoding") == "base64":
        assert base64.b64decode(envelope["data"]) == payload
    elif envelope.get("encoding") == "text":
        assert envelope["data"].encode() == payload
    else:
        assert envelope["data"] == json.loads(payload)
    assert message.data == envelope["data"]


@given(JSON, st.sampled_from([None, 1]))
def test_json_payloads_keep_their_bytes(value: object, indent: int | None) -> None:
    payload = json.dumps(value, indent=indent, ensure_ascii=False).encode(errors="ignore")
    message = Message("a", payload)
    assert message.frame.endswith(b'{"subject":"a","data":' + payload + b"}")
    assert json.loads(message.line)["data"] == json.loads(payload)


PIECES = b'1|,|,\n|\n|\r| |[|]|{|}|"|"a":|null|\xc3\xbc|\xff'.split(b"|")
PIECES_OF_JSON = st.lists(st.sampled_from(PIECES), max_size=5).map(b"".join)


@given(st.lists(PIECES_OF_JSON | st.just(b'{"a":1}'), min_size=1, max_size=6))
def test_messages_encoded_together_are_those_encoded_alone(payloads: list[bytes]) -> None:
    alone = envelope.Envelope("a")
    assert alone.frames(payloads) == [alone.frames([each])[0] for each in payloads]
    assert alone.lines(payloads) == [alone.lines([each])[0] for each in payloads]


@pytest.mark.parametrize(
    "payloads",
    [
        [b"1,2", b"[3", b"4]"],
        [b"[1", b"2]", b"3,\n4"],
        [b"", b"1,2"],
        [b"1", b"2,", b'"a\xff"'],
        [b"[" * 2000 + b"]" * 2000, b"1"],
    ],
)
def test_payloads_that_make_sense_only_together_are_not_taken_for_json(
    payloads: list[bytes],
) -> None:
    for frame, payload in zip(envelope.Envelope("a").frames(payloads), payloads, strict=True):
        data = json.loads(unframed(frame)[0])
        assert ("encoding" in data) == (envelope._as_json([payload]) is None)


def test_data_of_a_payload_too_deep_for_python_is_its_text() -> None:
    payload = b"[" * 900 + b"]" * 900

    def at_depth(levels: int) -> object:
        return at_depth(levels - 1) if levels else Message("a", payload).data

    data = at_depth(150)
    assert data == payload.decode() or data == json.loads(payload)


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
        assert request.action in ("subscribe", "unsubscribe")
        assert 1 <= len(request.subjects) <= 128


@given(
    st.lists(st.text(), min_size=1, max_size=128, unique=True),
    st.sampled_from(["subscribe", "unsubscribe"]),
    st.none() | st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
)
def test_well_formed_requests_are_read_as_they_are(
    subjects: list[str], action: str, request_id: object
) -> None:
    text = json.dumps(
        {"subjects": subjects, "action": action, "unknown": [1]}
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


def unframed(data: bytes) -> list[bytes]:
    """Return the payloads of unmasked text frames (RFC 6455, section 5.2)."""
    payloads = []
    while data:
        assert data[0] == 0x81
        size, start = data[1], 2
        if size == 126:
            size, start = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(data[2:10], "big"), 10
        payloads.append(data[start : start + size])
        data = data[start + size :]
    return payloads


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70000])
def test_text_frame_has_the_length_the_standard_asks_for(size: int) -> None:
    assert unframed(frames.text_frame(b"x" * size)) == [b"x" * size]


@given(st.lists(st.integers(1, 40), max_size=30))
def test_batch_frames_hold_every_line_in_order_within_the_limit(sizes: list[int]) -> None:
    lines = [b"%d" % (n % 10) * size for n, size in enumerate(sizes)]
    written = unframed(frames.batch_frames(lines, most=64))
    assert [line for frame in written for line in frame.split(b"\n")] == lines
    assert all(len(frame) <= 64 for frame in written)


def test_a_line_over_the_limit_has_a_frame_of_its_own() -> None:
    lines = [b"a", b"x" * 100, b"b"]
    assert unframed(frames.batch_frames(lines, most=64)) == lines
