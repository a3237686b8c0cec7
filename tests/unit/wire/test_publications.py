"""What browsers want published, for any input."""

from __future__ import annotations

import base64
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.metadata import read_headers
from bridge.wire.publications import EXPECTED, MESSAGE_ID, PublicationError, header_lines
from bridge.wire.requests import parse_request
from bridge.wire.responses import Refusal
from tests.unit.wire.test_envelope import JSON


def read(**request: object):
    """Return the publication of a request with these keys."""
    asked = {"action": "publish", "subject": "a", **request}
    publication = parse_request(json.dumps(asked)).publication
    assert publication is not None
    return publication


def fault(**request: object) -> str:
    """Return why a request is refused."""
    with pytest.raises(Refusal) as refused:
        read(**{"id": 7, **request})
    assert refused.value.code == "bad_request"
    assert refused.value.request_id == b"7"
    return str(refused.value)


@pytest.mark.parametrize(
    "data",
    [
        "1.0",
        "1.50",
        "1e400",
        "-0",
        '{"b": 1,  "a":\t2 , "b": 3}',
        '"\\u00e9 é"',
        "null",
        "[ ]",
        '""',
    ],
)
@pytest.mark.parametrize("as_bytes", [False, True])
def test_json_is_sent_as_it_stands_in_the_request(data: str, as_bytes: bool) -> None:
    text = '{"action": "publish", "data": %s , "subject": "a"}' % data  # noqa: UP031
    request = parse_request(text.encode() if as_bytes else text)
    assert request.publication is not None
    assert request.publication.payload == data.encode()
    assert request.subjects == ("a",)


@given(JSON)
def test_any_json_comes_back_as_the_same_value(value: object) -> None:
    assert json.loads(read(data=value).payload) == value


@given(st.text().filter(lambda text: text.isprintable()), st.binary())
def test_text_and_bytes_are_sent_as_they_are(text: str, data: bytes) -> None:
    assert read(data=text, encoding="text").payload == text.encode()
    assert read(data=base64.b64encode(data).decode(), encoding="base64").payload == data


def test_what_is_left_out_is_empty() -> None:
    assert read().payload == read(encoding="text").payload == read(encoding="base64").payload == b""
    assert read(data="", encoding="text").payload == b""
    assert read().headers == b""


@pytest.mark.parametrize(
    ("request_keys", "said"),
    [
        ({"subject": 5}, "subject has to be a string."),
        ({"subject": None}, "subject has to be a string."),
        ({"data": 5, "encoding": "text"}, "data has to be a string of text."),
        ({"data": "a", "encoding": "base64"}, "data has to be a string of base64."),
        ({"data": "YQ==\n", "encoding": "base64"}, "data has to be a string of base64."),
        ({"data": "é", "encoding": "base64"}, "data has to be a string of base64."),
        ({"data": "a", "encoding": "hex"}, "encoding has to be 'text' or 'base64'."),
        ({"encoding": ["text"]}, "encoding has to be 'text' or 'base64'."),
        ({"ack": 1}, "ack has to be true or false."),
        ({"msg_id": ""}, "msg_id has to be a string that is not empty."),
        ({"msg_id": 5}, "msg_id has to be a string that is not empty."),
        ({"headers": "a"}, "headers has to be an object of strings, or a list of pairs."),
        ({"headers": {"a": 1}}, "headers has to be an object of strings, or a list of pairs."),
        ({"headers": [["a"]]}, "headers has to be an object of strings, or a list of pairs."),
        ({"headers": [["a", "b", "base64"]]}, "headers has to be an object of strings"),
        ({"connection_id": 5}, "connection_id has to be a string."),
        ({"subjects": ["a"]}, "'subjects' is no key of publish. Its keys are subject, data,"),
        ({"token": "t"}, "'token' is no key of publish."),
        ({"reply": "_INBOX.x"}, "'reply' is no key of publish."),
        ({"timeout": 5}, "'timeout' is no key of publish."),
        ({"action": "request", "ack": True}, "'ack' is no key of request."),
        ({"action": "request", "msg_id": "a"}, "'msg_id' is no key of request."),
        ({"action": "request", "timeout": 0}, "timeout has to be a number of milliseconds"),
        ({"action": "request", "timeout": True}, "timeout has to be a number of milliseconds"),
        ({"action": "request", "timeout": "5"}, "timeout has to be a number of milliseconds"),
        ({"action": "request", "timeout": 1e300}, "timeout has to be a number of milliseconds"),
        ({"action": "request", "meta": ["time"]}, "meta has to be ['headers']."),
    ],
)
def test_what_has_another_shape_is_refused_with_a_sentence(
    request_keys: dict[str, object], said: str
) -> None:
    assert fault(**request_keys).startswith(said)


def test_a_request_needs_an_id_and_says_how_long_it_waits() -> None:
    with pytest.raises(Refusal, match="needs an id"):
        read(action="request")
    assert read(action="request", id=1).timeout is None
    asked = read(action="request", id=1, timeout=250, meta=["headers"])
    assert (asked.timeout, asked.with_headers) == (0.25, True)


@pytest.mark.parametrize("key", ["subject", "data", "headers", "ack", "meta", "encoding"])
def test_however_deep_it_is_nested_it_is_refused_or_read(key: str) -> None:
    for depth in (1, 500, 2000, 50000):
        text = '{"action":"publish","%s":%s1%s}' % (key, "[" * depth, "]" * depth)  # noqa: UP031
        with pytest.raises(Refusal) as refused:
            parse_request(text)
        assert len(refused.value.line()) < 400


# Headers


def test_headers_keep_their_order_and_repeats() -> None:
    pairs = [["b", "1"], ["A", ""], ["b", "é"]]
    assert read(headers=pairs).headers == "NATS/1.0\r\nb: 1\r\nA: \r\nb: é\r\n\r\n".encode()
    assert read(headers={"X-Trace": "7"}).headers == b"NATS/1.0\r\nX-Trace: 7\r\n\r\n"
    assert read(msg_id="a1", headers={"x": "y"}).headers == (
        b"NATS/1.0\r\nx: y\r\nNats-Msg-Id: a1\r\n\r\n"
    )


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=4))
def test_no_header_adds_a_line_or_changes_the_first(pairs: list[tuple[str, str]]) -> None:
    try:
        lines = header_lines(pairs, ack=True)
    except PublicationError:
        return
    if not pairs:
        assert lines == b""
        return
    assert lines.startswith(b"NATS/1.0\r\n")
    assert lines.count(b"\r\n") == len(pairs) + 2
    assert lines.count(b"\n") == lines.count(b"\r") == len(pairs) + 2
    found, is_whole = read_headers(lines)
    assert is_whole
    assert [name for name, *_ in found] == [name for name, _ in pairs]


@pytest.mark.parametrize("name", ["", "a b", "a:b", "ü", "a\r\nb", "a\t", "(a)", " a", "a "])
def test_names_are_those_of_rfc_9110(name: str) -> None:
    assert "is not a name of a header" in fault(headers={name: "x"})
    assert read(headers={"!#$%&'*+-.^_`|~09azAZ": "x"}).headers


@pytest.mark.parametrize(
    "value", ["a\rb", "a\nb", "a\r\nNats-Rollup: all", "\0", "\x7f", "\x85", "\t"]
)
def test_values_have_no_control_characters(value: str) -> None:
    assert "control character" in fault(headers={"a": value})
    assert "control character" in fault(msg_id=value)


def spellings(name: str) -> list[str]:
    return [name, name.lower(), name.upper(), name.swapcase()]


ORDERS = (
    *("Nats-Rollup", "Nats-TTL", "Nats-Trace-Dest", "Nats-Trace-Only", "Nats-Marker-Reason"),
    *("Nats-Schedule", "Nats-Schedule-Target", "Nats-Batch-Id", "Nats-Incr", "Nats-Stream"),
    *("Nats-Expected-Last-Subject-Sequence-Subject", "Nats-Required-Api-Level", "Nats-", "Nats-X"),
)


@pytest.mark.parametrize("name", ORDERS)
def test_orders_to_the_server_are_refused_in_any_case_of_letters(name: str) -> None:
    for spelt in spellings(name):
        for headers in ({spelt: "all"}, [["a", "b"], [spelt, "all"]]):
            assert "is not let through; Nats-Msg-Id" in fault(headers=headers, ack=True)
            assert "is not let through" in fault(headers=headers, action="request")


@pytest.mark.parametrize("name", EXPECTED)
def test_what_a_stream_is_to_expect_needs_ack(name: str) -> None:
    for spelt in spellings(name):
        assert "needs ack" in fault(headers={spelt: "1"})
        assert "needs ack" in fault(headers={spelt: "1"}, action="request")
        assert read(headers={spelt: "1"}, ack=True).headers == b"NATS/1.0\r\n%b: 1\r\n\r\n" % (
            name.encode()
        ), "the server knows it in this spelling alone"


@pytest.mark.parametrize("name", spellings(MESSAGE_ID))
def test_an_order_comes_once(name: str) -> None:
    assert read(headers={name: "a"}).headers == b"NATS/1.0\r\nNats-Msg-Id: a\r\n\r\n"
    for more in ({"msg_id": "b"}, {"headers": [[name, "a"], ["nats-msg-id", "b"]]}):
        assert "comes more than once" in fault(**{"headers": {name: "a"}, **more})


def test_the_unknown_key_is_shortened() -> None:
    assert re.match(r"'x+…' is no key of publish\.", fault(**{"x" * 500: 1}))


@pytest.mark.parametrize("part", ['"encoding":1e400', '"headers":{"a":1e400}', '"ack":1e400'])
def test_a_number_out_of_range_is_bad_and_no_bug(part: str) -> None:
    with pytest.raises(Refusal, match="out of range") as refused:
        parse_request(f'{{"action":"publish","subject":"a","id":1,{part}}}')
    assert refused.value.code == "bad_request"


def test_headers_are_bounded_before_they_are_looked_at() -> None:
    assert fault(headers=[["X", ""]] * 1000) == "headers may have 4096 bytes at most."
    assert read(headers=[["X", "y" * 4000]])
