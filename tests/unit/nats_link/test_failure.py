"""Why a NATS server cannot be used, in words that say what to do."""

from __future__ import annotations

import asyncio
import socket
from urllib.parse import urlparse

import pytest

from bridge.nats_link.failure import Failure
from tests.support.ports import free_port

NOWHERE = "nothing listens there, does NATS run at that port?"


def said(error: Exception) -> str:
    return str(Failure(urlparse("nats://user:secret@host:4222"), error))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_port_where_nothing_listens_is_one(host: str) -> None:
    with pytest.raises(OSError) as caught:
        await asyncio.open_connection(host, free_port())
    assert said(caught.value).endswith(f": {NOWHERE}")


def test_a_name_that_nobody_has_is_one() -> None:
    unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    assert said(unknown).endswith(": nobody has that name, is it right in NATS_URL?")


def test_what_has_no_known_cure_stands_as_it_is() -> None:
    assert said(OSError("of another kind")) == "of another kind"
