"""Everything the service has to tell: each event with its level, its sentence and its facts.

What it tells of streams is in `stream_events.py`.
"""

from __future__ import annotations

from logging import DEBUG, ERROR, INFO, WARNING

from bridge.telemetry.event import new_event as _event

# The service

START_FAILED = _event("start_failed", ERROR, "{reason}", "reason")
LISTENING = _event("listening", INFO, "the page is at {url}", "url", "pid")
LISTENING_INSIDE = _event("listening_inside", INFO, "figures and health are at {url}", "url")
TEST_MESSAGES = _event("test_messages", INFO, "a message is published on test.subject each second")
STOPPING = _event("stopping", INFO, "stopping")
STOPPED = _event("stopped", INFO, "stopped after {seconds} s", "seconds")
WORKERS_START = _event("workers_start", INFO, "{count} workers share the port", "count")
WORKER_DIED = _event(
    "worker_died",
    ERROR,
    "worker {number} {reason}, and is started again after {seconds} s",
    "number",
    "reason",
    "seconds",
)
WORKER_HANGS = _event(
    "worker_hangs",
    ERROR,
    "worker {number} has done nothing for {seconds} s and is killed",
    "number",
    "seconds",
)
WORKERS_KILLED = _event(
    "workers_killed", ERROR, "{count} workers did not stop in time and are killed", "count"
)
STATUS = _event(
    "status",
    INFO,
    "{connections} connections follow {patterns} patterns; {received} messages received, "
    "{delivered} delivered, {dropped} dropped; NATS: {nats}",
    *("connections", "patterns", "received", "delivered", "dropped", "nats"),
)
NOTHING_TO_REREAD = _event("nothing_to_reread", INFO, "there is no certificate to read again")
SAID = _event("said", INFO, "anything else the service says to whoever started it")
LIBRARY = _event("log", INFO, "what a library says, at a level of its own", "logger")
LINES_LOST = _event(
    "lines_lost", WARNING, "{count} lines were lost: they could not be written in time", "count"
)

# NATS

NATS_UP = _event(
    "nats_up", INFO, "NATS at {url} is there after {seconds} s: {state}", "url", "state", "seconds"
)
NATS_DOWN = _event("nats_down", WARNING, "NATS at {url} is lost, trying to get it back", "url")
NATS_LAME_DUCK = _event(
    "nats_lame_duck", INFO, "the NATS server is about to stop: going to another one"
)
NATS_ERROR = _event("nats_error", WARNING, "NATS at {url}: {reason}; trying on", "url", "reason")
NATS_SAYS = _event("nats_says", WARNING, "the NATS server says: {reason}", "reason")
NATS_DENIES = _event(
    "nats_denies",
    WARNING,
    "the NATS server denies a SUB or PUB ({count} in the last minute): {reason}",
    *("reason", "count"),
)
NATS_HANGS_UP = _event(
    "nats_hangs_up",
    WARNING,
    "{pattern} is refused for ten minutes, as NATS hangs up on it: {reason}",
    *("pattern", "reason"),
)
NATS_SILENT = _event("nats_silent", WARNING, "{reason}: reconnecting", "reason")
NATS_INBOX_DENIED = _event(
    "nats_inbox_denied",
    WARNING,
    "the NATS user may not use its inbox (_INBOX.nats_bridge.>): PING has to do",
)
MESSAGE_UNREADABLE = _event(
    "message_unreadable", WARNING, "skipped a message from NATS that cannot be read"
)
MESSAGES_TOO_FAST = _event(
    "messages_too_fast",
    WARNING,
    "messages for {pattern!r} come too fast and are dropped",
    "pattern",
)

# Connections

CONNECTION_OPENED = _event(
    "connection_opened",
    INFO,
    "connection {connection} opened by {who} from {address}",
    *("connection", "address", "who"),
)
CONNECTION_CLOSED = _event(
    "connection_closed",
    INFO,
    "connection {connection} closed: code {code}, {delivered} messages delivered, "
    "{dropped} dropped, {seconds} s",
    *("connection", "address", "who", "code", "reason", "delivered", "dropped", "seconds"),
)
SLOW_CONSUMER_BEGAN = _event(
    "slow_consumer_began",
    WARNING,
    "connection {connection}: messages are dropped, {pending_bytes} bytes wait to be taken",
    *("connection", "pending_bytes"),
)
SLOW_CONSUMER_ENDED = _event(
    "slow_consumer_ended",
    INFO,
    "connection {connection}: {dropped} messages were dropped within {seconds} s",
    *("connection", "dropped", "seconds"),
)
CONNECTION_STALLED = _event(
    "connection_stalled",
    WARNING,
    "connection {connection} is cut: it takes nothing, {pending_bytes} bytes wait",
    *("connection", "pending_bytes"),
)
CONNECTION_FAILED = _event(
    "connection_failed", ERROR, "connection {connection} failed", "connection"
)

# Who is not let in

REFUSED_ORIGIN = _event(
    "refused_origin",
    WARNING,
    "refused a page of origin {origin!r} at {own!r} ({count} in the last minute): {reason}",
    *("address", "origin", "own", "reason", "count"),
)
REFUSED_TOKEN = _event(
    "refused_token",
    WARNING,
    "refused {address} ({count} in the last minute): {reason}",
    *("address", "reason", "count"),
)
REFUSED_ADDRESS = _event(
    "refused_address",
    WARNING,
    "refused {address} ({count} in the last minute): it has MAX_CONNECTIONS_PER_ADDRESS; "
    "if it is a proxy, name it in TRUSTED_PROXIES",
    *("address", "count"),
)
REFUSED_TOO_SOON = _event(
    "refused_too_soon",
    WARNING,
    "refused {address} ({count} in the last minute): its connections come too often, or are "
    "closed for floods; if it is a proxy, name it in TRUSTED_PROXIES",
    *("address", "count"),
)
REFUSED_FULL = _event(
    "refused_full",
    WARNING,
    "refused {address} ({count} in the last minute): there is no room for more",
    *("address", "count"),
)

PUBLISH_REFUSED = _event(
    "publish_refused",
    WARNING,
    "refused to publish on {subject!r} for {who} ({count} in the last minute): {reason}",
    *("who", "subject", "reason", "count"),
)
ANY_JWT_COUNTS = _event(
    "any_jwt_counts",
    WARNING,
    "a JWT that was meant for another service counts here, and follows every subject if it has no "
    "grants: set JWT_AUDIENCE or JWT_ISSUER, or fewer ALLOW_SUBJECTS",
)

KEYS_FETCHED = _event("keys_fetched", INFO, "JWT_KEY: the keys were fetched, and are new")
KEYS_MISSING = _event(
    "keys_missing",
    WARNING,
    "JWT_KEY: no keys yet, and no JWT counts until there are: {reason}; trying on",
    "reason",
)
KEYS_STALE = _event(
    "keys_stale",
    WARNING,
    "JWT_KEY: the keys cannot be fetched: {reason}; trying on, those fetched before stand",
    "reason",
)
PROXY_PROTOCOL = _event(
    "proxy_protocol",
    INFO,
    "{address} speaks the PROXY protocol: it tells where connections come from",
    "address",
)
REFUSED_PROXY = _event(
    "refused_proxy",
    WARNING,
    "what comes from {address} begins with PROXY ({count} in the last minute): {reason}",
    *("address", "reason", "count"),
)

# Files

FILE_READ = _event("file_read", INFO, "{setting}: read again", "setting")
FILE_USELESS = _event(
    "file_useless", ERROR, "{reason}; what was read before stands", "setting", "reason"
)
CERTIFICATE_RENEWED = _event(
    "certificate_renewed", INFO, "the certificate was read again, for new connections"
)
CERTIFICATE_USELESS = _event(
    "certificate_useless", ERROR, "the certificate stays as it was: {reason}", "reason"
)
FILES_RAISED = _event(
    "files_raised", DEBUG, "files {files} may be open, raised from {before}", "files", "before"
)
FEW_FILES = _event(
    "few_files",
    WARNING,
    "MAX_CONNECTIONS is {limit}, but with `ulimit -n` {files} there is room for {room}",
    *("limit", "files", "room"),
)
NO_FILES = _event(
    "no_files", ERROR, "no more files can be opened, new connections wait: see `ulimit -n`"
)

# Bugs, each with its traceback

CRASHED = _event("crashed", ERROR, "the service ends: this is a bug")
REQUEST_FAILED = _event("request_failed", ERROR, "a request failed")
CALLBACK_FAILED = _event(
    "callback_failed", ERROR, "manager.callback failed; further failures here are only counted"
)
LISTENER_FAILED = _event("listener_failed", ERROR, "a listener of on_nats_change failed")
HOOK_FAILED = _event("hook_failed", ERROR, "a hook of on_stop failed")
BACKGROUND_FAILED = _event("background_failed", ERROR, "a background task failed")
TASK_FAILED = _event("task_failed", WARNING, "{task} fails: {reason}", "task", "reason")
