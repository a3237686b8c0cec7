"""What browsers get of the past, in each form in which they can ask for it."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from nats.aio.client import Client

from tests.support.browser_client import Browser
from tests.support.jetstream import entries_of, make_stream, until_stored
from tests.support.servers import Gateway

numbers = itertools.count(1)


async def ten(client: Client) -> tuple[str, str]:
    """Make a stream with ten messages on two subjects; return its name, and its first token."""
    name = f"TEN{next(numbers)}"
    token = name.lower()
    await make_stream(client, name, [f"{token}.>"])
    for number in range(1, 11):
        await client.publish(f"{token}.{'ab'[number % 2]}", str(number).encode())
    await until_stored(client, name, 10)
    return name, token


async def ask(browser: Browser, pattern: str, history: object, **more: object) -> Any:
    return await browser.ask({"subjects": [pattern], "history": history, "id": 1, **more})


async def replay(browser: Browser) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return what comes up to the notice that it is live, and that."""
    messages = []
    while "status" not in (line := await browser.next()):
        messages.append(line)
    return messages, line


@pytest.mark.parametrize(
    ("history", "pattern", "expected"),
    [
        ("new", ">", []),
        ("auto", ">", []),
        ("all", ">", [*range(1, 11)]),
        ("all", "a", [2, 4, 6, 8, 10]),
        ("last_per_subject", ">", [9, 10]),
        ({"last": 3}, "b", [5, 7, 9]),
        ({"seq": 4}, "*", [*range(4, 11)]),
        ({"since": "1h"}, "a", [2, 4, 6, 8, 10]),
        ({"since": "2100-01-01T00:00:00Z"}, "a", []),
    ],
    ids=json.dumps,
)
async def test_each_form_brings_what_the_stream_has_and_then_what_is_live(
    client: Client, stream_gateway: Gateway, history: object, pattern: str, expected: list[int]
) -> None:
    name, token = await ten(client)
    async with Browser(stream_gateway.stream) as browser:
        answer = await ask(browser, f"{token}.{pattern}", history)
        said = answer["history"]
        assert (answer["success"], answer["action"], answer["id"]) == (True, "subscribe", 1)
        assert (said["stream"], said.keys()) == (name, {"stream", "epoch", "after", "messages"})
        messages, live = await replay(browser)
        assert [each["seq"] for each in messages] == expected
        assert all(each["replay"] is True and each["data"] == each["seq"] for each in messages)
        assert live == {
            "status": "live",
            "stream": name,
            "epoch": said["epoch"],
            "seq": 10,
            "subjects": [f"{token}.{pattern}"],
        }
        await client.publish(f"{token}.{pattern.replace('>', 'a').replace('*', 'a')}", b"[1.50]")
        frame = await browser.frame()
        subject = json.loads(frame)["subject"]
        assert frame == f'{{"subject":"{subject}","seq":11,"data":[1.50]}}'
    assert len(await entries_of(client, name)) == 11


async def test_a_stream_without_messages_begins_at_nothing(
    client: Client, stream_gateway: Gateway
) -> None:
    await make_stream(client, "EMPTY", ["empty"])
    async with Browser(stream_gateway.stream) as browser:
        answer = await ask(browser, "empty", "all")
        assert (answer["history"]["after"], answer["history"]["messages"]) == (0, 0)
        assert (await replay(browser))[1]["seq"] == 0
        await client.publish("empty", b"1")
        assert (await browser.next())["seq"] == 1


async def test_a_cursor_brings_what_came_after_it(client: Client, stream_gateway: Gateway) -> None:
    name, token = await ten(client)
    async with Browser(stream_gateway.stream) as browser:
        epoch = (await ask(browser, f"{token}.>", "new"))["history"]["epoch"]
    async with Browser(stream_gateway.stream) as browser:
        answer = await ask(browser, f"{token}.>", {"after": f"{name}.{epoch}.7"})
        assert answer["history"] == {
            "stream": name,
            "epoch": epoch,
            "after": 7,
            "messages": 3,
            "resumed": True,
        }
        messages, _ = await replay(browser)
        assert [each["seq"] for each in messages] == [8, 9, 10]


async def test_what_is_followed_with_its_past_cannot_have_a_rate(
    client: Client, stream_gateway: Gateway
) -> None:
    _, token = await ten(client)
    async with Browser(stream_gateway.stream) as browser:
        await ask(browser, f"{token}.a", "new")
        await replay(browser)
        answer = await browser.ask({"subjects": [f"{token}.a"], "max_rate": 2, "id": 2})
        assert (answer["code"], answer["id"]) == ("already_followed", 2)
        assert "for a rate, unsubscribe from it first" in answer["message"]
