"""What a person who has just started the service may want to know."""

from __future__ import annotations

from collections.abc import Callable

from bridge.telemetry import events
from bridge.telemetry.logs import say

TEST_MESSAGES = "test  a message on test.subject each second (PUBLISH_TEST_MESSAGES=false: none)"


class NextSteps:
    """Tells them once, when messages flow for the first time: only then is the NATS server known.

    `server` returns its URL. The rest is as for `lines`.
    """

    def __init__(self, server: Callable[[], str], **what: bool) -> None:
        self._server, self._what = server, what
        self._told = False

    def __call__(self, up: bool) -> None:
        """Take a change of NATS, as `on_nats_change` asks for."""
        if up and not self._told:
            self._told = True
            if self._what["test_messages"]:
                say(TEST_MESSAGES, events.TEST_MESSAGES)
            for line in lines(self._server(), **self._what):
                say(line)


def lines(server: str, *, test_messages: bool, signs_in: bool, terminal: bool) -> list[str]:
    """Return what is told; `server` is a URL without a password.

    `test_messages`: whether there are some. `signs_in`: whether `server` wants to know who comes.
    `terminal`: whether a person reads it; a log needs no next steps.
    """
    if not terminal:
        return []
    subject = "test.subject" if test_messages else "hello.world"
    sign_in = "  (and your sign-in)" if signs_in else ""
    return [
        f"next  open the page, type {subject}, press Enter",
        f"      nats pub -s {server} {subject} hello{sign_in}",
        "      Ctrl-C stops the service",
    ]
