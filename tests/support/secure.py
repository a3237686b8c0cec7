"""A gateway that serves https and wss."""

from __future__ import annotations

import os
import shutil
import signal
import ssl
from pathlib import Path

from tests.support.certificates import Authority
from tests.support.servers import Gateway, until


class Secure(Gateway):
    """A gateway with a certificate of an authority, at the paths it is served from."""

    def __init__(self, nats_url: str, folder: Path, **settings: object) -> None:
        self.cert, self.key = folder / "served.pem", folder / "served.key"
        paths = {"tls_cert": self.cert, "tls_key": self.key}
        super().__init__(nats_url, log=folder / "log", **paths, **settings)

    @property
    def url(self) -> str:
        return super().url.replace("http:", "https:")

    @property
    def stream(self) -> str:
        return super().stream.replace("ws:", "wss:")

    def install(self, authority: Authority) -> None:
        for source, target in zip(authority.issue("127.0.0.1"), (self.cert, self.key), strict=True):
            shutil.copy(source, target)

    def start(self) -> None:
        self.launch()
        until(lambda: "NATS  " in self.output())

    def hang_up(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGHUP)


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.ca))
