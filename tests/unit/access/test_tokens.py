"""Which tokens count, for whom, until when, and for which subjects."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.access.jwt_keys import read_keys
from bridge.access.key_sources import KeyFile
from bridge.access.policy import SubjectPolicy
from bridge.access.signed_tokens import SignedTokens
from bridge.access.static_tokens import StaticTokens
from bridge.access.tokens import Principal, TokenError, Tokens
from bridge.files import SettingError
from tests.support import minting

ALL = ("HS256", "RS256", "ES256", "EdDSA")
COMMON = SubjectPolicy(["common.>"], ["common.secret"])


def written(folder: Path, text: str) -> str:
    path = folder / "file"
    path.write_text(text)
    return str(path)


def signed(folder: Path, text: str, algorithms: Any = ALL, **options: Any) -> SignedTokens:
    return SignedTokens(KeyFile(written(folder, text), algorithms), COMMON, **options)


@pytest.mark.parametrize("algorithm", ALL)
def test_a_right_token_counts_with_each_algorithm(tmp_path: Path, algorithm: str) -> None:
    tokens = signed(tmp_path, minting.key_file(algorithm))
    before = time.time()
    principal = tokens.principal(minting.token(algorithm, 60, iss="https://id"), time.time())
    assert principal.identity == ("jwt", "https://id", "ann")
    assert before + 59 < principal.expires < time.time() + 61
    assert principal.policy == COMMON


@pytest.mark.parametrize("algorithm", ALL)
@pytest.mark.parametrize("other", ALL)
def test_a_key_is_for_its_own_algorithm_alone(tmp_path: Path, algorithm: str, other: str) -> None:
    tokens = signed(tmp_path, minting.key_file(algorithm))
    if algorithm != other:
        with pytest.raises(TokenError):
            tokens.principal(minting.token(other), time.time())


@pytest.mark.parametrize("make", minting.WRONG.values(), ids=minting.WRONG)
def test_wrong_tokens_do_not_count_and_are_not_repeated(
    tmp_path: Path, make: Callable[[], str]
) -> None:
    keys = minting.key_file("RS256")
    tokens = signed(tmp_path, keys, audience=("us", "them"), issuer="https://id")
    token = make()
    with pytest.raises(TokenError) as refused:
        tokens.principal(token, time.time())
    assert not token or token not in str(refused.value)
    assert len(str(refused.value)) < 60
    assert tokens.principal(minting.good(), time.time()).identity[2] == "ann"


@pytest.mark.parametrize("more", [{"seconds": -20}, {"nbf": 20}, {"iat": 20}])
def test_clocks_may_be_off_by_half_a_minute(tmp_path: Path, more: dict[str, float]) -> None:
    more = {name: time.time() + it if name != "seconds" else it for name, it in more.items()}
    tokens = signed(tmp_path, minting.key_file("ES256"))
    principal = tokens.principal(minting.token("ES256", **more), time.time())
    assert time.time() < principal.expires


@pytest.mark.parametrize(
    ("grants", "policy"),
    [
        ({}, COMMON),
        ({"allow": ["a.*"]}, SubjectPolicy(["a.*"], ["common.secret"])),
        ({"allow": []}, SubjectPolicy([], ["common.secret"])),
        ({"deny": ["common.x"]}, SubjectPolicy(["common.>"], ["common.secret", "common.x"])),
        (
            {"allow": ["$SYS.>"], "deny": ["$SYS.a"]},
            SubjectPolicy(["$SYS.>"], ["common.secret", "$SYS.a"]),
        ),
    ],
)
def test_grants_are_those_of_the_token_and_denials_those_of_both(
    tmp_path: Path, grants: dict[str, Any], policy: SubjectPolicy
) -> None:
    tokens = signed(tmp_path, minting.key_file("ES256"))
    token = minting.token(nats={"sub": grants})
    assert tokens.principal(token, time.time()).policy == policy
    entry = json.dumps({"name": "ann", "token": "x" * 16, **grants})
    static = StaticTokens(written(tmp_path, entry), COMMON)
    found = static.principal("x" * 16, 0)
    assert found is not None and found.policy == policy


def test_a_key_set_is_searched_by_key_id_and_what_is_for_other_uses_is_passed_over(
    tmp_path: Path,
) -> None:
    entries = [
        minting.jwk("ES256", kid="one"),
        minting.jwk("EdDSA", kid="two"),
        minting.jwk("RS256", kid="three", use="enc"),
        minting.jwk("HS256", kid="four"),
        {"kty": "EC", "crv": "P-521"},
    ]
    tokens = signed(tmp_path, json.dumps({"keys": entries}), ("RS256", "ES256", "EdDSA"))
    for algorithm in ("ES256", "EdDSA"):
        assert tokens.principal(minting.token(algorithm), time.time())
    for algorithm in ("RS256", "HS256"):
        with pytest.raises(TokenError):
            tokens.principal(minting.token(algorithm), time.time())


@pytest.mark.parametrize(
    ("text", "algorithms", "word"),
    [
        ("", ALL, "32 bytes"),
        ("short", ALL, "32 bytes"),
        (minting.SECRET, ("RS256",), "no key"),
        (minting.key_file("RS256"), ("HS256", "ES256"), "no key"),
        ("-----BEGIN PRIVATE KEY-----", ALL, "private key"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", ALL, "cannot be read"),
        ("-----BEGIN CERTIFICATE-----", ALL, "no key"),
        ("{", ALL, "JWKS"),
        ('{"keys": 1}', ALL, "JWKS"),
        ('{"keys": [[]]}', ALL, "JWKS"),
        ('{"keys": []}', ALL, "no key"),
        ('{"kty": "RSA"}', ALL, "JWKS"),
        ('{"kty": "oct"}', ALL, "JWKS"),
        ('{"kty": "RSA", "d": "x"}', ALL, "private key"),
        ('{"kty": "oct", "k": "c2hvcnQ"}', ALL, "32 bytes"),
    ],
)
def test_useless_key_files_are_refused(text: str, algorithms: Any, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        read_keys(text, algorithms)


@pytest.mark.parametrize(
    "more",
    [
        {"sub": "ann \ud83d"},
        {"sub": "\udcff"},
        {"sub": "ann", "iss": "https://id/\ude00"},
        {"sub": "ann", "iss": "\ud83d", "nats": {"sub": {"allow": ["a"]}}},
    ],
)
def test_who_cannot_be_named_is_nobody(tmp_path: Path, more: dict[str, Any]) -> None:
    tokens = signed(tmp_path, minting.key_file("ES256"))
    with pytest.raises(TokenError, match="the token's sub or iss is not valid Unicode"):
        tokens.principal(minting.token(**more), time.time())
    whole = minting.token(sub="ann \U0001f600", iss="\0\u202e\x7f")
    assert json.dumps(tokens.principal(whole, time.time()).identity, ensure_ascii=False).encode()


@pytest.mark.parametrize("form", ["token", "sha256"])
def test_static_tokens_are_listed_plain_or_hashed(tmp_path: Path, form: str) -> None:
    token = "a token of some length"
    value = token if form == "token" else hashlib.sha256(token.encode()).hexdigest()
    text = f"# tokens\n\n{json.dumps({'name': 'wall', form: value})}\n"
    tokens = Tokens(StaticTokens(written(tmp_path, text), COMMON))
    principal = tokens.principal(token, time.time())
    assert (principal.identity, principal.expires) == (("token", "wall"), float("inf"))
    for wrong in ("", value.upper(), token + " ", token[:-1], "\ud800"):
        with pytest.raises(TokenError):
            tokens.principal(wrong, time.time())


@pytest.mark.parametrize(
    "line",
    [
        "plain-token-without-json",
        "[]",
        "{}",
        '{"name": "a"}',
        '{"name": "a", "token": "fifteen letters"}',
        '{"name": "a", "token": 12345678901234567890}',
        '{"name": "", "token": "sixteen letters!"}',
        '{"name": "a\\ud83d", "token": "sixteen letters!"}',
        '{"name": "\\udc00", "sha256": "' + 64 * "a" + '"}',
        '{"token": "sixteen letters!"}',
        '{"name": "a", "sha256": "abc"}',
        '{"name": "a", "token": "sixteen letters!", "sha256": "' + 64 * "a" + '"}',
        '{"name": "a", "token": "sixteen letters!", "allwo": []}',
        '{"name": "a", "token": "sixteen letters!", "allow": ["a..b"]}',
        '{"name": "a", "token": "sixteen letters!", "deny": "a"}',
        '{"name": "a", "token": "sixteen letters!", "deny": [1]}',
    ],
)
def test_a_useless_line_is_named_by_number_and_not_repeated(tmp_path: Path, line: str) -> None:
    with pytest.raises(SettingError, match=r"^TOKENS_FILE: line 2 ") as fault:
        StaticTokens(written(tmp_path, f"# one\n{line}"), COMMON)
    assert "letters" not in str(fault.value)


def test_a_file_that_lists_nothing_is_one_that_is_being_written(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"^TOKENS_FILE: .*no token"):
        StaticTokens(written(tmp_path, "# soon\n"), COMMON)


def test_files_are_read_anew_when_they_change_and_stand_when_they_are_broken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    entry = '{{"name": "{}", "token": "token number {}"}}'
    path = tmp_path / "file"
    tokens = Tokens(StaticTokens(written(tmp_path, entry.format("a", "one!")), COMMON))
    first = tokens.principal("token number one!", 0)
    path.write_text(entry.format("b", "twoo"))
    os.utime(path, ns=(1, 1))
    assert tokens.principal("token number twoo", 0).identity == ("token", "b")
    assert tokens.revoked(first)
    with pytest.raises(TokenError):
        tokens.principal("token number one!", 0)
    for broken in (lambda: path.write_text("{"), path.unlink):
        broken()
        assert tokens.principal("token number twoo", 0).identity == ("token", "b")
    assert [each.levelname for each in caplog.records] == ["ERROR", "ERROR"]
    assert "token number" not in caplog.text


def test_the_log_names_a_holder_and_never_a_token_or_its_digest(tmp_path: Path) -> None:
    tokens = signed(tmp_path, minting.key_file("ES256"))
    names = {"ann": "ann", None: "unnamed", "x" * 1000: "x" * 79 + "…"}
    for holder, name in names.items():
        assert tokens.principal(minting.token("ES256", sub=holder), time.time()).name == name
    static = StaticTokens(
        written(tmp_path, '{"name": "wall", "token": "token number one!"}'), COMMON
    )
    wall = static.principal("token number one!", 0)
    assert wall is not None and wall.name == "wall"
    assert Principal(COMMON).name == "anyone"
