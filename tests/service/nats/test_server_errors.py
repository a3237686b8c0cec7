"""What the real nats-server says, in its own words, and what it is taken for."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from bridge.nats_link.server_errors import (
    ServerError,
    denied_publish,
    denied_subscription,
    meaning_of,
)
from tests.support.servers import PATIENCE, NatsServer, running

USERS = "authorization {{ timeout: 1, users: [{{user: u, password: p{permissions}}}] }}"
NO_A = USERS.format(permissions=", permissions: {subscribe: {deny: a}, publish: {deny: a}}")
PLAIN = USERS.format(permissions="")
SIGNED_IN = b'CONNECT {"verbose":false,"user":"u","pass":"p"}\r\n'


def said(server: NatsServer, sent: bytes) -> str:
    """Return the first error that the server answers `sent` with, as it stands."""
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as raw:
        raw.sendall(sent)
        heard = b""
        while not (found := re.search(rb"-ERR '(.*)'\r\n", heard)):
            data = raw.recv(65536)
            assert data, f"the server ended the connection after {heard!r}"
            heard += data
    return found[1].decode()


@pytest.mark.parametrize(
    ("config", "sent", "meaning"),
    [
        (NO_A, SIGNED_IN + b"SUB a 1\r\n", ServerError.DENIED),
        (NO_A, SIGNED_IN + b"PUB a 0\r\n\r\n", ServerError.DENIED),
        (
            "max_subscriptions: 1",
            b"CONNECT {}\r\nSUB a 1\r\nSUB b 2\r\nSUB c 3\r\n",
            ServerError.TOO_MANY_SUBSCRIPTIONS,
        ),
        ('ping_interval: "100ms"\nping_max: 1', b"CONNECT {}\r\n", ServerError.STALE),
        (PLAIN, b'CONNECT {"user":"u","pass":"wrong"}\r\n', ServerError.SIGNED_OUT),
        (PLAIN, b"", ServerError.SIGNED_OUT),
        ("", b"NONSENSE\r\n", ServerError.OTHER),
    ],
    ids=["SUB denied", "PUB denied", "subscriptions", "stale", "password", "timeout", "protocol"],
)
def test_an_error_is_taken_for_what_it_is(
    config: str, sent: bytes, meaning: ServerError, tmp_path: Path
) -> None:
    with running(NatsServer(tmp_path, config)) as server:
        text = said(server, sent)
    # nats-py hands errors on in lower case.
    assert meaning_of(text) is meaning_of(text.lower()) is meaning, text


@pytest.mark.parametrize(
    "subject", ["a", 'a"b', "a\\b", "a\u200b", "ü.\U0001f600.\ue000", "\U000e0001", "a\u2028`'"]
)
def test_a_denied_subscription_is_named_exactly(subject: str, tmp_path: Path) -> None:
    permissions = ", permissions: {subscribe: {allow: b}, publish: {deny: a}}"
    config = USERS.format(permissions=permissions)
    with running(NatsServer(tmp_path, config)) as server:
        text = said(server, SIGNED_IN + f"SUB {subject} 1\r\n".encode())
        other = said(server, SIGNED_IN + b"PUB a 0\r\n\r\n")
    assert denied_subscription(text) == (subject, None)
    assert denied_subscription(other) is None
    assert (denied_publish(text), denied_publish(other)) == (None, "a")


def test_a_subject_of_too_many_tokens_is_named(tmp_path: Path) -> None:
    with running(NatsServer(tmp_path, "max_sub_tokens: 3")) as server:
        text = said(server, b"CONNECT {}\r\nSUB a.b.c.d 1\r\n")
    assert denied_subscription(text) == ("a.b.c.d", None)
