"""How the gateway signs in to NATS, and how it knows that it talks to the right server.

Files are read again for each connection, so one that has been replaced counts from the next on.
"""

from __future__ import annotations

import base64
import json
import os
import re
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import ParseResult

from nats.errors import Error

from bridge import files
from bridge.files import SettingError
from bridge.nats_link.nkeys import UserKey

_SEED = re.compile(r"\bS[A-Z2-7]{57}\b")
_JWT = re.compile(r"\beyJ[\w-]+\.([\w-]+)\.[\w-]+")


class SignInError(SettingError, Error):
    """A setting that cannot be used as it is. nats-py tries again after errors of its own kind."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """The settings for signing in to NATS, each empty if it is not given.

    `creds`, `tls_ca`, `tls_cert` and `tls_key` are paths, `nkey_seed` is a seed or a path.
    """

    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    creds: str = ""
    nkey_seed: str = field(default="", repr=False)
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""

    @property
    def wants_tls(self) -> bool:
        """Whether nothing may be shown to a server without TLS, whatever its URL begins with."""
        return bool(self.tls_ca or self.tls_cert)

    def check(self, nats_url: Iterable[str] = ()) -> None:
        """Raise SignInError if a setting is missing, is useless now or contradicts another."""
        for given, needed in (
            ("user", "password"),
            ("password", "user"),
            ("tls_cert", "tls_key"),
            ("tls_key", "tls_cert"),
        ):
            if getattr(self, given) and not getattr(self, needed):
                raise SignInError(_name(needed), f"it is missing, {_name(given)} needs it")
        self._check_ways(in_url=any("@" in url for url in nats_url))
        self.credentials("")
        if self.wants_tls:
            self.tls_context()

    def _check_ways(self, *, in_url: bool) -> None:
        """Raise SignInError if two settings say who we are.

        A creds file may say more: with auth callout it leads to the account that is asked, and
        the user, or the token, is what that account decides by.
        """
        ways = [_name(way) for way in ("user", "token", "creds", "nkey_seed") if getattr(self, way)]
        if in_url:
            ways.append("NATS_URL")
        if self.creds and not self.nkey_seed:
            ways.remove("NATS_CREDS")
        if len(ways) > 1:
            raise SignInError(ways[0], f"{ways[1]} signs in as well; one of them has to go")

    def credentials(self, nonce: str | None) -> dict[str, str]:
        """Return what is to be shown to a server, by its name in the CONNECT command.

        `nonce`: what the server wants signed; one that asks for no signature is shown none.
        Raises SignInError.
        """
        shown: dict[str, str] = {}
        if self.user:
            shown = {"user": self.user, "pass": self.password}
        elif self.token:
            shown = {"auth_token": self.token}
        if nonce is not None and self.creds:
            jwt, key = self._read_creds()
            return {**shown, "jwt": jwt} | ({"sig": key.sign(nonce)} if key else {})
        if nonce is not None and self.nkey_seed:
            key = self._read_nkey()
            return {"nkey": key.public, "sig": key.sign(nonce)}
        return shown

    def _read_creds(self) -> tuple[str, UserKey | None]:
        """Return the JWT in the file, and the key; None for one that needs no signature."""
        text = _read("NATS_CREDS", self.creds)
        jwt, seed = _JWT.search(text), _SEED.search(text)
        if jwt is None:
            raise SignInError("NATS_CREDS", "the file does not hold the JWT of a user")
        if seed is None:
            return jwt[0], None
        key = _user_key("NATS_CREDS", seed[0])
        try:
            claims = json.loads(base64.urlsafe_b64decode(jwt[1] + "=="))
            matching = claims["sub"] == key.public
        except (ValueError, KeyError, TypeError):
            matching = False
        if not matching:
            raise SignInError("NATS_CREDS", "the JWT in the file is not that of the seed in it")
        return jwt[0], key

    def _read_nkey(self) -> UserKey:
        given = _SEED.fullmatch(self.nkey_seed)
        seed = given or _SEED.search(_read("NATS_NKEY_SEED", self.nkey_seed))
        if seed is None:
            raise SignInError("NATS_NKEY_SEED", "the file does not hold the seed of a user (SU…)")
        return _user_key("NATS_NKEY_SEED", seed[0])

    def tls_context(self) -> ssl.SSLContext:
        """Return what TLS is made with: the server needs a certificate, for the name it goes by.

        Raises SignInError.
        """
        context = ssl.create_default_context()
        if self.tls_ca:
            _read("NATS_TLS_CA", self.tls_ca)
            try:
                context = ssl.create_default_context(cafile=os.path.expanduser(self.tls_ca))
            except OSError as error:
                raise SignInError("NATS_TLS_CA", files.openssl_reason(error)) from None
        if self.tls_cert:
            _read("NATS_TLS_CERT", self.tls_cert)
            _read("NATS_TLS_KEY", self.tls_key)
            chain = os.path.expanduser(self.tls_cert), os.path.expanduser(self.tls_key)
            try:
                # An empty password, so that OpenSSL does not ask for one on the terminal.
                context.load_cert_chain(*chain, password="")
            except OSError as error:
                reason = f"it is of no use with NATS_TLS_KEY: {files.openssl_reason(error)}"
                raise SignInError("NATS_TLS_CERT", reason) from None
        return context


def sign_in_of(url: ParseResult) -> SignIn | None:
    """Return what a URL shows its server: a user and a password, or a token."""
    if not url.username:
        return None
    if url.password is None:
        return SignIn(token=url.username)
    return SignIn(user=url.username, password=url.password)


def _name(setting: str) -> str:
    return f"NATS_{setting.upper()}"


def _read(setting: str, path: str) -> str:
    try:
        return files.read(setting, path, errors="replace")
    except SettingError as error:
        raise SignInError(setting, error.reason) from None


def _user_key(setting: str, seed: str) -> UserKey:
    try:
        return UserKey(seed)
    except ValueError as error:
        raise SignInError(setting, str(error)) from None
