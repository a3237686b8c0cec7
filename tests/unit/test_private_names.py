"""What libraries keep to themselves and the gateway uses all the same: each name is in one table.

A library that renames a method which is overridden here does not fail: the override is just not
called any more. So the table is held to the installed versions, and the code to the table.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import importlib
import inspect
import logging
import platform
import queue
import re
import ssl
import sys
from asyncio import sslproto
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlparse

import pytest
from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from nats.aio.client import Client, Srv
from nats.aio.subscription import Subscription
from nats.aio.transport import TcpTransport
from nats.errors import SlowConsumerError
from nats.protocol.parser import Parser

ROOT = Path(__file__).resolve().parents[2]

FILES = {
    "fanout/feed": "bridge/feed.py",
    "nats_link/canary": "bridge/canary.py",
    "nats_link/client": "bridge/nats_link.py",
    "nats_link/parser": "bridge/nats_parser.py",
    "nats_link/reconnect": "bridge/nats_reconnect.py",
    "nats_link/stock_client": "bridge/overflow.py",
    "service/app": "bridge/service.py",
    "settings/flags": "bridge/flags.py",
    "telemetry/logs": "bridge/logs.py",
    "telemetry/worker_figures": "bridge/board.py",
    "web/kernel": "bridge/kernel.py",
    "web/tcp": "bridge/arrival.py",
    "web/transport": "bridge/transport.py",
    "web/websocket": "bridge/websocket.py",
}
"""Where what the table calls by its key is."""

ALLOWED_FOLDERS = ("web", "nats_link", "service")
"""Folders of `bridge/` whose files may use private names of libraries."""

TABLE: dict[str, list[str]] = {
    "fanout/feed": ["nats.aio.subscription.Subscription()._id"],
    "nats_link/canary": [
        "async nats.aio.client.Client._send_ping(self, future)",
        "nats.aio.client.Client().stats",
    ],
    "nats_link/client": [
        # Overridden, or called of the base class
        "async nats.aio.client.Client._process_err(self, err_msg)",
        "async nats.aio.client.Client._process_msg(self, sid, subject, reply, data, headers)",
        "nats.aio.client.Client._process_info(self, info, initial_connection)",
        "async nats.aio.client.Client._process_pong(self)",
        "async nats.aio.client.Client._read_loop(self)",
        "async nats.aio.client.Client._send_ping(self, future)",
        "async nats.aio.client.Client._send_subscribe(self, sub)",
        "async nats.aio.client.Client.flush(self, timeout)",
        "def nats.aio.client.Client._connect_command(self)",
        "def nats.aio.client.Client._remove_sub(self, sid, max_msgs)",
        "def nats.aio.client.Client._setup_server_pool(self, connect_url)",
        "nats.aio.client.Client.ssl_context",
        # Called
        "async nats.aio.client.Client._flush_pending(self, ...)",
        "async nats.aio.client.Client._process_headers(self, headers)",
        "async nats.aio.client.Client._process_op_err(self, e)",
        "async nats.aio.client.Client._send_command(self, cmd, ...)",
        # Read or set
        "nats.aio.client.Client()._current_server",
        "nats.aio.client.Client()._inbox_prefix",
        "nats.aio.client.Client()._pings_outstanding",
        "nats.aio.client.Client()._pongs",
        "nats.aio.client.Client()._ps",
        "nats.aio.client.Client()._reading_task",
        "nats.aio.client.Client()._server_info",
        "nats.aio.client.Client()._server_pool",
        "nats.aio.client.Client()._subs",
        "nats.aio.client.Client().stats",
        "nats.aio.client.PING_PROTO",
        "nats.aio.client.Srv().discovered",
        "nats.aio.client.Srv().uri",
        "def nats.aio.msg.Msg.__init__(self, _client, ..., subject, reply, data, headers)",
        "nats.aio.subscription.Subscription()._cb",
        "nats.aio.subscription.Subscription()._id",
        "nats.aio.subscription.Subscription()._jsi",
    ],
    "nats_link/parser": [
        "async nats.aio.client.Client._process_msg(self, sid, subject, reply, data, headers)",
        "async nats.protocol.parser.Parser.parse(self, data)",
        "def nats.protocol.parser.Parser.__init__(self, nc)",
        "def nats.protocol.parser.Parser.reset(self)",
        "nats.protocol.parser.Parser().nc",
    ],
    "nats_link/reconnect": [
        "async nats.aio.client.Client._attempt_reconnect(self)",
        "async nats.aio.client.Client._process_connect_init(self)",
        "async nats.aio.client.Client._process_op_err(self, e)",
        "async nats.aio.client.Client._select_next_server(self)",
        "nats.aio.client.Client()._current_server",
        "nats.aio.client.Client()._error_cb",
        "nats.aio.client.Client()._flusher_task",
        "nats.aio.client.Client()._pending",
        "nats.aio.client.Client()._pending_data_size",
        "nats.aio.client.Client()._ping_interval_task",
        "nats.aio.client.Client()._pongs",
        "nats.aio.client.Client()._reading_task",
        "nats.aio.client.Client()._reconnection_task",
        "nats.aio.client.Client()._server_pool",
        "nats.aio.client.Client()._transport",
        "nats.aio.client.Client().options",
        "nats.aio.client.DEFAULT_BUFFER_SIZE",
        "nats.aio.client.Srv().last_attempt",
        "nats.aio.client.Srv().uri",
        "async nats.aio.transport.TcpTransport.connect(self, uri, buffer_size, connect_timeout)",
        "def nats.aio.transport.TcpTransport.at_eof(self)",
        "nats.aio.transport.TcpTransport()._io_writer",
    ],
    "nats_link/stock_client": [
        "nats.aio.client.Client()._error_cb",
        "async nats.aio.client._default_error_callback(ex)",
        "nats.aio.subscription.Subscription()._id",
        "nats.errors.SlowConsumerError().sid",
        "nats.errors.SlowConsumerError().subject",
    ],
    "service/app": [
        "panini.app.App()._event_manager",
        "panini.app.App()._task_manager",
        "async panini.managers.nats_client.NATSClient._establish_connection(self)",
        "async panini.managers.nats_client.NATSClient._panini_watcher(self)",
        "async panini.managers.nats_client.NATSClient.subscribe_listeners(self)",
        "def panini.managers.nats_client.NATSClient.set_listeners("
        "self, subscriptions, js_subscriptions)",
        "def panini.managers.nats_client.NATSClient.start(self)",
        "panini.managers.nats_client.NATSClient().servers",
        "panini.managers.event_manager.EventManager().subscriptions",
        "panini.managers.nats_client.NATS",
        "panini.managers.nats_client.nest_asyncio",
        "def panini.managers.task_manager.TaskManager.wrapper_for_interval_task("
        "self, interval, task)",
        "panini.managers.task_manager.TaskManager().on_start_tasks",
        "panini.managers.task_manager.TaskManager().tasks",
    ],
    "settings/flags": ["argparse.ArgumentError().argument_name"],
    "telemetry/logs": ["queue.Queue().unfinished_tasks"],
    "telemetry/worker_figures": ["prometheus_client.metrics_core.Metric"],
    "web/kernel": [
        "asyncio.sslproto.SSLProtocol()._transport",
        "asyncio.sslproto._SSLProtocolTransport()._ssl_protocol",
    ],
    "web/tcp": [
        "def aiohttp.web_protocol.RequestHandler.__init__("
        "self, manager, ..., loop, keepalive_timeout, access_log)",
        "def aiohttp.web_protocol.RequestHandler.connection_lost(self, exc)",
        "def aiohttp.web_protocol.RequestHandler.connection_made(self, transport)",
        "def aiohttp.web_protocol.RequestHandler.handle_error(self, request, status, exc, message)",
        "aiohttp.web_protocol.RequestHandler()._data_received_cb",
        "aiohttp.web_protocol.RequestHandler()._loop",
        "aiohttp.web_protocol.RequestHandler()._request_count",
        "aiohttp.abc.AbstractStreamWriter.output_size",
        "def asyncio.sslproto.SSLProtocol.__init__(self, loop, app_protocol, sslcontext, waiter,"
        " ..., server_side, ssl_handshake_timeout, ssl_shutdown_timeout)",
        "asyncio.sslproto.SSLProtocol.max_size",
    ],
    "web/transport": [
        "aiohttp.web.WebSocketResponse()._req",
        "def aiohttp.web.WebSocketResponse._reset_heartbeat(self)",
    ],
    "web/websocket": ["async aiohttp.web.WebSocketResponse.close(self, code, message, drain)"],
}
"""Where a name is used, and what is relied on: the parameters, in their order (after `...` in any
order, and with others, all of which have a default), and whether it is `async`, if that matters.
`Class().name` is there once an instance is made, `Class.name` and `module.name` from the start."""

ROW = re.compile(r"(?:(def|async) )?([\w.()]+?)(\([^)].*\))?")
"""Kind, name and parameters of a row."""
PACKAGES = {
    "aiohttp": "aiohttp",
    "nats": "nats-py",
    "panini": "panini",
    "prometheus_client": "prometheus-client",
}
DOCUMENTED = {"_replace", "_asdict", "_fields", "_make"}
"""Of named tuples: the underscore keeps them apart from the fields, and they are public."""


# What the installed libraries have


def rows() -> list[tuple[str, str]]:
    return [(key, row) for key, rows in TABLE.items() for row in rows]


def name_in(row: str) -> str:
    """Return the name that a row is about, without where it belongs; `__init__` for a class."""
    return ROW.fullmatch(row)[2].rpartition(".")[2]


def version_of(dotted: str) -> str:
    package = PACKAGES.get(dotted.partition(".")[0])
    if package is None:
        return f"Python {platform.python_version()}"
    return f"{package} {metadata.version(package)}"


def found(dotted: str) -> Any:
    """Return what `dotted` names. Raises AttributeError if it is not there."""
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            thing = getattr(thing, part)
        return thing
    raise AttributeError(dotted)


def takes(thing: Callable[..., Any], wanted: str) -> bool:
    """Tell whether `thing` has the parameters that are `wanted`."""
    parameters = inspect.signature(thing).parameters
    first, others_may_follow, anywhere = (
        [name for name in re.findall(r"\w+", part)] if part != "..." else part
        for part in wanted.partition("...")
    )
    names = list(parameters)
    if names[: len(first)] != first or not set(anywhere) <= set(names):
        return False
    others = [parameters[name] for name in names if name not in {*first, *anywhere}]
    if not others_may_follow:
        return not others
    return all(each.default is not each.empty for each in others)


def fault(row: str) -> str | None:
    """Return what is wrong about a row of the table; None if all is as it says."""
    kind, dotted, wanted = ROW.fullmatch(row).groups()
    owner, is_of_instance, name = dotted.rpartition("().")
    try:
        if is_of_instance:
            getattr(INSTANCES[owner](), name)
            return None
        thing = found(dotted)
    except AttributeError:
        return f"there is no {dotted}"
    if wanted is None:
        return None
    if not callable(thing):
        return f"{dotted} cannot be called"
    if kind and inspect.iscoroutinefunction(thing) != (kind == "async"):
        return f"{dotted} {'is no' if kind == 'async' else 'has become a'} coroutine function"
    if not takes(thing, wanted):
        return f"{dotted} takes {inspect.signature(thing)}, not {wanted}"
    return None


async def _handler(request: web.BaseRequest) -> web.Response:
    raise NotImplementedError


def _ssl_protocol() -> sslproto.SSLProtocol:
    loop, context = asyncio.get_running_loop(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    protocol = sslproto.SSLProtocol(loop, asyncio.Protocol(), context, None, server_side=True)
    protocol._get_app_transport()._closed = True  # or it would warn that nobody closed it
    return protocol


def _panini_app() -> Any:
    return found("panini.app.App")(servers=[], custom_logger=logging.getLogger("test"))


INSTANCES: dict[str, Callable[[], Any]] = {
    "aiohttp.web.WebSocketResponse": web.WebSocketResponse,
    "aiohttp.web_protocol.RequestHandler": lambda: RequestHandler(
        web.Server(_handler), loop=asyncio.get_running_loop()
    ),
    "argparse.ArgumentError": lambda: argparse.ArgumentError(None, ""),
    "asyncio.sslproto.SSLProtocol": _ssl_protocol,
    "asyncio.sslproto._SSLProtocolTransport": lambda: _ssl_protocol()._get_app_transport(),
    "nats.aio.client.Client": Client,
    "nats.aio.client.Srv": lambda: Srv(urlparse("nats://127.0.0.1:4222")),
    "nats.aio.subscription.Subscription": lambda: Subscription(Client()),
    "nats.aio.transport.TcpTransport": TcpTransport,
    "nats.errors.SlowConsumerError": lambda: SlowConsumerError("", "", 1, None),
    "nats.protocol.parser.Parser": Parser,
    "panini.app.App": _panini_app,
    "panini.managers.event_manager.EventManager": lambda: _panini_app()._event_manager,
    "panini.managers.nats_client.NATSClient": lambda: _panini_app().nats,
    "panini.managers.task_manager.TaskManager": lambda: _panini_app()._task_manager,
    "queue.Queue": queue.Queue,
}
"""How to make an instance of each class whose instances are in the table."""


@pytest.fixture(autouse=True)
def without_nest_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep Panini from changing asyncio as it is imported, as the service does."""
    stub = ModuleType("nest_asyncio")
    stub.apply = lambda: None
    if "nest_asyncio" not in sys.modules:
        monkeypatch.setitem(sys.modules, "nest_asyncio", stub)
    monkeypatch.setenv("CLIENT_NATS_NAME", "")  # Panini sets it


@pytest.mark.parametrize(("key", "row"), rows())
async def test_libraries_have_what_is_used_of_their_inside(key: str, row: str) -> None:
    wrong = fault(row)
    assert wrong is None, f"{version_of(ROW.fullmatch(row)[2])}: {wrong}; {FILES[key]} needs it"


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ("nats.aio.client.Client()._gone", "there is no nats.aio.client.Client()._gone"),
        ("nats.aio.client._gone", "there is no nats.aio.client._gone"),
        ("nats.gone.Client", "there is no nats.gone.Client"),
        ("def nats.aio.client.PING_PROTO(self)", "nats.aio.client.PING_PROTO cannot be called"),
        (
            "def nats.aio.client.Client._process_err(self, err_msg)",
            "nats.aio.client.Client._process_err has become a coroutine function",
        ),
        (
            "async nats.aio.client.Client._remove_sub(self, sid, max_msgs)",
            "nats.aio.client.Client._remove_sub is no coroutine function",
        ),
        (
            "async nats.aio.client.Client._process_pong(self, answer)",
            "nats.aio.client.Client._process_pong takes (self)",
        ),
        (
            "async nats.aio.client.Client._send_command(self, cmd)",
            "nats.aio.client.Client._send_command takes (self, cmd",
        ),
        (
            "async nats.aio.client.Client._process_msg(self, sid, ...)",
            "nats.aio.client.Client._process_msg takes (self, sid",
        ),
    ],
)
async def test_what_a_library_no_longer_has_is_found(row: str, wrong: str) -> None:
    assert (fault(row) or "").startswith(wrong)


# What our own code uses


@dataclass(frozen=True, order=True)
class Use:
    """A private name of a library in a line of ours."""

    path: str
    line: int
    name: str


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__") and name.strip("_") != ""


class Code:
    """Our own source files: `files` is path to text."""

    def __init__(self, files: dict[str, str]) -> None:
        self.trees = {path: ast.parse(text) for path, text in files.items()}
        self._classes = {
            node.name: (path, node)
            for path, tree in self.trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
        }

    def uses(self) -> Iterator[Use]:
        """Find every private name of a library."""
        for path, tree in self.trees.items():
            # A class may look into others of its kind.
            own = {
                (inner, name)
                for node in ast.walk(tree)
                if isinstance(node, ast.ClassDef) and not self._libraries_above(path, node)
                for name in defined_by(node)
                for inner in ast.walk(node)
            }
            for node in ast.walk(tree):
                for name in named_of_others(node):
                    if is_private(name) and name not in DOCUMENTED and (node, name) not in own:
                        yield Use(path, node.lineno, name)
                if isinstance(node, ast.ClassDef):
                    yield from self._uses_of_bases(path, node)

    def _uses_of_bases(self, path: str, node: ast.ClassDef) -> Iterator[Use]:
        """Find what a class overrides, reads or sets of the library's class above it."""
        libraries = self._libraries_above(path, node)
        theirs = {name for dotted in libraries for name in names_of_class(dotted)}
        ours = {name for each in self._chain(node) for name in defined_by(each)}
        for each in ast.walk(node):
            for name in named_of_self(each):
                # One that nobody defines was theirs until a moment ago.
                if libraries and is_private(name) and (name in theirs or name not in ours):
                    yield Use(path, each.lineno, name)

    def _chain(self, node: ast.ClassDef) -> Iterator[ast.ClassDef]:
        """Return a class and those of ours that it derives from."""
        yield node
        for base in node.bases:
            known = self._classes.get(ast.unparse(base).rpartition(".")[2])
            if known is not None:
                yield from self._chain(known[1])

    def _libraries_above(self, path: str, node: ast.ClassDef) -> set[str]:
        """Return the classes of libraries that a class derives from, also through ours."""
        above: set[str] = set()
        imports = imported_in(self.trees[path])
        for base in node.bases:
            if isinstance(base, ast.Subscript):
                base = base.value
            first, _, rest = ast.unparse(base).partition(".")
            known = self._classes.get((rest or first).rpartition(".")[2])
            if known is not None:
                above |= self._libraries_above(*known)
            elif first in imports:
                above.add(f"{imports[first]}.{rest}".rstrip("."))
        return above


def imported_in(tree: ast.Module) -> dict[str, str]:
    """Return what each name that a file imports stands for."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                names[each.asname or each.name.partition(".")[0]] = (
                    each.name if each.asname else each.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            for each in node.names:
                names[each.asname or each.name] = f"{node.module}.{each.name}"
    return names


def named_of_others(node: ast.AST) -> Iterator[str]:
    """Return the names that one node takes from something that is not `self`."""
    if isinstance(node, ast.Attribute) and not is_self(node.value):
        yield node.attr
    elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("bridge"):
        yield from (each.name for each in node.names)
    elif isinstance(node, ast.Call):
        yield from (each.arg for each in node.keywords if each.arg)
        if getattr(node.func, "id", "") in ("getattr", "setattr", "hasattr", "delattr"):
            name = node.args[1]
            if isinstance(name, ast.Constant):
                yield str(name.value)


def named_of_self(node: ast.AST) -> Iterator[str]:
    """Return the names that one node of a class takes from `self`, or defines."""
    if isinstance(node, ast.Attribute) and is_self(node.value):
        yield node.attr
    else:
        yield from defined_in(node)


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def defined_in(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield node.name


def defined_by(node: ast.ClassDef) -> set[str]:
    """Return the names that a class defines: methods, attributes and slots."""
    names = {name for each in ast.walk(node) for name in defined_in(each)}
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            names.add(each.target.id)
        elif isinstance(each, ast.Assign):
            names |= {target.id for target in each.targets if isinstance(target, ast.Name)}
            if isinstance(each.targets[0], ast.Name) and each.targets[0].id == "__slots__":
                names |= set(ast.literal_eval(each.value))
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store):
            if is_self(each.value):
                names.add(each.attr)
    return names


@cache
def names_of_class(dotted: str) -> frozenset[str]:
    """Return the private names of a library's class and of its instances."""
    cls = found(dotted)
    names = set(dir(cls))
    for each in getattr(cls, "__mro__", ()):
        try:
            names |= set(re.findall(r"\bself\.(_\w+)", inspect.getsource(each)))
        except (OSError, TypeError):
            continue  # it is written in C
    return frozenset(names)


def our_code() -> dict[str, str]:
    paths = [ROOT / "main.py", ROOT / "handler.py", *sorted((ROOT / "bridge").rglob("*.py"))]
    return {str(path.relative_to(ROOT)): path.read_text() for path in paths}


def known_in(path: str) -> set[str]:
    """Return the names that the table has for a file, and those of parameters."""
    names: set[str] = set()
    for key, row in rows():
        if FILES[key] == path:
            names |= {name_in(row), *re.findall(r"\w+", ROW.fullmatch(row)[3] or "")}
    return names


def unlisted(files: dict[str, str]) -> list[str]:
    """Return where private names are used that are not in the table."""
    return [
        f"{use.path}:{use.line}: {use.name} is a library's own, and not in TABLE of {__name__}"
        for use in sorted(Code(files).uses())
        if use.name not in known_in(use.path)
    ]


def test_every_private_name_in_use_is_in_the_table() -> None:
    unknown = unlisted(our_code())
    assert not unknown, "\n".join(unknown)


def test_every_row_of_the_table_is_in_use() -> None:
    assert set(TABLE) <= set(FILES)
    code = our_code()
    used = {(use.path, use.name) for use in Code(code).uses()}
    for key, row in rows():
        path, name = FILES[key], name_in(row)
        if is_private(name):
            assert (path, name) in used, f"{path} uses no {name} of a library: take {row!r} out"
        else:
            text = code[path]
            name = row.rpartition(".__init__")[0].rpartition(".")[2] or name
            assert re.search(rf"\b{name}\b", text), f"{path} does not use {name}: take {row!r} out"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("def f(client):\n    client._new()", "_new"),
        ("class Own:\n    _new = 1\ndef f(client):\n    client._new()", "_new"),
        ("def f(client):\n    client._new = 1", "_new"),
        ("def f(client):\n    return getattr(client, '_new', None)", "_new"),
        ("from nats.aio.client import _new", "_new"),
        ("def f(client):\n    Msg(_new=client)", "_new"),
        (
            "from nats.aio.client import Client\nclass Ours(Client):\n"
            "    def _ping_interval(self): ...",
            "_ping_interval",
        ),
        (
            "from nats.aio.client import Client\nclass Ours(Client):\n"
            "    def f(self):\n        self._flush_queue = 1",
            "_flush_queue",
        ),
        (
            "from nats.aio.client import Client\nclass Ours(Client): ...\nclass Last(Ours):\n"
            "    def f(self):\n        return super()._close()",
            "_close",
        ),
        (
            "import nats.aio.client as it\nclass Ours(it.Client):\n"
            "    def f(self):\n        return self._that_was_renamed",
            "_that_was_renamed",
        ),
    ],
)
def test_a_private_name_that_is_not_in_the_table_is_found(text: str, name: str) -> None:
    (said,) = unlisted({"bridge/new.py": text})
    assert said.startswith("bridge/new.py:") and f" {name} is a library's own" in said


def test_what_our_own_classes_define_is_ours() -> None:
    text = (
        "from nats.aio.client import Client\n"
        "class Ours(Client):\n    def f(self):\n        self._ours = 1\n"
        "class Last(Ours):\n    def f(self):\n        return self._ours\n"
        "class Plain:\n    def __init__(self, other):\n        self._same = other._same\n"
        "class Other:\n    def f(self):\n        self._error_cb = 1\n"
        "def f(pair):\n    return pair._replace(left=1)\n"
    )
    assert unlisted({"bridge/new.py": text}) == []


@pytest.mark.skipif(not (ROOT / "bridge" / "web").is_dir(), reason="bridge/ has no folders yet")
def test_private_names_are_used_in_a_few_folders_alone() -> None:
    allowed = tuple(f"bridge/{each}/" for each in ALLOWED_FOLDERS)
    astray = [use for use in sorted(Code(our_code()).uses()) if not use.path.startswith(allowed)]
    assert not astray, "\n".join(f"{each.path}:{each.line}: {each.name}" for each in astray)
