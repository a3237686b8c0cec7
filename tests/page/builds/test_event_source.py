"""Node's `eventsource`, a client of server-sent events that is nobody's here."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.service.browsers.test_compression import INPUT
from tests.support.servers import PATIENCE, Gateway, NatsServer, running, until
from tests.support.two_streams import two_streams

PROGRAM = """import { createRequire } from "node:module";
const { EventSource } = createRequire(process.argv[1] + "/")("eventsource");
const source = new EventSource(process.argv[2]);
source.addEventListener("notice", ({ data }) => console.log("notice", data));
source.onmessage = ({ data }) => console.log("message", data);
source.onerror = ({ code }) => console.log("error", code ?? "");
"""


def test_nodes_event_source_reads_comes_back_and_is_told_no(
    tools: Path, nats_server: NatsServer, publish: Callable[[str, bytes], None], log: Path
) -> None:
    heard = log.parent / "heard"

    def messages() -> list[int]:
        lines = (line.partition(" ") for line in heard.read_text().splitlines())
        return [json.loads(data)["data"] for kind, _, data in lines if kind == "message"]

    with running(Gateway(nats_server.url, log=log)) as service, heard.open("w") as output:
        command = ["node", "--input-type=module", "-e", PROGRAM, str(tools)]
        url = f"{service.url}/stream?subjects=node.a"
        reader = subprocess.Popen([*command, url], stdout=output)
        try:
            for number in range(2):
                until(lambda: heard.read_text().count("Successfully connected to") > number)  # noqa: B023
                before = service.figures()[INPUT]
                publish("node.a", b"%d" % number + b" " * 1000)
                until(lambda: len(messages()) == number + 1)  # noqa: B023
                assert service.figures()[INPUT] - before > 1000, "it came compressed"
                if not number:
                    service.stop()
                    until(lambda: '"code":1012' in heard.read_text())
                    service.start()
            assert messages() == [0, 1]
        finally:
            reader.kill()
            reader.wait()
        denied = [*command, f"{service.url}/stream?subjects=$SYS.>"]
        said = subprocess.check_output(denied, text=True, timeout=PATIENCE)
        assert said == "error 403\n", "it does not try again"


def test_the_past_of_two_streams_comes_once_through_kills(
    tools: Path, tmp_path: Path, log: Path
) -> None:
    heard = tmp_path / "heard"

    def messages() -> list[str]:
        lines = (line.partition(" ") for line in heard.read_text().splitlines())
        return [json.loads(data)["data"] for kind, _, data in lines if kind == "message"]

    with two_streams(tmp_path / "nats", log) as streams, heard.open("w") as output:
        command = ["node", "--input-type=module", "-e", PROGRAM, str(tools), streams.url]
        reader = subprocess.Popen(command, stdout=output)
        try:
            for _ in range(2):
                streams.publish()
                until(lambda: messages())
                streams.service.stop(signal.SIGKILL)
                streams.publish()
                streams.service.start()
                until(lambda: len(messages()) >= streams.sent)
            streams.check(messages())
            assert heard.read_text().count('"resumed":true') == 4
        finally:
            reader.kill()
            reader.wait()
