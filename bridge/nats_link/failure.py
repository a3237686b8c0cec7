"""Why a NATS server cannot be used: the cause and, where it is known, the cure."""

from __future__ import annotations

import errno
import socket
from urllib.parse import ParseResult

from nats.errors import Error

_REMEDIES = (
    (
        f"[errno {errno.ECONNREFUSED}]",
        "nothing listens there, does NATS run at that port?",
    ),
    (f"[errno {socket.EAI_NONAME}]", "nobody has that name, is it right in NATS_URL?"),
    ("maximum connections exceeded", "it is full, its max_connections can be raised"),
    ("maximum account active connections", "the account is full, its limit can be raised"),
    ("attempted to connect to", "that port is for other servers, clients have another (4222)"),
    ("certificate required", "it wants a client certificate, see NATS_TLS_CERT"),
    ("issuer certificate", "NATS_TLS_CA names the CA that it is certified by"),
    ("self-signed certificate", "NATS_TLS_CA names the CA that it is certified by"),
)
_REFUSED = (
    "it refuses the credentials, see NATS_URL, NATS_USER, NATS_TOKEN, NATS_CREDS and NATS_NKEY_SEED"
)


class Failure(Error):
    """What a server did instead of taking us; `url` is without user, password and token.

    nats-py tries again after errors of its own kind.
    """

    def __init__(self, uri: ParseResult, error: Exception | str) -> None:
        said = str(error) or type(error).__name__
        self.url = shown(uri)
        remedy = _REFUSED if refuses_credentials(said) else _remedy(said)
        super().__init__(f"{said}: {remedy}" if remedy else said)


def shown(uri: ParseResult) -> str:
    """Return the URL of a server without user, password and token.

    Not by its text: a password in it that was decoded may hold what ends a host.
    """
    return f"{uri.scheme}://{uri.netloc.rpartition('@')[2]}"


def refuses_credentials(said: str) -> bool:
    """Tell whether an error is about who we are."""
    lowered = said.lower()
    return "authorization" in lowered or "authentication" in lowered


def _remedy(said: str) -> str:
    lowered = said.lower()
    return next((remedy for words, remedy in _REMEDIES if words in lowered), "")
