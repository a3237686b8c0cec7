"""A gateway between NATS and browsers: open the page, type subjects, see live messages."""

import gc
import os
import signal
import sys

from bridge import system

system.check()

# What is imported stays, and looking for garbage among it takes a tenth of the start. `app.start`
# sets what is right for a service.
gc.set_threshold(100_000)

# Until the service can end in an orderly way: the first process of a container would not even
# notice a SIGTERM, and Ctrl-C would print a traceback. Not by an exception, which some modules
# written in C take for a failure while they are imported.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
signal.signal(signal.SIGINT, lambda *_: os._exit(130))
signal.signal(signal.SIGQUIT, lambda *_: os._exit(0))
# These mean something later, and would end it until then.
for later in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(later, lambda *_: None)

# Before the rest is imported: a setting that is wrong, or --help, is answered at once. And with
# several WORKERS this process starts them all, and comes no further.
from bridge.service import workers
from bridge.settings import command_line

config = command_line.load(sys.argv[1:])
worker = workers.begin(config)

import random
from pathlib import Path

import msgspec
from aiohttp import web

from bridge.history.history import History
from bridge.publishing.over_http import Answer, Call, OverHttp
from bridge.publishing.publisher import Publisher
from bridge.replicas.directory import ConnectionDirectory
from bridge.replicas.forwarding import Replicas
from bridge.replicas.presence import Presence
from bridge.service.app import Service
from bridge.service.figures import Figures
from bridge.telemetry import logs
from bridge.telemetry.worker_figures import CONTENT_TYPE
from bridge.web.assets import Assets
from bridge.web.handshake import asks_for_http_stream
from bridge.wire import responses
from bridge.wire.codes import OK
from bridge.wire.framing import BATCHES, FRAMES
from handler import WSSManager, html

logs.set_up(config.log_level, config.log_format, worker.name)
if worker.number == 1:
    command_line.warn_of_what_is_not_used(config)
    command_line.warn_of_wide_tokens(config)

app = Service(config, worker)
limits = config.limits
publisher = Publisher(
    lambda: app.nats_client,
    app.counters,
    lambda: config.publish_policy(app.nats_watch.kind),
    limits.publishing,
    app.throttled,
)
over_http = OverHttp(publisher, limits.publishing, app.counters)
presence = Presence(app)
manager = WSSManager(
    app,
    limits,
    config.policy,
    app.counters,
    publisher,
    lambda client: History(
        client,
        prefix=f"nats_bridge-{presence.name}",
        max_streams=config.max_history_streams,
        max_replay=config.max_replay,
    ),
)
replicas = Replicas(app, manager.actions, presence)
directory = ConnectionDirectory(app, presence, manager.connections, manager.streams.places)
assets = Assets(Path(__file__).parent / "page", html)
figures = Figures(app, manager, worker)
app.on_nats_change.append(manager.nats_changed)
app.on_stop.append(manager.close)

TEST_SUBJECT = "test.subject"
test_msg = {
    "key1": "value1",
    "key2": 2,
    "key3": 3.0,
    "key4": [1, 2, 3, 4],
    "key5": {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5},
    "key6": {"subkey1": "1", "subkey2": 2, "3": 3, "4": 4, "5": 5},
    "key7": None,
}

if config.test_messages and worker.number == 1:

    @app.task(interval=1)
    async def publish_periodically_for_test() -> None:
        """Publish a message with a new `key3`."""
        test_msg["key3"] = random.random()  # noqa: S311  not a secret
        await app.publish(TEST_SUBJECT, test_msg)


@app.http.get("/")
async def web_page(request: web.Request) -> web.Response:
    """Web client to view the NATS stream."""
    return assets.page(request)


@app.http.get("/page/{name:.+}")
async def page_file(request: web.Request) -> web.Response:
    """A style sheet, script or picture of the web client."""
    return assets.response(request.match_info["name"], request)


@app.http.get("/stream")
async def web_endpoint_listener(request: web.Request) -> web.StreamResponse:
    """WebSocket connection; or a response that goes on, for who asks for no upgrade."""
    if asks_for_http_stream(request):
        async with app.gate.http_stream(request) as (stream, login):
            if login is None:
                return stream
            connection_id = replicas.new_connection_id()
            query = request.query.items()
            return await manager.stream_listener(stream, connection_id, query, login=login)
    way = BATCHES.get(request.query.get("batch", ""), FRAMES)
    with await app.gate.websocket(request) as (ws, login):
        if login is not None:
            connection_id = replicas.new_connection_id()
            await app.nats_chosen.wait()
            who = login.principal
            await ws.send_str(
                responses.greeting(
                    connection_id,
                    allow=who.policy.allow,
                    deny=who.policy.deny,
                    publish=publisher.is_open_to(who),
                    history=who.history.is_open,
                    test_subject=TEST_SUBJECT if config.test_messages else "",
                ).decode()
            )
            await manager.client_listener(ws, connection_id, framing=ws.framing(way), login=login)
        return ws


@app.http.options("/stream")
@app.http.options("/publish/{subject:.+}")
@app.http.options("/request/{subject:.+}")
async def web_endpoint_preflight(request: web.Request) -> web.Response:
    """What a browser asks before it lets a page of another origin POST."""
    return app.gate.preflight(request)


@app.http.post("/stream")
async def web_endpoint_request(request: web.Request) -> web.Response:
    """Subscribe or unsubscribe a live connection, here or at another replica."""
    body, principal = await app.gate.post(request)
    status, lines = await replicas.answer_post(body, principal.identity)
    answer = b"[%b]\n" % b",".join(lines)
    return web.Response(status=status, body=answer, content_type="application/json")


@app.http.post("/publish/{subject:.+}")
async def web_endpoint_publish(request: web.Request) -> web.Response:
    """Publish the body."""
    return answer(await over_http.publish(await call(request)))


@app.http.post("/request/{subject:.+}")
async def web_endpoint_ask(request: web.Request) -> web.Response:
    """Ask whoever answers on the subject."""
    return answer(await over_http.request(await call(request)))


async def call(request: web.Request) -> Call:
    """Return who publishes what; raises what the gate does."""
    body, principal = await app.gate.post(request)
    subject, address = request.match_info["subject"], app.gate.address_of(request)
    return Call(subject, body, request.query, request.headers, principal, address)


def answer(said: Answer) -> web.Response:
    """Return what is answered over HTTP."""
    charset = "utf-8" if said.content_type.startswith("text/") else None
    return web.Response(
        status=said.status, body=said.body, content_type=said.content_type, charset=charset
    )


@app.http.get("/connections")
async def connections(request: web.Request) -> web.Response:
    """Who is connected, here and at other replicas; for operators."""
    app.gate.operator(request)
    everyone = msgspec.json.encode(await directory.everyone())
    return web.Response(body=everyone, content_type="application/json")


@app.http.get("/livez")
async def livez(request: web.Request) -> web.Response:
    """The process runs."""
    return web.json_response({"status": OK})


@app.http.get("/readyz")
async def readyz(request: web.Request) -> web.Response:
    """Messages flow; 503 with the reason if not."""
    return web.json_response({"status": app.trouble or OK}, status=503 if app.trouble else 200)


@app.http.get("/metrics")
async def metrics(request: web.Request) -> web.Response:
    """Figures for Prometheus."""
    return web.Response(body=figures.text(), headers={"Content-Type": CONTENT_TYPE})


if __name__ == "__main__":
    app.start()
