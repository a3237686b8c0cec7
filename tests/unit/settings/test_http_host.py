"""`HTTP_HOST` in the forms in which people write it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bridge.settings.derived import Settings


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("127.0.0.1", "127.0.0.1"),
        (" 127.0.0.1 ", "127.0.0.1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("localhost", "localhost"),
        ("LocalHost", "localhost"),
    ],
)
def test_this_machine_needs_no_tokens_however_it_is_written(written: str, meant: str) -> None:
    assert Settings(http_host=written).http_host == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0.0.0.0", "0.0.0.0"),
        ("::", "::"),
        ("[::]", "::"),
        ("*", "::"),
        ("192.168.1.5", "192.168.1.5"),
        ("fe80::1%Eth0", "fe80::1%Eth0"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("DevBox.example", "devbox.example"),
        ("0", "0"),
    ],
)
def test_other_machines_are_let_in_only_if_that_is_meant(written: str, meant: str) -> None:
    with pytest.raises(ValidationError, match="lets other machines in"):
        Settings(http_host=written)
    assert Settings(http_host=written, allow_anonymous=True).http_host == meant


@pytest.mark.parametrize(
    "written",
    [
        *("", " ", "[]", "127.0.0.1:8080", "[::]:8080", "localhost:80", "http://0.0.0.0"),
        *("http://localhost/", "0.0.0.0 ::", "0.0.0.0,127.0.0.1", "user@host", ":8080", "[::"),
    ],
)
def test_what_is_more_or_less_than_a_host_is_answered_with_what_is_one(written: str) -> None:
    with pytest.raises(ValidationError, match="an address or a name alone"):
        Settings(http_host=written, allow_anonymous=True)
