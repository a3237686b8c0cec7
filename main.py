"""A gateway between NATS and browsers: open the page, type subjects, see live messages."""

import signal
import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 14):
    sys.exit(f"Python 3.11 to 3.14 is needed, this is {sys.version.split()[0]}.")

# Until the service can end in an orderly way: the first process of a container would not even
# notice a SIGTERM, and Ctrl-C would print a traceback.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
signal.signal(signal.SIGINT, lambda *_: sys.exit(130))

# Before the rest is imported: a setting that is wrong, or --help, is answered at once.
from bridge.settings import command_line

config = command_line.load(sys.argv[1:])

# With several WORKERS this process starts them all, and comes no further.
from bridge.service import workers

worker = workers.begin(config)

import asyncio
import random
from pathlib import Path

import msgspec
from aiohttp import web

from bridge.access.authentication import Admission
from bridge.access.operators import Operators
from bridge.access.policy import OriginPolicy
from bridge.access.proxies import Caller, TrustedProxies
from bridge.nats_link.default_server import EMBEDDED
from bridge.replicas.connection_list import Registrar
from bridge.replicas.forwarding import Replicas
from bridge.service.app import Service
from bridge.service.next_steps import NextSteps
from bridge.telemetry import events, logs
from bridge.telemetry.metrics import CONTENT_TYPE, Metrics
from bridge.telemetry.throttled_log import Refusals
from bridge.telemetry.worker_figures import Board
from bridge.web.assets import Assets, add_security_headers
from bridge.web.capacity import Door, refusal
from bridge.web.websocket import WebSocket
from bridge.wire import messages
from handler import WSSManager, html

logs.set_up(config.log_level, config.log_format, worker.name)
if worker.number == 1:
    command_line.warn_of_misspelt_names()

refusals = Refusals()
app = Service(config.nats_url, sign_in=config.sign_in, refusals=refusals)
if worker.embedded:
    app.nats_watch.kind = EMBEDDED
proxies = TrustedProxies(config.trusted_proxies)
door = Door(
    config.max_connections,
    config.max_connections_per_address,
    config.request_timeout,
    proxies,
    app.counters,
    refusals,
)
web_app = web.Application(client_max_size=config.max_request_bytes)
web_app.on_response_prepare.append(add_security_headers)
shared = worker.count > 1
app.setup_web_server(config.http_host, config.http_port, web_app, door, config.tls, shared=shared)

manager = WSSManager(app, config.limits, config.policy, app.counters)
replicas = Replicas(app, manager.answer_post)
registrar = Registrar(app, replicas.name, manager.connections)
admission = Admission(
    config.policy,
    app.counters,
    config.tokens(),
    anonymous=config.allow_anonymous,
    token_timeout=config.token_timeout,
    refusals=refusals,
    address_of=lambda request: caller_of(request).address,
)
operators = Operators(config.operator_token.get_secret_value(), admission.refuse)
app.on_nats_change.append(manager.nats_changed)
app.on_stop += [admission.close, manager.close, refusals.tell_rest]

origins = OriginPolicy(config.allowed_origins)
assets = Assets(Path(__file__).parent / "page")
metrics = Metrics(
    app.counters,
    {
        "bridge_connections": lambda: len(manager.connections),
        "bridge_connections_limit": lambda: door.limit,
        "bridge_patterns": lambda: len(manager.ssid_map),
        "bridge_messages_pending": lambda: manager.pending_messages,
        "bridge_nats_subscriptions": lambda: app.nats_watch.subscriptions,
        "bridge_nats_up": lambda: app.nats_watch.trouble is None,
        "bridge_nats_round_trip_seconds": lambda: app.nats_watch.round_trip,
        "bridge_event_loop_lag_max_seconds": lambda: app.lag_watch.worst,
        "bridge_tasks": lambda: len(asyncio.all_tasks()),
    },
    lambda: app.nats_watch.trouble,
)
board = Board(worker.figures, worker.number, metrics.text)
app.background.append(board.keep_up)

test_msg = {
    "key1": "value1",
    "key2": 2,
    "key3": 3.0,
    "key4": [1, 2, 3, 4],
    "key5": {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5},
    "key6": {"subkey1": "1", "subkey2": 2, "3": 3, "4": 4, "5": 5},
    "key7": None,
}

if config.publish_test_messages and worker.number == 1:

    @app.task(interval=1)
    async def publish_periodically_for_test() -> None:
        """Publish a message with a new `key3`."""
        test_msg["key3"] = random.random()  # noqa: S311  not a secret
        await app.publish("test.subject", test_msg)


if worker.number == 1:
    next_steps = NextSteps(
        lambda: app.nats_watch.server,
        test_messages=config.publish_test_messages,
        signs_in=config.signs_in,
        terminal=not logs.is_json(config.log_format) and sys.stdout.isatty(),
    )
    app.on_nats_change.append(next_steps)


@app.http.get("/")
async def web_page(request: web.Request) -> web.Response:
    """Web client to view the NATS stream."""
    return web.Response(text=html, content_type="text/html")


@app.http.get("/page/{name:.+}")
async def page_file(request: web.Request) -> web.Response:
    """A style sheet, script or picture of the web client."""
    return assets.response(request.match_info["name"], request)


@app.http.get("/stream")
async def web_endpoint_listener(request: web.Request) -> web.StreamResponse:
    """WebSocket connection."""
    caller = caller_of(request)
    refuse_foreign_page(request, caller)
    visitor = admission.visitor(request)
    if app.trouble == "stopping":
        raise refusal("Try again later.")
    taken = len(manager.connections) + admission.waiting
    with door.place_for(caller.address, request.remote or "", taken):
        ws = await open_websocket(request)
        visit = await admission.visit(ws, request, visitor)
        if visit is None:
            return ws
        visit.address = caller.address
        connection_id = replicas.new_connection_id()
        await ws.send_str(messages.greeting(connection_id).decode())
        batch = request.query.get("batch") == "1"
        return await manager.client_listener(ws, connection_id, batch=batch, visit=visit)


@app.http.post("/stream")
async def web_endpoint_request(request: web.Request) -> web.Response:
    """Subscribe or unsubscribe a live connection, here or at another replica."""
    refuse_foreign_page(request, caller_of(request))
    visitor = admission.visitor_of_post(request)
    body = await door.body_of(request)
    status, lines = await replicas.answer_post(body, visitor.identity)
    answer = b"[%b]\n" % b",".join(lines)
    return web.Response(status=status, body=answer, content_type="application/json")


@app.http.get("/connections")
async def connections(request: web.Request) -> web.Response:
    """Who is connected, here and at other replicas; for operators."""
    operators.check(request)
    roster = msgspec.json.encode(await registrar.roster())
    return web.Response(body=roster, content_type="application/json")


@app.http.get("/livez")
async def livez(request: web.Request) -> web.Response:
    """The process runs."""
    return web.json_response({"status": "ok"})


@app.http.get("/readyz")
async def readyz(request: web.Request) -> web.Response:
    """Messages flow; 503 with the reason if not."""
    trouble = app.trouble
    return web.json_response({"status": trouble or "ok"}, status=503 if trouble else 200)


@app.http.get("/metrics")
async def figures(request: web.Request) -> web.Response:
    """Figures for Prometheus."""
    return web.Response(body=board.text(), headers={"Content-Type": CONTENT_TYPE})


async def open_websocket(
    request: web.Request, most: int = config.max_request_bytes
) -> web.WebSocketResponse:
    """Upgrade to a WebSocket for requests of up to `most` bytes."""
    ws = WebSocket(most, app.counters)
    try:
        await ws.prepare(request)
    except ValueError:
        # aiohttp decodes some headers, and repeats others, without a look at whether it can.
        raise web.HTTPBadRequest(text="This is not a request.\n") from None
    return ws


def caller_of(request: web.Request) -> Caller:
    """Return who made a request and how, from a trusted proxy's headers if it came through one."""
    return proxies.caller(request.remote or "", request.scheme, request.host, request.headers)


def refuse_foreign_page(request: web.Request, caller: Caller) -> None:
    """Answer 403 to a web page of another origin; browsers send its cookies along all the same."""
    origin = request.headers.get("Origin")
    if not origins.allows(origin, caller.scheme, caller.host):
        app.counters.refused_origin += 1
        name = messages.shorten(repr(origin))
        shown = messages.shorten(origin or "")
        refusals.add(events.REFUSED_ORIGIN, address=caller.address, origin=shown)
        raise web.HTTPForbidden(text=f"The origin {name} is not allowed; see ALLOWED_ORIGINS.\n")


if __name__ == "__main__":
    app.start()
