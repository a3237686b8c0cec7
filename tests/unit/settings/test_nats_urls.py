"""`NATS_URL` in the forms in which people write it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bridge.settings.derived import Settings


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("nats://a:4222", ["nats://a:4222"]),
        ("NATS://a:4222", ["nats://a:4222"]),
        ("Nats://A.example:4222", ["nats://A.example:4222"]),
        ("TLS://user:PassWord@a", ["tls://user:PassWord@a"]),
        ("a:4222", ["nats://a:4222"]),
        ("a", ["nats://a"]),
        (" nats://a:4222 ", ["nats://a:4222"]),
        ("nats://a:4222/", ["nats://a:4222/"]),
        ("nats://a:4222,", ["nats://a:4222"]),
        ("nats://a, tLs://b\nC:1", ["nats://a", "tls://b", "nats://C:1"]),
        ("nats://[::1]:4222", ["nats://[::1]:4222"]),
        ("[::1]:4222", ["nats://[::1]:4222"]),
        ("nats://TOKEN@a", ["nats://TOKEN@a"]),
        ("", []),
    ],
)
def test_servers_are_known_however_they_are_written(written: str, meant: list[str]) -> None:
    assert list(Settings(nats_url=written).nats_url) == meant


@pytest.mark.parametrize(
    "written",
    [
        *('"nats://a:4222"', "'nats://a:4222'", "nats://a:4222;nats://b:4222", "nats:a:4222"),
        *("ws://a:4222", "WS://a:4222", "wss://a", "http://a:4222", "HTTPS://a", "nats//a:4222"),
        *("nats://", "NATS://", "nats://a:99999", "nats://a:abc", "nats://a:0", "nats://:4222"),
        *("nats://a:4222/path", "nats://a?x=1", "nats://a#x", "nats://user:p#ss@a:4222"),
    ],
)
def test_what_is_no_server_is_answered_with_what_one_is(written: str) -> None:
    with pytest.raises(ValidationError, match="a server is given as nats://host:4222"):
        Settings(nats_url=f"nats://good:4222 {written}")
