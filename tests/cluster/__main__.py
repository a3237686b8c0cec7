"""Kills each container of the cluster in turn, under load, and shows what browsers notice.

    make cluster

Needs Docker with compose; takes about four minutes, and the first time those for the image. The
exit status is 1 if a page of a gateway that is gone was not back at another one within 5 seconds
(of one that is frozen 35: only its silence tells), or if one of another gateway noticed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Callable

from tests.cluster.compose import PROJECT, Cluster
from tests.cluster.page import PATTERN, SILENCE, STEADY, Page
from tests.cluster.report import BACK_WITHIN, HEAD, Row
from tests.soak.checker import Findings
from tests.soak.crowd import reached
from tests.soak.publisher import Publisher
from tests.support.servers import PATIENCE, http

EVERY = 0.05
"""Seconds between two messages through each NATS server."""


class Demonstration:
    """Pages that are open through the balancer, publishers at each NATS server."""

    def __init__(self, cluster: Cluster, count: int) -> None:
        self.cluster = cluster
        self.findings = Findings()
        self.publishers = [
            Publisher(f"cluster.{n}", port, EVERY) for n, port in enumerate(cluster.nats_ports, 1)
        ]
        numbers = {each.subject: each.numbers for each in self.publishers}
        stream = cluster.url.replace("http", "ws") + "/stream"
        self.pages = [Page(stream, numbers, self.findings) for _ in range(count)]

    async def run(self) -> list[Row]:
        """Open the pages, kill what can be killed, return what it came to."""
        tasks = [asyncio.create_task(each.run()) for each in self.publishers]
        tasks += [asyncio.create_task(each.live()) for each in self.pages]
        try:
            assert await self._all_flow(time.monotonic()), "no messages come"
            print(await asyncio.to_thread(self._ask_for_each), *HEAD, sep="\n", flush=True)
            rows = await self._strike_all()
            print("", await asyncio.to_thread(self._ask_for_each), sep="\n", flush=True)
            return rows
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _ask_for_each(self) -> str:
        """Make a request for the connection of each page, at whichever gateway it comes to."""
        for page in self.pages:
            request = {"connection_id": page.connection_id, "subjects": [PATTERN]}
            status, text = http(f"{self.cluster.url}/stream", json.dumps(request).encode())
            assert status == 200, f"POST /stream: {status} {text}"
        roster = self.cluster.roster()
        listed = {each["connection_id"] for each in roster["connections"]}
        assert roster["complete"] and listed == {each.connection_id for each in self.pages}
        spread = ", ".join(str(each["connections"]) for each in roster["replicas"])
        return (
            f"POST /stream reached each of {len(self.pages)} pages, GET /connections lists them: "
            f"{spread}\n"
        )

    async def _strike_all(self) -> list[Row]:
        cluster = self.cluster
        rows = []
        for name in cluster.gateways:
            rows.append(await self._strike("killed", name, cluster.kill))
        rows.append(await self._strike("stopped", name, cluster.stop))
        rows.append(await self._strike("frozen", name, cluster.freeze, SILENCE + BACK_WITHIN))
        for name in cluster.nats_servers:
            rows.append(await self._strike("killed", name, cluster.kill))
        rows.append(await self._strike("killed, started", cluster.balancer, cluster.crash))
        return rows

    async def _strike(
        self, what: str, name: str, act: Callable[[str], None], within: float = BACK_WITHIN
    ) -> Row:
        """Let something happen to a container, wait until all have messages, start it again."""
        await asyncio.sleep(STEADY)  # whoever is thrown out again before that waits for longer
        before = await asyncio.to_thread(self.cluster.connections)
        row = Row(f"{name.removeprefix(PROJECT)[1:]} {what}", self.pages, self.findings, within)
        await asyncio.to_thread(act, name)
        row.end(await self._all_flow(time.monotonic(), within), before.get(name))
        if name in before:
            await self._return(name, row)
        elif name != self.cluster.balancer:
            await asyncio.to_thread(self.cluster.start, name)
        print(row, flush=True)
        return row

    async def _return(self, name: str, row: Row) -> None:
        """Start a gateway again, and have a third of the pages loaded anew."""
        while name in await asyncio.to_thread(self.cluster.connections):
            assert row.seconds < PATIENCE, f"{name} is still taken for ready"
        row.spread = f"{await self._spread()}; "
        begun = time.monotonic()
        await asyncio.to_thread(self.cluster.start, name)
        while name not in await asyncio.to_thread(self.cluster.connections):
            assert time.monotonic() < begun + PATIENCE, f"{name} is not ready"
        row.ready_after = time.monotonic() - begun
        for page in random.sample(self.pages, len(self.pages) // 3):
            await page.reload()
        await self._all_flow(time.monotonic())
        row.spread += await self._spread()

    async def _all_flow(self, since: float, patience: float = 0) -> bool:
        """Wait until each page has got a message after `since`; return whether it came to that."""
        return await reached(
            lambda: all(each.flowed_at > since for each in self.pages), patience + PATIENCE
        )

    async def _spread(self) -> str:
        connections = await asyncio.to_thread(self.cluster.connections)
        return ", ".join(str(connections[name]) for name in sorted(connections))


def main() -> None:
    """Run, and exit with 1 if somebody noticed what nobody should have."""
    parser = argparse.ArgumentParser(prog="make cluster", description=__doc__.split("\n")[0])
    parser.add_argument("--pages", type=int, default=120)
    given = parser.parse_args()
    print("starting the cluster", flush=True)
    with Cluster() as cluster:
        rows = asyncio.run(Demonstration(cluster, given.pages).run())
    wrong = [line for row in rows for line in row.broken()]
    print(*(wrong or ["every promise was kept"]), sep="\n")
    if wrong:
        sys.exit(1)


if __name__ == "__main__":
    main()
