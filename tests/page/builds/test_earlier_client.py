"""The client as it was before messages had options, which pages may have kept: it notices nothing.

`client-before-options.mjs` is that file, unchanged.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.service.browsers.test_compression import INPUT, LONG
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, NatsServer, running, until

CLIENT = Path(__file__).parent / "client-before-options.mjs"
PROGRAM = """import WebSocket from "ws";
import { Client } from "./client.mjs";

class Heard extends WebSocket {
  constructor(url) {
    super(url);
    this.on("error", () => {}); // that client hears of none, and `ws` would end the process
  }
}
const say = (...said) => console.log(JSON.stringify(said));
const client = new Client({ url: process.argv[2], WebSocket: Heard });
client.addEventListener("gap", ({ detail }) => say("gap", detail.causes));
client.addEventListener("error", ({ detail }) => say("error", String(detail)));
client.subscribe("$SYS.>", () => {}).catch(({ code }) => say("refused", code));
await client.subscribe("earlier.*", ({ subject, data }) => say("message", subject, data));
await client.subscribe("earlier.>", () => {});
say("follows");
"""
HEADERS = b"NATS/1.0\r\nA: b\r\n\r\n"


def test_it_reads_is_refused_and_comes_back(
    tools: Path, nats_server: NatsServer, raw_nats: RawNats, tmp_path: Path, log: Path
) -> None:
    (tmp_path / "node_modules").symlink_to(tools)
    shutil.copy(CLIENT, tmp_path / "client.mjs")
    (tmp_path / "program.mjs").write_text(PROGRAM)
    heard = tmp_path / "heard"

    def said() -> list[Any]:
        return [json.loads(line) for line in heard.read_text().splitlines()]

    with running(Gateway(nats_server.url, log=log)) as service, heard.open("w") as output:
        command = ["node", tmp_path / "program.mjs", service.stream]
        node = subprocess.Popen(command, stdout=output)
        try:
            until(lambda: len(said()) == 2)
            assert sorted(said()) == [["follows"], ["refused", "denied"]]
            raw_nats.publish("earlier.a", b'{"a":\n1.50}', reply="to.me", headers=HEADERS)
            raw_nats.publish("earlier.b", b"no json")
            raw_nats.publish("earlier.c", LONG, headers=HEADERS)
            until(lambda: len(said()) == 5)
            assert said()[2:] == [
                ["message", "earlier.a", {"a": 1.5}],
                ["message", "earlier.b", "no json"],
                ["message", "earlier.c", json.loads(LONG)],
            ]
            assert service.figures()[INPUT] > len(LONG)
            service.stop()
            service.start()
            until(lambda: len(said()) == 6)
            assert said()[5] == ["gap", ["disconnected"]]
            raw_nats.publish("earlier.d", b"1")
            until(lambda: len(said()) == 7)
            assert said()[6] == ["message", "earlier.d", 1]
        finally:
            node.kill()
            node.wait()
