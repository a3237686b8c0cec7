"""The keys that JWTs are signed with, each for one algorithm, whatever a token says of itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

MIN_SECRET_BYTES = 32
MIN_RSA_BITS = 2048
MAX_FETCHED_KEYS = 100
"""A token that names no key is tried with each of them."""

_PUBLIC = re.compile(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)
_BY_SHAPE = {
    ("oct", None): "HS256",
    ("RSA", None): "RS256",
    ("EC", "P-256"): "ES256",
    ("OKP", "Ed25519"): "EdDSA",
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key; `kid` is its id, if it has one."""

    algorithm: str
    key: Any = field(repr=False)
    kid: str | None = None


def read_keys(text: str, algorithms: Iterable[str]) -> tuple[Key, ...]:
    """Return the keys for `algorithms` in a file: PEM, JWKS, or else the secret of HS256.

    Raises ValueError if there is none; its text holds nothing of the file's.
    """
    text = text.strip()
    if re.match(r"https?://", text, re.IGNORECASE):
        raise ValueError("the file holds a URL and no key: JWT_KEY takes the URL itself")
    if "-----BEGIN" in text:
        found = list(_from_pem(text))
    elif text.startswith("{"):
        found = list(_from_jwks(text))
    else:
        found = [Key("HS256", text.encode())]
    return _fit(found, algorithms, "the file")


def read_key_set(text: bytes, algorithms: Iterable[str]) -> tuple[Key, ...]:
    """Return the public keys for `algorithms` in a JWKS that was fetched.

    Raises ValueError if there is none, so that no page with an error is taken for a secret.
    """
    try:
        found = list(_from_jwks(text.decode()))
    except ValueError:
        raise ValueError("the answer is not a JWKS that can be read, of public keys") from None
    if len(found) > MAX_FETCHED_KEYS:
        raise ValueError(f"the answer holds more than {MAX_FETCHED_KEYS} keys")
    return _fit(found, algorithms, "the answer")


def _fit(found: Iterable[Key], algorithms: Iterable[str], place: str) -> tuple[Key, ...]:
    """Return the keys for `algorithms`. Raises ValueError if there is none, or a weak one."""
    keys = tuple(key for key in found if key.algorithm in tuple(algorithms))
    if not keys:
        raise ValueError(f"{place} holds no key for any of JWT_ALGORITHMS")
    for key in keys:
        if key.algorithm == "HS256" and len(key.key) < MIN_SECRET_BYTES:
            raise ValueError(f"a secret for HS256 has at least {MIN_SECRET_BYTES} bytes")
        if isinstance(key.key, RSAPublicKey) and key.key.key_size < MIN_RSA_BITS:
            raise ValueError(f"an RSA key has at least {MIN_RSA_BITS} bits")
    return keys


def _from_pem(text: str) -> Iterator[Key]:
    if "PRIVATE KEY" in text:
        raise ValueError("the file holds a private key; the public one is enough, and safer here")
    for block in _PUBLIC.findall(text):
        try:
            key = load_pem_public_key(block.encode())
        except (ValueError, UnsupportedAlgorithm):
            raise ValueError("a public key in the file cannot be read") from None
        if isinstance(key, RSAPublicKey):
            yield Key("RS256", key)
        elif isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
            yield Key("ES256", key)
        elif isinstance(key, Ed25519PublicKey):
            yield Key("EdDSA", key)


def _from_jwks(text: str) -> Iterator[Key]:
    try:
        document = json.loads(text)
        entries = document.get("keys", [document])
        shapes = [(entry, (entry.get("kty"), entry.get("crv"))) for entry in entries]
        for entry, shape in shapes:
            algorithm = _BY_SHAPE.get(shape)
            # A set may well hold keys for other uses: those are passed over.
            if algorithm is None or entry.get("alg", algorithm) != algorithm:
                continue
            if entry.get("use", "sig") != "sig":
                continue
            if algorithm != "HS256" and "d" in entry:
                raise ValueError("private")
            kid = entry.get("kid")
            yield Key(algorithm, jwt.PyJWK(entry, algorithm).key, kid)
    except (
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        RecursionError,
        jwt.PyJWTError,
    ) as error:
        if str(error) == "private":
            raise ValueError("the file holds a private key; the public ones are enough") from None
        raise ValueError("the file is not a JWKS that can be read") from None
