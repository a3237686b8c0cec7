"""The certificate that browsers are shown."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass


class TLSError(Exception):
    """A file that is of no use. The text begins with the name of its setting."""


@dataclass(frozen=True, slots=True)
class TLS:
    """Paths of a certificate (with its chain) and of its key, in PEM; both empty for none."""

    cert: str = ""
    key: str = ""

    def __bool__(self) -> bool:
        return bool(self.cert or self.key)

    def context(self) -> ssl.SSLContext:
        """Return what new connections are made with: TLS 1.2 or later. Raises TLSError."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.load_into(context)
        return context

    def load_into(self, context: ssl.SSLContext) -> None:
        """Read the files anew, for connections from now on.

        Raises TLSError, and then the context goes on with what it had.
        """
        for setting, path in (("TLS_CERT", self.cert), ("TLS_KEY", self.key)):
            self._check(setting, path)
        try:
            # First into one that can be spoilt: a key that does not fit is noticed too late.
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            self._load(context)
        except OSError as error:
            reason = getattr(error, "reason", None) or error.strerror or type(error).__name__
            reason = str(reason).lower().replace("_", " ")
            raise TLSError(f"TLS_CERT: it is of no use with TLS_KEY: {reason}") from None

    def _load(self, context: ssl.SSLContext) -> None:
        # An empty password, lest OpenSSL asks for one on the terminal.
        cert, key = os.path.expanduser(self.cert), os.path.expanduser(self.key)
        context.load_cert_chain(cert, key, password="")

    def _check(self, setting: str, path: str) -> None:
        if not path:
            other = "TLS_KEY" if setting == "TLS_CERT" else "TLS_CERT"
            raise TLSError(f"{setting}: it is missing, {other} needs it")
        path = os.path.expanduser(path)
        try:
            if os.path.exists(path) and not os.path.isfile(path):
                raise TLSError(f"{setting}: it is the path of something else than a file")
            with open(path, "rb") as file:
                file.read(1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "that is not a path"
            raise TLSError(f"{setting}: the file it names cannot be read: {reason}") from None
