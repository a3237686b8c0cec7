"""What servers send for a stored message."""

from __future__ import annotations

import pytest

from bridge.history.stored import Delivered, Stored, read_delivered, read_direct, status
from bridge.nats_link.items import Message


def message(reply: str, headers: bytes | None = None) -> Message:
    return Message(1, b"a.b", reply.encode(), b"x", headers)


@pytest.mark.parametrize(
    "reply",
    [
        "$JS.ACK.S.c.1.7.3.1700000000000000005.4",
        "$JS.ACK.hub.ACCOUNT.S.c.1.7.3.1700000000000000005.4",
        "$JS.ACK.hub.ACCOUNT.S.c.1.7.3.1700000000000000005.4.random",
    ],
)
def test_a_delivered_message_has_its_place_in_the_reply_subject(reply: str) -> None:
    stored = Stored(7, "a.b", b"x", b"", b"1700000000000000005")
    assert read_delivered(message(reply)) == Delivered(stored, 3, 4)
    assert stored.time == "2023-11-14T22:13:20.000000005Z"


@pytest.mark.parametrize("reply", ["", "$JS.FC.S.c.x", "$JS.ACK.short"])
def test_words_of_the_server_are_no_messages(reply: str) -> None:
    assert read_delivered(message(reply, b"NATS/1.0 100 Idle Heartbeat\r\n\r\n")) is None


def direct(headers: bytes) -> Stored | None:
    ours = (
        b"\r\nNats-Stream: S\r\nNats-Subject: a.b\r\nNats-Sequence: 7\r\n"
        b"Nats-Time-Stamp: 2026-03-01T12:00:00.5Z\r\nNats-Num-Pending: 3\r\n\r\n"
    )
    return read_direct(message("", headers + ours))


@pytest.mark.parametrize(
    ("published", "headers"),
    [
        (b"NATS/1.0", b""),
        (b"NATS/1.0\r\na: b", b"NATS/1.0\r\na: b\r\n\r\n"),
        (
            b"NATS/1.0 204 EOB\r\nNats-Stream: T\r\nNats-Sequence: 9",
            b"NATS/1.0 204 EOB\r\nNats-Stream: T\r\nNats-Sequence: 9\r\n\r\n",
        ),
    ],
)
def test_headers_of_the_publisher_stay_apart(published: bytes, headers: bytes) -> None:
    read = direct(published)
    assert read == Stored(7, "a.b", b"x", headers, b"2026-03-01T12:00:00.5Z")
    assert read.time == "2026-03-01T12:00:00.5Z"


def test_a_status_is_no_message() -> None:
    end = message("", b"NATS/1.0 204 EOB\r\nNats-Num-Pending: 0\r\n\r\n")
    assert read_direct(end) is None
    assert status(end) == 204
    assert status(message("")) == status(message("", b"NATS/1.0\r\n\r\n")) == 0
