"""Which URL the keys of JWTs may come from."""

from __future__ import annotations

import pytest

from bridge.access import key_sources
from bridge.access.key_sources import FetchedKeys
from bridge.files import SettingError

PUBLIC = ("RS256", "ES256", "EdDSA")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://id.example.com/keys", "has to begin with https://"),
        ("http://10.0.0.1/keys", "has to begin with https://"),
        ("http://localhost.evil.example/keys", "has to begin with https://"),
        ("http://127.0.0.1@evil.example/keys", "has to begin with https://"),
        ("https://", "is not a URL"),
        ("https://:443/", "is not a URL"),
        ("https://[::1", "is not a URL"),
        ("https://id.example.com:99999/", "is not a URL"),
    ],
)
def test_a_url_that_a_stranger_could_answer_is_refused(url: str, sentence: str) -> None:
    with pytest.raises(SettingError, match=f"^JWT_KEY: .*{sentence}"):
        FetchedKeys(url, PUBLIC)
    with pytest.raises(SettingError, match="public keys only"):
        FetchedKeys("https://id.example.com/keys", ("HS256",))


def test_a_url_is_told_from_a_path() -> None:
    for url in ("https://id.example.com/", "HTTPS://id", "http://localhost:1/", "http://[::1]/k"):
        assert key_sources.is_url(url) and FetchedKeys(url, PUBLIC).url == url
    for path in ("", "key.pem", "/run/https://key", "./http:"):
        assert not key_sources.is_url(path)
