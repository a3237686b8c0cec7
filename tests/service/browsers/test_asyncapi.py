"""`docs/asyncapi.yaml` describes exactly what gateways and clients say to each other.

How a new kind of frame, or a new key of one, is described:

1. Let a dialogue of `tests/support/dialogues.py` make it, or write one and put it into `ALL`. From
   then on a test here fails and shows the frame that is not described.
2. Describe it in the YAML: a kind under `components.messages` with an example, in `channels`, and
   in the operation that it belongs to; a key in its kind.
3. A key that is not `required` has to be seen and to be missing, and of an `enum` each word has to
   be seen. The tests say which is not; let a dialogue do it.
4. Faults that every key could have are tried by themselves. What else is wrong, such as a number
   out of its bounds, goes into `WRONG` in `tests/support/asyncapi.py`.
5. Compare a closed list or a bound with the code's in `tests/docs/test_asyncapi.py`.

What comes in another way than a WebSocket and POST is a channel of its own: its dialogue notes
`Said("name of the channel", …)`. A kind with several statuses of HTTP lists them in `x-statuses`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import dialogues
from tests.support.asyncapi import Description, shape, spoilt, words
from tests.support.browser_client import Browser
from tests.support.dialogues import SETTINGS, TOKEN, TOKENS
from tests.support.servers import Gateway, NatsServer, http, running
from tests.support.tape import Said, Scene

DESCRIPTION = Description.load()
STRICT = DESCRIPTION.strict
AS_HOLDER = {"Authorization": f"Bearer {TOKEN}"}
BOTH = [
    (channel, action)
    for channel in DESCRIPTION.document["channels"]
    for action in ("receive", "send")
]


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Said]]:
    """All that was said in all dialogues."""
    folder = tmp_path_factory.mktemp("dialogues")
    (folder / "tokens").write_text(TOKENS)
    nats = NatsServer(folder, dialogues.nats_config(folder))
    with (
        running(nats),
        running(Gateway(nats.url, log=folder / "open", **SETTINGS)) as gateway,
        running(
            Gateway(
                nats.url,
                program="tests/programs/that_is_late.py",
                log=folder / "late",
                publish_test_messages=True,
            )
        ) as late,
        running(
            Gateway(
                nats.url,
                log=folder / "guarded",
                tokens_file=folder / "tokens",
                allow_publish=">",
            )
        ) as guarded,
    ):
        scene = Scene(nats, gateway, late, guarded)
        for dialogue in dialogues.ALL:
            asyncio.run(dialogue(scene))
    yield list(scene.tape)


def kinds_of(said: Said, description: Description = STRICT) -> list[str]:
    """Return the kinds that something may be, by its schema and by its status of HTTP."""
    found = description.of(said.channel, said.action, said.value)
    return [kind for kind in found if description.comes_with(kind, said.status)]


def by_kind(tape: list[Said]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for said in tape:
        for kind in kinds_of(said):
            found.setdefault(kind, []).append(said.value)
    return found


def objects(tape: list[Said]) -> dict[str, list[Any]]:
    """Return all JSON objects by kind, those that are values in them by `kind.key`."""
    found = by_kind(tape)
    within: dict[str, list[Any]] = {}
    for kind, values in found.items():
        for each in values:
            for key, inner in each.items() if isinstance(each, dict) else ():
                if isinstance(inner, dict):
                    within.setdefault(f"{kind}.{key}", []).append(inner)
    return found | within


def test_all_that_is_said_is_of_one_kind(tape: list[Said]) -> None:
    assert [(said, found) for said in tape if len(found := kinds_of(said)) != 1] == []


def test_clients_that_let_unknown_keys_be_can_tell_the_kinds_apart(tape: list[Said]) -> None:
    assert [said for said in tape if kinds_of(said, DESCRIPTION) != kinds_of(said)] == []


def test_every_kind_is_said(tape: list[Said]) -> None:
    described = {kind for each in BOTH for kind in STRICT.kinds(*each)}
    assert described == set(STRICT.messages), "in no operation"
    assert described == set(by_kind(tape))


def test_every_key_is_there_and_missing_as_described(tape: list[Said]) -> None:
    for kind, values in objects(tape).items():
        for key in STRICT.keys(kind):
            assert any(key in value for value in values), f"{kind} never has {key}"
            missing = any(key not in value for value in values)
            assert missing == (key in STRICT.optional(kind)), f"{kind} without {key}: {missing}"


def test_every_word_of_a_closed_list_is_said(tape: list[Said]) -> None:
    for kind, values in objects(tape).items():
        for key, schema in STRICT.keys(kind).items():
            found = [value[key] for value in values if key in value]
            for word in words(schema):
                said = (
                    word in each if isinstance(each, list | dict) else word == each
                    for each in found
                )
                assert any(said), (kind, key, word)


def test_spoilt_frames_of_a_gateway_are_of_no_kind(tape: list[Said]) -> None:
    sent = [each for each in tape if each.action == "send" and isinstance(each.value, dict)]
    for said in sent:
        (kind,) = kinds_of(said)
        for fault, frame in spoilt(kind, said.value, STRICT.optional(kind)):
            other = replace(said, text=json.dumps(frame))
            assert kinds_of(other) == [], (kind, fault, frame)
            if fault != "an unknown key":
                assert kinds_of(other, DESCRIPTION) == [], (kind, fault, frame)


def test_nothing_but_responses_answers_a_post(tape: list[Said]) -> None:
    for said in tape:
        if (said.channel, said.action) == ("requests", "send") and isinstance(said.value, list):
            for other in ({"dropped": 7}, {"status": "nats_down"}, 1):
                values = other, [other], [*said.value, other]
                assert [each for each in values if STRICT.of("requests", "send", each)] == []


@pytest.fixture
def holder(nats_server: NatsServer, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that knows the token of the dialogues."""
    (tmp_path / "tokens").write_text(TOKENS)
    service = Gateway(nats_server.url, log=tmp_path / "log", tokens_file=tmp_path / "tokens")
    with running(service):
        yield service


def requests(tape: list[Said], channel: str) -> list[tuple[str, Any]]:
    """Return one request of each shape, with its kind."""
    found = [said for said in tape if (said.channel, said.action) == (channel, "receive")]
    return [
        (*kinds_of(said), said.value)
        for said in {shape(each.value): each for each in found}.values()
    ]


async def test_a_gateway_takes_those_of_spoilt_requests_that_are_described(
    tape: list[Said], holder: Gateway
) -> None:
    taken = set()
    for kind, request in requests(tape, "stream"):
        assert DESCRIPTION.of("stream", "receive", [request]) == []
        for fault, tried in spoilt(kind, request):
            async with Browser(holder.stream, additional_headers=AS_HOLDER) as browser:
                answer = await browser.ask(tried)
            described = DESCRIPTION.of("stream", "receive", tried) != []
            assert described == (answer.get("code") != "bad_request"), (fault, tried, answer)
            taken.add(described)
    assert taken == {True, False}


def test_a_gateway_takes_those_of_spoilt_posts_that_are_described(
    tape: list[Said], holder: Gateway
) -> None:
    statuses = set()
    for kind, request in requests(tape, "requests"):
        for fault, tried in [*spoilt(kind, request), ("a token", {**request, "token": TOKEN})]:
            body = json.dumps(tried).encode()
            status, _ = http(f"{holder.url}/stream", body, **AS_HOLDER)
            described = DESCRIPTION.of("requests", "receive", tried) != []
            assert status == (404 if described else 400), (fault, tried)
            statuses.add(status)
    assert statuses == {400, 404}
