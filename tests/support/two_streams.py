"""Two streams, one slower than the other, for clients that are not ours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.jetstream import jetstream
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, http, running, until

FAST, SLOW = "fast", "slow"


class TwoStreams:
    """Publishes to both; `url` asks for all of both, `service` is the gateway."""

    def __init__(self, nats: RawNats, service: Gateway) -> None:
        self.service = service
        self.url = f"{service.url}/stream?subjects={FAST}.a&subjects={SLOW}.a&history=all"
        self._nats = nats
        self._sent = dict.fromkeys((FAST, SLOW), 0)
        for name in self._sent:
            config = {"name": name, "subjects": [f"{name}.>"], "allow_direct": True}
            nats.publish(f"$JS.API.STREAM.CREATE.{name}", json.dumps(config).encode())
        until(lambda: http(f"{self.url}&live=false")[1].count('"status":"live"') == 2)

    @property
    def sent(self) -> int:
        """How many messages have been published."""
        return sum(self._sent.values())

    def publish(self) -> None:
        """Publish a hundred messages to the one, and five to the other."""
        for number in range(100):
            for name in self._sent if number % 20 == 0 else (FAST,):
                self._sent[name] += 1
                self._nats.publish(f"{name}.a", b'"%s%d"' % (name.encode(), self._sent[name]))

    def check(self, got: Sequence[str]) -> None:
        """See that each message came once, and those of each stream in their order."""
        for name, count in self._sent.items():
            of_it = [each for each in got if each.startswith(name)]
            assert of_it == [f"{name}{number}" for number in range(1, count + 1)]


@contextmanager
def two_streams(folder: Path, log: Path) -> Iterator[TwoStreams]:
    """Run a server with two streams, and a gateway."""
    folder.mkdir()
    with (
        running(NatsServer(folder, jetstream(folder))) as server,
        running(Gateway(server.url, log=log)) as service,
        RawNats(server.port) as nats,
    ):
        yield TwoStreams(nats, service)
