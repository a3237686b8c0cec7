"""What is replaced of Panini, in a process of its own: importing Panini makes an event loop."""

from __future__ import annotations

import subprocess
import sys

from tests.support.servers import ROOT

BEGIN = """
import asyncio
from bridge.service.panini_app import PaniniApp

class Client:
    def __init__(self, name):
        self.name = name
    async def connect(self, **options):
        await asyncio.sleep(0)

def app(name):
    return PaniniApp(lambda: Client(name), service_name=name, servers=["nats://127.0.0.1:1"])
"""


def told_by(program: str) -> str:
    """Return what `program` prints after `BEGIN`."""
    command = [sys.executable, "-c", BEGIN + program]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_two_apps_of_a_process_have_each_a_client_of_its_own() -> None:
    program = """
one, other = app("one"), app("other")
for each in (one, other):
    each.prepare()

async def main():
    await asyncio.gather(one.connect(), other.connect())
    print(one.nats_client.name, other.nats_client.name)

one.loop.run_until_complete(main())
"""
    assert told_by(program) == "one other\n"


def test_listeners_of_jetstream_are_refused_rather_than_never_called() -> None:
    program = """
try:
    app("one").js_listen("a.b")
except NotImplementedError as error:
    print(error)
"""
    assert told_by(program) == "JetStream listeners are not supported by this App\n"
