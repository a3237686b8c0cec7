"""Nobody reads a past that was not granted, under any pattern."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser_client import Browser
from tests.support.jetstream import jetstream, make_stream, plain_client, until_stored
from tests.support.servers import Gateway, NatsServer, running

DENIED = """
authorization { users: [
  { user: some, password: p, permissions: { subscribe: { deny: "s.closed" } } },
  { user: all, password: p }
] }
no_auth_user: all
"""
TOKEN = "the-token-of-somebody-with-grants"
HOLDER: dict[str, Any] = {"name": "a", "token": TOKEN, "allow": ["s.>"], "deny": ["s.closed"]}


async def seen(
    folder: Path, config: str = "", user: str = "all", *, by_token: bool = False, **settings: object
) -> list[str]:
    """Return the subjects that a browser gets of `s.*`, both stored and live."""
    server = NatsServer(folder, jetstream(folder, config))
    address = server.url.replace("//", f"//{user}:p@") if config else server.url
    with running(server), running(Gateway(address, log=folder / "log", **settings)) as gateway:
        async with plain_client(server) as client:
            await make_stream(client, "S", ["s.>"])
            for subject in ("s.open", "s.closed", "s.end"):
                await client.publish(subject, b"1")
            await until_stored(client, "S", 3)
            async with Browser(gateway.stream, TOKEN if by_token else None) as browser:
                await browser.ask({"subjects": ["s.*"], "history": "all"})
                got, lines = [], 0
                while lines < 2:  # live, and then the end of what is live
                    line = await browser.next()
                    if line.get("status") == "live":
                        for subject in ("s.closed", "s.open", "s.end"):
                            await client.publish(subject, b"1")
                    got += [line["subject"]] if "subject" in line else []
                    lines += line.get("subject") == "s.end"
                return got


GRANTED = ["s.open", "s.end", "s.open", "s.end"]


async def test_stored_messages_are_held_to_the_denials_of_the_gateway(tmp_path: Path) -> None:
    assert await seen(tmp_path, deny_subjects="s.closed") == GRANTED


async def test_stored_messages_are_held_to_the_denials_of_a_token(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text(json.dumps(HOLDER))
    assert await seen(tmp_path, by_token=True, tokens_file=tmp_path / "tokens") == GRANTED


async def test_stored_messages_are_held_to_what_nats_denies_the_gateway(tmp_path: Path) -> None:
    assert await seen(tmp_path, DENIED, "some") == GRANTED


@pytest.mark.parametrize(
    ("pattern", "code"),
    [("s.old.a", None), ("s.*", "no_history"), ("s.a", "no_history"), ("t.a", "denied")],
)
async def test_a_past_outside_the_grants_is_refused(
    tmp_path: Path, pattern: str, code: str | None
) -> None:
    """A grant of the past counts within what may be followed; what is live stays as it is."""
    (tmp_path / "tokens").write_text(json.dumps({**HOLDER, "history": ["s.old.>", "t.>"]}))
    server = NatsServer(tmp_path, jetstream(tmp_path))
    gateway = Gateway(server.url, log=tmp_path / "log", tokens_file=tmp_path / "tokens")
    with running(server), running(gateway):
        async with plain_client(server) as client, Browser(gateway.stream, TOKEN) as browser:
            await make_stream(client, "S", ["s.>"])
            answer = await browser.ask({"subjects": [pattern], "history": "all"})
            assert answer.get("code") == code
            if code == "no_history":
                assert answer["reason"] == "off"
                answer = await browser.ask({"subjects": [pattern], "history": "auto"})
                assert (answer["success"], "history" in answer) == (True, False)
