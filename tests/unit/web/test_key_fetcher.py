"""The keys of JWTs that are fetched from a URL: what counts, what fails, and what stands then."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from bridge.access import key_sources
from bridge.access.jwt_keys import MAX_FETCHED_KEYS
from bridge.access.key_sources import FetchedKeys
from bridge.access.policy import SubjectPolicy
from bridge.access.signed_tokens import SignedTokens
from bridge.access.tokens import NotYet, TokenError
from bridge.telemetry.throttled_log import ThrottledLog
from bridge.web import key_fetcher
from bridge.web.key_fetcher import MAX_KEY_SET_BYTES, KeyFetcher
from tests.support import minting
from tests.support.certificates import Authority
from tests.support.key_server import KeyServer, key_set

PUBLIC = ("RS256", "ES256", "EdDSA")


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with KeyServer() as server:
        yield server


def fetching(url: str) -> tuple[FetchedKeys, KeyFetcher, SignedTokens]:
    keys = FetchedKeys(url, PUBLIC)
    return keys, KeyFetcher(keys, ThrottledLog()), SignedTokens(keys, SubjectPolicy())


def counts(tokens: SignedTokens, algorithm: str = "RS256", kid: str | None = None) -> bool:
    """Tell whether a token that is right counts."""
    try:
        return bool(tokens.principal(minting.token(algorithm, kid=kid), time.time()))
    except TokenError:
        return False


async def test_tokens_count_once_their_keys_have_been_fetched(
    server: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    _, fetcher, tokens = fetching(server.url)
    with pytest.raises(NotYet, match="try again in a moment"):
        tokens.principal(minting.token("RS256"), time.time())
    for _ in range(3):
        assert await fetcher.fetch()
    assert counts(tokens) and not counts(tokens, "ES256")
    server.body = key_set("ES256", "EdDSA")
    assert await fetcher.fetch()
    assert not counts(tokens) and counts(tokens, "ES256") and counts(tokens, "EdDSA")
    assert [each.getMessage() for each in caplog.records] == [
        "JWT_KEY: the keys were fetched, and are new"
    ] * 2


def redirect(server: KeyServer) -> None:
    server.status, server.headers = 302, {"Location": server.url.replace("keys", "elsewhere")}


def compressed(server: KeyServer) -> None:
    server.body, server.headers = gzip.compress(b" " * 10**7), {"Content-Encoding": "gzip"}


def bodies(**bodies: bytes) -> dict[str, Callable[[KeyServer], None]]:
    return {
        name.replace("_", " "): lambda server, body=body: setattr(server, "body", body)
        for name, body in bodies.items()
    }


FAILURES: dict[str, tuple[Callable[[KeyServer], None], str]] = {
    "not found": (lambda it: setattr(it, "status", 404), "the answer is 404"),
    "an error with keys": (lambda it: setattr(it, "status", 500), "the answer is 500"),
    "a redirect": (redirect, "the answer is 302, and redirects are not followed"),
    "no answer": (lambda it: setattr(it, "delay", 2.0), "there is no whole answer within"),
    "endless": (lambda it: setattr(it, "endless", True), f"more than {MAX_KEY_SET_BYTES} bytes"),
    "compressed": (compressed, "not a JWKS"),
    **{
        name: (make, "not a JWKS")
        for name, make in bodies(
            empty=b"",
            a_page=b"<!doctype html><title>Sign in</title>",
            a_secret=minting.SECRET.encode() * 4,
            a_PEM=minting.RSA_PEM.encode(),
            no_text=b'{"keys": "\xff"}',
            cut=key_set("RS256")[:-9],
            deep=b'{"keys":' + b"[" * 20000,
            a_private_key=json.dumps({"keys": [minting.jwk("RS256", d="AAAA")]}).encode(),
        ).items()
    },
    **{
        name: (make, "holds no key for any of JWT_ALGORITHMS")
        for name, make in bodies(
            no_keys=b'{"keys": []}',
            keys_for_something_else=json.dumps(
                {"keys": [minting.jwk("RS256", use="enc")]}
            ).encode(),
            a_secret_as_a_key=key_set("HS256"),
        ).items()
    },
    "thousands": (
        lambda it: setattr(it, "body", json.dumps({"keys": [minting.jwk("EdDSA")] * 101}).encode()),
        f"more than {MAX_FETCHED_KEYS} keys",
    ),
    "too long": (
        lambda it: setattr(it, "body", b" " * MAX_KEY_SET_BYTES + key_set("RS256")),
        f"more than {MAX_KEY_SET_BYTES} bytes",
    ),
}


@pytest.mark.parametrize(("fail", "reason"), FAILURES.values(), ids=FAILURES)
async def test_a_fetch_that_fails_says_why_and_changes_nothing(
    server: KeyServer,
    fail: Callable[[KeyServer], None],
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # With a password, which the log must not show.
    url = server.url.replace("//", "//planted:planted@") + "?planted"
    _, fetcher, tokens = fetching(url)
    assert await fetcher.fetch() and counts(tokens)
    fail(server)
    if server.delay:
        monkeypatch.setattr(key_fetcher, "FETCH_TIMEOUT_SECONDS", 0.3)
    for _ in range(2):
        assert not await fetcher.fetch()
    assert counts(tokens)
    _, first, nothing = fetching(url)
    assert not await first.fetch() and not counts(nothing)
    stale, missing = [each.getMessage() for each in caplog.records]  # one a minute
    assert reason in stale and stale.endswith("trying on, those fetched before stand")
    assert reason in missing and "no JWT counts until there are" in missing
    assert "planted" not in caplog.text and "Traceback" not in caplog.text


async def test_a_host_that_is_not_there_says_why(caplog: pytest.LogCaptureFixture) -> None:
    with KeyServer() as server:
        url = server.url
    for each, reason in (
        (url, "it cannot be reached"),
        ("https://nowhere.invalid/keys", "its host is not known"),
    ):
        _, fetcher, _ = fetching(each)
        assert not await fetcher.fetch()
        assert reason in caplog.records[-1].getMessage()


async def test_https_needs_a_certificate_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    authority = Authority(tmp_path / "authority")
    with KeyServer(authority.issue("127.0.0.1")) as server:
        _, fetcher, tokens = fetching(server.url)
        assert not await fetcher.fetch()
        assert "its certificate does not count here: " in caplog.text
        assert server.asked == 0
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
        assert await fetcher.fetch() and counts(tokens)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_an_unknown_key_is_fetched_once_and_then_left_alone_for_a_while(
    server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    # Of this module alone: the event loop has its own.
    monkeypatch.setattr(key_sources, "time", SimpleNamespace(monotonic=lambda: now[0]))
    server.body = key_set(RS256="old")
    keys, fetcher, tokens = fetching(server.url)
    running = asyncio.create_task(fetcher.run())
    try:
        await until(lambda: keys.known)
        assert counts(tokens, kid="old")
        server.body = key_set(RS256="old", ES256="new")
        for kid in ("new", "guessed", "guessed again"):
            with pytest.raises(TokenError, match="is not valid"):  # it was just fetched
                tokens.principal(minting.token("ES256", kid=kid), time.time())
        now[0] += 30
        with pytest.raises(NotYet):
            tokens.principal(minting.token("ES256", kid="new"), time.time())
        await until(lambda: counts(tokens, "ES256", kid="new"))
        assert server.asked == 2
        for number in range(50):
            with pytest.raises(TokenError, match="is not valid"):
                tokens.principal(minting.token("ES256", kid=f"guessed {number}"), time.time())
        await asyncio.sleep(0.1)
        assert server.asked == 2
    finally:
        running.cancel()


async def test_they_are_fetched_again_after_a_while_and_soon_where_that_failed(
    server: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    class Waited(Exception):
        pass

    async def no_fetch() -> bool:
        return bool(answers.pop(0)) if answers else False

    def timeout(seconds: float) -> asyncio.Timeout:
        waits.append(seconds)
        if not answers:
            raise Waited
        return asyncio.timeout_at(0)

    answers = [True, True, *([False] * 9), True]
    _, fetcher, _ = fetching(server.url)
    monkeypatch.setattr(fetcher, "fetch", no_fetch)
    with pytest.raises(Waited):
        with monkeypatch.context() as patch:
            patch.setattr(key_fetcher.asyncio, "timeout", timeout)
            await fetcher.run()
    assert waits == [300, 300, 1, 2, 4, 8, 16, 32, 60, 60, 60, 300]
