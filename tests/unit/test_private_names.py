"""The table of private names is held to the installed versions, and the code to the table.

A library that renames a method which is overridden here does not fail: the override is just not
called any more.
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import logging
import platform
import re
import ssl
import sys
from asyncio import sslproto
from collections.abc import Callable, Iterable
from functools import cache
from importlib import metadata
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

from tests.support.library_uses import Code, Use, found, is_private, our_code
from tests.support.private_names import ALLOWED_FOLDERS, ROW, name_in, rows

PACKAGES = {
    "aiohttp": "aiohttp",
    "nats": "nats-py",
    "panini": "panini",
    "prometheus_client": "prometheus-client",
}


def version_of(dotted: str) -> str:
    package = PACKAGES.get(dotted.partition(".")[0])
    if package is None:
        return f"Python {platform.python_version()}"
    return f"{package} {metadata.version(package)}"


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


@pytest.mark.parametrize(("path", "row"), rows())
async def test_libraries_have_what_is_used_of_their_inside(path: str, row: str) -> None:
    wrong = fault(row)
    assert wrong is None, f"{version_of(ROW.fullmatch(row)[2])}: {wrong}; {path} needs it"


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


@cache
def known_in(path: str) -> set[str]:
    """Return the names that the table has for a file, and those of parameters."""
    names: set[str] = set()
    for user, row in rows():
        if user == path:
            names |= {name_in(row), *re.findall(r"\w+", ROW.fullmatch(row)[3] or "")}
    return names


@cache
def uses_of_ours() -> frozenset[Use]:
    return frozenset(Code(our_code()).uses())


def unlisted(uses: Iterable[Use]) -> list[str]:
    """Return where private names are used that are not in the table."""
    return [
        f"{use.path}:{use.line}: {use.name} is a library's own, and not in the table "
        "of tests/support/private_names.py"
        for use in sorted(uses)
        if use.name not in known_in(use.path)
    ]


def test_every_private_name_in_use_is_in_the_table() -> None:
    unknown = unlisted(uses_of_ours())
    assert not unknown, "\n".join(unknown)


def test_every_row_of_the_table_is_in_use() -> None:
    code = our_code()
    used = {(use.path, use.name) for use in uses_of_ours()}
    for path, row in rows():
        name = name_in(row)
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
    (said,) = unlisted(Code({"bridge/new.py": text}).uses())
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
    assert unlisted(Code({"bridge/new.py": text}).uses()) == []


def test_private_names_are_used_in_a_few_folders_alone() -> None:
    allowed = tuple(f"bridge/{each}/" for each in ALLOWED_FOLDERS)
    astray = [use for use in sorted(uses_of_ours()) if not use.path.startswith(allowed)]
    assert not astray, "\n".join(f"{each.path}:{each.line}: {each.name}" for each in astray)
