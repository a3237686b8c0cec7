"""The closed lists of `docs/asyncapi.yaml` are those of the code, and its examples fit it.

What real gateways say is held against it in `tests/service/browsers/test_asyncapi.py`.
"""

from __future__ import annotations

import json
import re
from typing import Any, get_args

import pytest

from bridge import __version__
from bridge.access.authentication import BEARER, COOKIE
from bridge.history import errors, starts, tail
from bridge.publishing import over_http
from bridge.wire import codes, framing, metadata, publications, requests, responses, wishes
from tests.support import readme
from tests.support.asyncapi import PATH, Description

NOT_UTF8 = 1007
"""The one close code that is aiohttp's own."""
DESCRIPTION = Description.load().strict
DOCUMENT = DESCRIPTION.document
SCHEMAS = DOCUMENT["components"]["schemas"]
EXAMPLES = [
    (kind, example["payload"])
    for kind, message in DESCRIPTION.messages.items()
    for example in message["examples"]
]


def test_codes_are_those_of_the_code() -> None:
    assert SCHEMAS["code"]["enum"] == list(get_args(codes.Code))


def test_close_codes_are_those_of_the_code_and_of_the_wire() -> None:
    described = [each["code"] for each in DOCUMENT["channels"]["stream"]["x-close-codes"]]
    assert described == sorted([*codes.CloseCode, NOT_UTF8])
    table = readme.TEXTS["docs/wire.md"].partition("\n## Close codes\n")[2].partition("\n## ")[0]
    told = re.findall(r"\b\d{4}\b", "".join(re.findall(r"^\|([^|]*)", table, re.MULTILINE)))
    assert sorted(map(int, told)) == described


def known_keys(**request: object) -> set[str]:
    """Return the keys that such a request may have, as it is told when it has another one."""
    with pytest.raises(requests.Refusal) as refusal:
        requests.parse_request(json.dumps({**request, "no_such_key": 1}))
    return {*str(refusal.value).partition("Its keys are ")[2].removesuffix(".").split(", ")}


def test_requests_have_the_keys_actions_and_bounds_of_the_code() -> None:
    kinds = {*DESCRIPTION.kinds("stream", "receive")}
    actions = {DESCRIPTION.keys(kind).get("action", {}).get("const") for kind in kinds}
    publishing = {codes.PUBLISH, codes.REQUEST}
    plain = {codes.SUBSCRIBE, codes.UNSUBSCRIBE, codes.PING, codes.SUBJECTS}
    assert actions == {*plain, *publishing, None}
    for action in publishing:  # the kinds have the same names
        assert {*DESCRIPTION.keys(action)} == known_keys(action=action)
    others = {key for kind in kinds - publishing for key in DESCRIPTION.keys(kind)}
    assert others == known_keys(subjects=["a"])
    assert SCHEMAS["meta"]["items"]["enum"] == list(metadata.KEYS)
    assert SCHEMAS["wantedSubjects"]["oneOf"][1]["maxItems"] == requests.MAX_REQUEST_SUBJECTS
    assert SCHEMAS["id"]["maxLength"] == requests.MAX_ID_BYTES - len('""')


def test_publishing_over_http_is_that_of_the_code() -> None:
    body = DESCRIPTION.messages["body"]["headers"]["properties"]
    assert list(body) == [publications.MESSAGE_ID, *publications.EXPECTED]
    statuses = DESCRIPTION.messages["failed"]["x-statuses"]
    described = [(code, each["status"]) for each in statuses for code in each["codes"]]
    assert described == list(over_http.STATUSES.items())
    for operation, door in (("publishByHttp", "/publish/"), ("requestByHttp", "/request/")):
        channel = DOCUMENT["operations"][operation]["channel"]["$ref"].rpartition("/")[2]
        assert DOCUMENT["channels"][channel]["address"] == f"{door}{{subject}}"


def test_what_a_stream_refuses_and_nothing_else_has_a_code_of_jetstream() -> None:
    examples = [each for kind, each in EXAMPLES if kind == "refused"]
    (stored,) = [each for each in examples if each["code"] == "not_stored"]
    assert not DESCRIPTION.fits("refused", stored | {"code": "denied"})
    assert not DESCRIPTION.fits("refused", {k: v for k, v in stored.items() if k != "err_code"})


def test_frames_are_shared_in_the_ways_of_the_code() -> None:
    query = DOCUMENT["channels"]["stream"]["bindings"]["ws"]["query"]["properties"]
    assert query["batch"]["enum"] == list(framing.BATCHES)


def test_a_greeting_tells_as_many_grants_as_that_of_the_code() -> None:
    keys = DESCRIPTION.keys("greeting")
    assert keys["allow"]["maxItems"] == keys["deny"]["maxItems"] == responses.MOST_TOLD


def test_the_metadata_of_a_message_comes_in_the_order_of_the_code() -> None:
    keys = list(DESCRIPTION.keys("message"))
    of_streams = ["replay", "operation"]
    assert keys == ["subject", "seq", *metadata.KEYS, *of_streams, "data", "encoding"]


def test_what_is_said_of_the_past_is_that_of_the_code() -> None:
    assert SCHEMAS["history"]["oneOf"][0]["enum"] == list(wishes.NAMED)
    history = DESCRIPTION.keys("subscribed")["history"]["properties"]
    assert history["reason"]["enum"] == list(get_args(starts.Reason))
    assert DESCRIPTION.keys("refused")["reason"]["enum"] == list(get_args(errors.Reason))
    lost = DESCRIPTION.keys("missed")["reason"]["enum"]
    assert sorted(lost) == sorted(get_args(tail.Loss))


def test_tokens_are_shown_where_the_code_looks_for_them() -> None:
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert schemes["cookie"]["name"] == COOKIE
    assert schemes["header"]["scheme"] == BEARER
    assert schemes["subprotocol"]["description"].startswith(f"`{BEARER}, ")


def test_it_is_of_this_version() -> None:
    assert DOCUMENT["info"]["version"] == __version__


@pytest.mark.parametrize(("kind", "example"), EXAMPLES)
def test_an_example_is_of_its_kind_alone(kind: str, example: Any) -> None:
    assert DESCRIPTION.fits(kind, example)
    for action in ("receive", "send"):
        if kind in DESCRIPTION.kinds("stream", action):
            assert DESCRIPTION.of("stream", action, example) == [kind]


@pytest.mark.parametrize("line", readme.examples("docs/wire.md"))
def test_an_example_of_the_wire_is_described(line: str) -> None:
    value = json.loads(line)
    ways = [("stream", "receive"), ("stream", "send"), ("reading", "send")]
    assert len({kind for way in ways for kind in DESCRIPTION.of(*way, value)}) == 1


def test_nothing_is_described_that_nothing_uses() -> None:
    text = PATH.read_text()
    parts = DOCUMENT["components"].items()
    named = [f"#/components/{part}/{name}" for part, names in parts for name in names]
    assert [each for each in named if f"$ref: '{each}'" not in text] == []
