"""The `ws` of Node, which offers compression by itself: what it sends and gets compressed."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.service.browsers.test_compression import INPUT, LONG, is_the_same, payloads
from tests.support.raw_nats import RawNats
from tests.support.servers import PATIENCE, ROOT, Gateway, NatsServer, running

PROGRAM = """import WebSocket from "ws";

const [stream, count] = process.argv.slice(2);
const ws = new WebSocket(stream, { perMessageDeflate: { threshold: 0 } });
const subjects = ["node", ...Array.from({ length: 50 }, (_, n) => `node.of.many.${n}`)];
const messages = [];
let sent = 0;
ws.on("message", (data) => {
  for (const line of String(data).split("\\n")) {
    const frame = JSON.parse(line);
    if ("connection_id" in frame || frame.id < 3) {
      ws.send(JSON.stringify({ subjects, id: ++sent })); // each of these is compressed
    } else if (frame.success) {
      console.log(JSON.stringify({ extensions: ws.extensions }));
    } else {
      messages.push(frame);
      if (messages.length === Number(count)) ws.close();
    }
  }
});
ws.on("close", (code) => console.log(JSON.stringify({ code, messages })));
ws.on("error", (error) => { console.log(String(error)); process.exit(1); });
"""


@pytest.mark.parametrize("batch", [True, False])
def test_ws_reads_and_is_read_compressed(
    gateway: Gateway, raw_nats: RawNats, tools: Path, tmp_path: Path, batch: bool
) -> None:
    (tmp_path / "node_modules").symlink_to(tools)
    (tmp_path / "program.mjs").write_text(PROGRAM)
    published = [each for each in payloads() if batch or b"\n" not in each]
    stream = gateway.stream + ("?batch=1" if batch else "")
    before = gateway.figures()[INPUT]
    with subprocess.Popen(
        ["node", tmp_path / "program.mjs", stream, str(len(published))],
        stdout=subprocess.PIPE,
        text=True,
    ) as node:
        assert node.stdout is not None
        try:
            said = json.loads(node.stdout.readline())
            assert said["extensions"].startswith("permessage-deflate")
            for payload in published:
                raw_nats.publish("node", payload)
            last = json.loads(node.stdout.readline())
            assert node.wait(PATIENCE) == 0
        finally:
            node.kill()
    assert last["code"] == 1000
    is_the_same("node", last["messages"], published)
    assert gateway.figures()[INPUT] - before > len(LONG)


CLIENT_PROGRAM = """import WebSocket from "ws";
import { Client } from "./client.js";

const client = new Client({ url: process.argv[2], WebSocket });
client.addEventListener("state", () => console.log(client.state));
await client.subscribe("node", () => {});
console.log("follows");
client.close();
"""


def test_a_gateway_that_is_away_does_not_end_the_process(
    nats_server: NatsServer, tools: Path, tmp_path: Path, log: Path
) -> None:
    (tmp_path / "node_modules").symlink_to(tools)
    shutil.copy(ROOT / "page" / "js" / "client.js", tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "program.js").write_text(CLIENT_PROGRAM)
    service = Gateway(nats_server.url, log=log)
    command = ["node", tmp_path / "program.js", service.stream]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdout is not None
        try:
            assert node.stdout.readline() == "waiting\n"  # it was refused
            with running(service):
                assert "follows\n" in node.stdout
                assert node.wait(PATIENCE) == 0
        finally:
            node.kill()
