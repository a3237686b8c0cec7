"""JWTs, right ones and wrong ones, and the keys they are signed with."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

SECRET = "a secret of thirty-two bytes, or more"
PRIVATE: dict[str, Any] = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    "HS256": SECRET,
}
OTHER_RSA = rsa.generate_private_key(65537, 2048)


def public_pem(key: Any) -> str:
    """Return the public half of `key` in PEM."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def key_file(algorithm: str) -> str:
    """Return what the file JWT_KEY has to hold for `algorithm`."""
    return SECRET + "\n" if algorithm == "HS256" else public_pem(PRIVATE[algorithm])


def jwk(algorithm: str, **more: str) -> dict[str, Any]:
    """Return the public key (or the secret) for `algorithm` as a JWK."""
    if algorithm == "HS256":
        secret = base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("=")
        return {"kty": "oct", "k": secret, **more}
    algorithms = jwt.get_algorithm_by_name(algorithm)
    return {**algorithms.to_jwk(PRIVATE[algorithm].public_key(), as_dict=True), **more}


def claims(seconds: float = 60, **more: Any) -> dict[str, Any]:
    """Return claims that end in so many seconds; None as a value takes a claim away."""
    all_of_them = {"sub": "ann", "exp": time.time() + seconds, **more}
    return {name: value for name, value in all_of_them.items() if value is not None}


def token(
    algorithm: str = "ES256", seconds: float = 60, *, kid: str | None = None, **more: Any
) -> str:
    """Return a JWT that is right but for what `more` says; `kid`: the id of its key."""
    headers = {"kid": kid} if kid is not None else None
    return jwt.encode(claims(seconds, **more), PRIVATE[algorithm], algorithm, headers)


def by_hand(header: dict[str, Any], body: dict[str, Any], secret: bytes = b"") -> str:
    """Return a JWT whose header says what no library would write; HMAC with `secret`, if any."""
    text = b".".join(_base64(json.dumps(part).encode()) for part in (header, body))
    signature = hmac.digest(secret, text, hashlib.sha256) if secret else b""
    return (text + b"." + _base64(signature)).decode()


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


RSA_PEM = public_pem(PRIVATE["RS256"])
WRONG = {
    "empty": lambda: "",
    "garbage": lambda: "garbage",
    "three parts of garbage": lambda: "a.b.c",
    "not ASCII": lambda: "\u00fc.\u00fc.\u00fc",
    "alg none": lambda: by_hand({"alg": "none"}, claims()),
    "alg None": lambda: by_hand({"alg": "None", "typ": "JWT"}, claims()),
    "no alg": lambda: by_hand({"typ": "JWT"}, claims()),
    "HMAC with the public key": lambda: by_hand({"alg": "HS256"}, claims(), RSA_PEM.encode()),
    "HMAC, called RS256": lambda: by_hand({"alg": "RS256"}, claims(), RSA_PEM.encode()),
    "another algorithm": lambda: token("HS256"),
    "a stronger hash": lambda: jwt.encode(claims(), PRIVATE["RS256"], "RS384"),
    "another key": lambda: jwt.encode(claims(), OTHER_RSA, "RS256"),
    "no signature": lambda: good().rpartition(".")[0] + ".",
    "another body": lambda: _swapped(),
    "another audience": lambda: good(aud="others"),
    "no audience": lambda: good(aud=None),
    "another issuer": lambda: good(iss="https://evil.example"),
    "no issuer": lambda: good(iss=None),
    "expired": lambda: good(seconds=-31),
    "no exp": lambda: good(exp=None),
    "exp is a word": lambda: good(exp="tomorrow"),
    "exp is huge": lambda: good(exp=10**400),
    "exp is no number": lambda: by_hand_signed({"exp": float("inf")}),
    "not yet valid": lambda: good(nbf=time.time() + 40),
    "issued in the future": lambda: good(iat=time.time() + 40),
    "sub is a list": lambda: good(sub=["ann"]),
    "sub ends with half an emoji": lambda: good(sub="ann \ud83d"),
    "grants are no object": lambda: good(nats=[]),
    "grants are no list": lambda: good(nats={"sub": {"allow": "a.>"}}),
    "grants hold no subject": lambda: good(nats={"sub": {"allow": ["a..b"]}}),
    "grants hold a number": lambda: good(nats={"sub": {"deny": [7]}}),
    "grants hold a queue": lambda: good(nats={"sub": {"allow": ["a q"]}}),
}
"""Name to a token that a gateway for RS256, audience `us` and issuer `https://id` refuses."""


def good(seconds: float = 60, **more: Any) -> str:
    """Return a token that this gateway accepts, but for what `more` says."""
    return token("RS256", seconds, **{"aud": "us", "iss": "https://id", **more})


def by_hand_signed(more: dict[str, Any]) -> str:
    """Return a good token with claims that no library would write, signed all the same."""
    return jwt.encode(
        {"sub": "ann", "aud": "us", "iss": "https://id", **more}, PRIVATE["RS256"], "RS256"
    )


def _swapped() -> str:
    head, _, tail = good().split(".")
    return f"{head}.{good(sub='eve').split('.')[1]}.{tail}"
