"""Operators, accounts and users of NATS: their nkeys, JWTs and creds files, as `nsc` makes them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_ROLES = {"operator": 14 << 3, "account": 0, "user": 20 << 3}
_WITHOUT_LIMIT = dict.fromkeys(("subs", "data", "payload"), -1)
_ACCOUNT_LIMITS = dict.fromkeys(("conn", "leaf", "imports", "exports"), -1) | {"wildcards": True}


class Identity:
    """A key pair of a role (`operator`, `account`, `user`), new each time."""

    def __init__(self, role: str) -> None:
        self._role = role
        raw, prefix = secrets.token_bytes(32), _ROLES[role]
        self._private = Ed25519PrivateKey.from_private_bytes(raw)
        self.seed = _base32(bytes((0x90 | prefix >> 5, (prefix & 31) << 3)) + raw)
        self.public = _base32(bytes((prefix,)) + self._private.public_key().public_bytes_raw())

    def jwt(self, of: Identity, **claims: Any) -> str:
        """Return a JWT that this identity issues for another one, or for itself."""
        nats = {"type": of._role, "version": 2, **claims}
        body = {"iss": self.public, "sub": of.public, "name": of._role, "nats": nats}
        body |= {"iat": int(time.time()), "jti": hashlib.sha256(of.public.encode()).hexdigest()}
        head = {"typ": "JWT", "alg": "ed25519-nkey"}
        text = ".".join(_base64(json.dumps(part).encode()) for part in (head, body))
        return f"{text}.{_base64(self._private.sign(text.encode()))}"


class Operator:
    """An operator with one account, whose users sign in with creds files."""

    def __init__(self) -> None:
        self._operator, self._account = Identity("operator"), Identity("account")

    def config(self, *revoked: Identity) -> str:
        """Return the configuration of a server that trusts this operator."""
        account = self._operator.jwt(
            self._account,
            limits=_WITHOUT_LIMIT | _ACCOUNT_LIMITS,
            revocations={user.public: int(time.time()) + 60 for user in revoked},
        )
        return (
            f"operator: {self._operator.jwt(self._operator)}\nresolver: MEMORY\n"
            f"resolver_preload: {{ {self._account.public}: {account} }}\n"
        )

    def creds(self, user: Identity) -> str:
        """Return the text of a creds file for `user`."""
        jwt = self._account.jwt(user, pub={}, sub={}, **_WITHOUT_LIMIT)
        return (
            f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
            "************************* IMPORTANT *************************\n"
            "NKEY Seed printed below can be used to sign and prove identity.\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
        )


def _base32(key: bytes) -> str:
    checksum = binascii.crc_hqx(key, 0).to_bytes(2, "little")
    return base64.b32encode(key + checksum).decode().rstrip("=")


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
