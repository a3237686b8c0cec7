"""A steady stream of messages into NATS, for tests of how the page bears it."""

from __future__ import annotations

import json
import threading
import time
from types import TracebackType

from tests.support.raw_nats import RawNats

TURN = 0.01
"""Seconds between two packets of messages."""


class Flood:
    """Publishes `total` messages of `size` bytes at `rate` a second, in a thread of its own."""

    def __init__(self, port: int, subject: str, rate: int, total: int, size: int = 200) -> None:
        self.sent = 0
        self._port, self._subject, self._size = port, subject.encode(), size
        self._rate, self._total = rate, total
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def wait(self, timeout: float) -> None:
        """Return when all has been published."""
        self._thread.join(timeout)
        assert not self._thread.is_alive(), f"{self.sent} of {self._total} after {timeout} s"

    def _run(self) -> None:
        with RawNats(self._port) as client:
            began = time.monotonic()
            while self.sent < self._total and not self._stopped.is_set():
                due = min(self._total, int((time.monotonic() - began) * self._rate))
                batch = (self._command(number) for number in range(self.sent, due))
                client.send(b"".join(batch))
                self.sent = due
                self._stopped.wait(TURN)

    def _command(self, number: int) -> bytes:
        subject = b"%s.%d" % (self._subject, number % 50)
        return RawNats.command(subject, self._payload(number))

    def _payload(self, number: int) -> bytes:
        head = {"number": number, "id": 9007199254740993 + number, "fill": ""}
        short = json.dumps(head)
        return json.dumps(head | {"fill": "x" * (self._size - len(short))}).encode()

    def __enter__(self) -> Flood:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()
