"""A message on our wire, for any payload."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.wire import envelope
from bridge.wire.envelope import Message
from bridge.wire.framing import BATCH, FRAMES, RECORDS
from tests.unit.wire.test_frames import unframed

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
    envelope = json.loads(BATCH.piece(message), parse_constant=pytest.fail)
    assert list(envelope)[:2] == ["subject", "data"]
    assert set(envelope) <= {"subject", "data", "encoding"}
    assert envelope["subject"] == subject
    assert b"\n" not in BATCH.piece(message)
    assert b"\x1e" not in RECORDS.piece(message)
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
    assert FRAMES.piece(message).endswith(b'{"subject":"a","data":' + payload + b"}")
    assert RECORDS.piece(message) == b'{"subject":"a","data":' + payload + b"}"
    assert json.loads(BATCH.piece(message))["data"] == json.loads(payload)


PIECES = b'1|,|,\n|\n|\r| |[|]|{|}|"|"a":|null|\xc3\xbc|\xff'.split(b"|")
PIECES_OF_JSON = st.lists(st.sampled_from(PIECES), max_size=5).map(b"".join)


@given(st.lists(PIECES_OF_JSON | st.just(b'{"a":1}'), min_size=1, max_size=6))
def test_messages_encoded_together_are_those_encoded_alone(payloads: list[bytes]) -> None:
    alone = envelope.Envelope("a")
    assert alone.frames(payloads) == [alone.frames([each])[0] for each in payloads]
    assert alone.lines(payloads) == [alone.lines([each])[0] for each in payloads]
    assert alone.records(payloads) == [alone.records([each])[0] for each in payloads]


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


@pytest.mark.parametrize(
    "payload", [b"1" * 5000, b"-" + b"7" * 4301, b'{"a":[%b]}' % (b"1" * 9999)]
)
def test_data_of_an_integer_too_long_for_python_is_its_text(payload: bytes) -> None:
    assert Message("a", payload).data == payload.decode()
