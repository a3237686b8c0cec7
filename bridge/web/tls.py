"""The certificate that browsers are shown."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass

from bridge import files
from bridge.files import SettingError


@dataclass(frozen=True, slots=True)
class TLS:
    """Paths of a certificate (with its chain) and of its key, in PEM; both empty for none."""

    cert: str = ""
    key: str = ""

    def __bool__(self) -> bool:
        return bool(self.cert or self.key)

    def context(self) -> ssl.SSLContext:
        """Return what new connections are made with: TLS 1.2 or later. Raises SettingError."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.load_into(context)
        return context

    def load_into(self, context: ssl.SSLContext) -> None:
        """Read the files again, for connections from now on.

        Raises SettingError, and then the context goes on with what it had.
        """
        for setting, path in (("TLS_CERT", self.cert), ("TLS_KEY", self.key)):
            self._check(setting, path)
        try:
            # First into one that can be spoilt: a key that does not fit is noticed too late.
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
            self._load(context)
        except OSError as error:
            reason = f"it is of no use with TLS_KEY: {files.openssl_reason(error)}"
            raise SettingError("TLS_CERT", reason) from None

    def _load(self, context: ssl.SSLContext) -> None:
        # An empty password, so that OpenSSL does not ask for one on the terminal.
        cert, key = os.path.expanduser(self.cert), os.path.expanduser(self.key)
        context.load_cert_chain(cert, key, password="")

    def _check(self, setting: str, path: str) -> None:
        if not path:
            other = "TLS_KEY" if setting == "TLS_CERT" else "TLS_CERT"
            raise SettingError(setting, f"it is missing, {other} needs it")
        files.read(setting, path, errors="replace")
