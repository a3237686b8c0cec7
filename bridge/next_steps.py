"""What a person who has just started the service on a terminal can do next."""

from __future__ import annotations

from collections.abc import Callable

from bridge.logs import say


class NextSteps:
    """Tells them once, when messages flow for the first time: only then is the NATS server known.

    `server` returns its URL. `subject` is one to begin with; `secret`: whether the server wants to
    know who publishes.
    """

    def __init__(self, server: Callable[[], str], subject: str, *, secret: bool) -> None:
        self._server, self._subject, self._secret = server, subject, secret
        self._told = False

    def __call__(self, up: bool) -> None:
        """Take a change of NATS, as `on_nats_change` asks for."""
        if up and not self._told:
            self._told = True
            for line in lines(self._server(), self._subject, secret=self._secret):
                say(line)


def lines(server: str, subject: str, *, secret: bool = False) -> list[str]:
    """Return what is told; `server` without a password."""
    sign_in = "  (and your sign-in)" if secret else ""
    return [
        f"next  open the page, type {subject}, press Enter",
        f"      nats pub -s {server} {subject} hello{sign_in}",
        "      Ctrl-C stops the service",
    ]
