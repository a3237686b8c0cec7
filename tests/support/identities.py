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

_MAY_DO_ANYTHING: dict[str, Any] = {"pub": {}, "sub": {}, **_WITHOUT_LIMIT}


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
        return self.jwt_for(of.public, of._role, **claims)

    def jwt_for(self, subject: str, kind: str, audience: str = "", **claims: Any) -> str:
        """Return a JWT of a `kind` for who has the public key `subject`."""
        nats = {"type": kind, "version": 2, **claims}
        body = {"iss": self.public, "sub": subject, "name": kind, "nats": nats}
        body |= {"iat": int(time.time()), "jti": hashlib.sha256(subject.encode()).hexdigest()}
        if audience:
            body["aud"] = audience
        head = {"typ": "JWT", "alg": "ed25519-nkey"}
        text = ".".join(_base64(json.dumps(part).encode()) for part in (head, body))
        return f"{text}.{_base64(self._private.sign(text.encode()))}"


class Operator:
    """An operator with one account, whose users sign in with creds files."""

    def __init__(self) -> None:
        self._operator, self._account = Identity("operator"), Identity("account")
        self._system = Identity("account")
        self._more: dict[str, Any] = {}

    def ask(self, decider: Identity) -> None:
        """Have `decider`, a user of the account, decide who else may sign in (auth callout)."""
        authorization = {"auth_users": [decider.public], "allowed_accounts": ["*"]}
        self._more = {"authorization": authorization}

    def decision(self, request: str, users: dict[str, str]) -> str:
        """Return the answer to a request of the server: whether it names one of the `users`."""
        asked = json.loads(base64.urlsafe_b64decode(request.split(".")[1] + "=="))["nats"]
        shown, subject = asked["connect_opts"], asked["user_nkey"]
        if users.get(shown.get("user"), object()) == shown.get("pass"):
            given = {"jwt": self._account.jwt_for(subject, "user", **_MAY_DO_ANYTHING)}
        else:
            given = {"error": "not one of ours"}
        audience = asked["server_id"]["id"]
        return self._account.jwt_for(subject, "authorization_response", audience, **given)

    def config(self, *revoked: Identity) -> str:
        """Return the configuration of a server that trusts this operator."""
        account = self._operator.jwt(
            self._account,
            limits=_WITHOUT_LIMIT | _ACCOUNT_LIMITS,
            **self._more,
            revocations={user.public: int(time.time()) + 60 for user in revoked},
        )
        system = self._operator.jwt(self._system, limits=_WITHOUT_LIMIT | _ACCOUNT_LIMITS)
        return (
            f"operator: {self._operator.jwt(self._operator)}\nresolver: MEMORY\n"
            f"resolver_preload: {{ {self._account.public}: {account},"
            f" {self._system.public}: {system} }}\n"
            f"system_account: {self._system.public}\n"
        )

    def sentinel(self, user: Identity) -> str:
        """Return the text of a creds file with a bearer JWT alone: it may do nothing itself."""
        deny = {"pub": {"deny": [">"]}, "sub": {"deny": [">"]}, "bearer_token": True}
        jwt = self._account.jwt(user, **_WITHOUT_LIMIT, **deny)
        return f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n"

    def creds(self, user: Identity) -> str:
        """Return the text of a creds file for `user`."""
        jwt = self._account.jwt(user, **_MAY_DO_ANYTHING)
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
