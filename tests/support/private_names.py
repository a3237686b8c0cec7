"""What libraries keep to themselves and the gateway uses all the same, in one table."""

from __future__ import annotations

import re

TABLE: dict[str, list[str]] = {
    "nats_link/canary": [
        "async nats.aio.client.Client._send_ping(self, future)",
        "nats.aio.client.Client().stats",
    ],
    "nats_link/client": [
        # Overridden, or called of the base class
        "async nats.aio.client.Client._attempt_reconnect(self)",
        "async nats.aio.client.Client._process_err(self, err_msg)",
        "async nats.aio.client.Client._process_msg(self, sid, subject, reply, data, headers)",
        "nats.aio.client.Client._process_info(self, info, initial_connection)",
        "async nats.aio.client.Client._process_connect_init(self)",
        "async nats.aio.client.Client._process_pong(self)",
        "async nats.aio.client.Client._read_loop(self)",
        "async nats.aio.client.Client._send_ping(self, future)",
        "async nats.aio.client.Client.flush(self, timeout)",
        "def nats.aio.client.Client._connect_command(self)",
        "def nats.aio.client.Client._setup_server_pool(self, connect_url)",
        "nats.aio.client.Client.ssl_context",
        # Called
        "async nats.aio.client.Client._flush_pending(self, ...)",
        "async nats.aio.client.Client._process_headers(self, headers)",
        "async nats.aio.client.Client._process_op_err(self, e)",
        "async nats.aio.client.Client._send_command(self, cmd, ...)",
        # Read or set
        "nats.aio.client.Client()._current_server",
        "nats.aio.client.Client()._flush_queue",
        "nats.aio.client.Client()._inbox_prefix",
        "nats.aio.client.Client()._pending",
        "nats.aio.client.Client()._pending_data_size",
        "nats.aio.client.Client()._pings_outstanding",
        "nats.aio.client.Client()._pongs",
        "nats.aio.client.Client()._ps",
        "nats.aio.client.Client()._reading_task",
        "nats.aio.client.Client()._server_info",
        "nats.aio.client.Client()._server_pool",
        "nats.aio.client.Client()._sid",
        "nats.aio.client.Client()._subs",
        "nats.aio.client.Client()._transport",
        "nats.aio.client.Client().stats",
        "nats.aio.client.PING_PROTO",
        "nats.aio.client.Srv().discovered",
        "nats.aio.client.Srv().uri",
        "def nats.aio.msg.Msg.__init__(self, _client, ..., subject, reply, data, headers)",
        "nats.aio.subscription.Subscription()._cb",
        "nats.aio.subscription.Subscription()._jsi",
    ],
    "nats_link/greeting": [
        "nats.aio.client.DEFAULT_BUFFER_SIZE",
        "async nats.aio.transport.TcpTransport.connect(self, uri, buffer_size, connect_timeout)",
        "async nats.aio.transport.TcpTransport.connect_tls("
        "self, uri, ssl_context, buffer_size, connect_timeout)",
        "async nats.aio.transport.TcpTransport.read(self, buffer_size)",
        "async nats.aio.transport.TcpTransport.readline(self)",
        "def nats.aio.transport.TcpTransport.write(self, payload)",
        "nats.aio.transport.TcpTransport()._io_writer",
    ],
    "nats_link/parser": [
        "async nats.aio.client.Client._process_err(self, err_msg)",
        "async nats.aio.client.Client._process_msg(self, sid, subject, reply, data, headers)",
        "nats.aio.client.DEFAULT_BUFFER_SIZE",
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
        "nats.aio.client.Srv().discovered",
        "nats.aio.client.Srv().last_attempt",
        "nats.aio.client.Srv().tls_name",
        "nats.aio.client.Srv().uri",
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
    "service/panini_app": [
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
    "web/forgetful": [
        "aiohttp.web_protocol.RequestHandler()._cache",
        "aiohttp.web_protocol.RequestHandler()._messages",
        "aiohttp.web_protocol.RequestHandler()._parser",
        "def aiohttp.web_protocol.RequestHandler.__init__("
        "self, manager, ..., loop, keepalive_timeout, access_log)",
        "def aiohttp.web_protocol.RequestHandler.data_received(self, data)",
    ],
    "web/tcp": [
        "def aiohttp.web_protocol.RequestHandler.connection_lost(self, exc)",
        "def aiohttp.web_protocol.RequestHandler.connection_made(self, transport)",
        "def aiohttp.web_protocol.RequestHandler.data_received(self, data)",
        "def aiohttp.web_protocol.RequestHandler.handle_error(self, request, status, exc, message)",
        "aiohttp.abc.AbstractStreamWriter.output_size",
    ],
    "web/counted_tls": [
        "def asyncio.sslproto.SSLProtocol.__init__(self, loop, app_protocol, sslcontext, waiter,"
        " ..., server_side, ssl_handshake_timeout, ssl_shutdown_timeout)",
        "asyncio.sslproto.SSLProtocol.max_size",
    ],
    "web/transport": [
        "aiohttp.web.WebSocketResponse()._req",
        "def aiohttp.web.WebSocketResponse._reset_heartbeat(self)",
        "asyncio.sslproto.SSLProtocol()._transport",
        "asyncio.sslproto._SSLProtocolTransport()._ssl_protocol",
    ],
    "web/websocket": [
        "async aiohttp.web.WebSocketResponse.close(self, code, message, drain)",
        "async aiohttp.web.WebSocketResponse.prepare(self, request)",
        "async aiohttp.web.WebSocketResponse.receive(self, timeout)",
        "async aiohttp.web.WebSocketResponse.send_str(self, data, compress)",
        "aiohttp.web.StreamResponse._send_headers_immediately",
    ],
}
"""The file below `bridge/` where a name is used, and what is relied on: the parameters, in their
order (after `...` in any order, and with others, all of which have a default), and whether it is
`async`, if that matters.
`Class().name` is there once an instance is made, `Class.name` and `module.name` from the start."""


ALLOWED_FOLDERS = ("web", "nats_link", "service")
"""Folders of `bridge/` whose files may use private names of libraries."""

ROW = re.compile(r"(?:(def|async) )?([\w.()]+?)(\([^)].*\))?")
"""Kind, name and parameters of a row."""


def rows() -> list[tuple[str, str]]:
    """Return each row of the table, with the file that needs it."""
    return [(f"bridge/{key}.py", row) for key, rows in TABLE.items() for row in rows]


def name_in(row: str) -> str:
    """Return the name that a row is about, without where it belongs; `__init__` for a class."""
    return ROW.fullmatch(row)[2].rpartition(".")[2]
