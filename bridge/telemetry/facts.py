"""What each fact of an event means, by its name."""

from __future__ import annotations

FACTS = {
    "address": "whose connection or request it is; behind a trusted proxy, the caller's",
    "before": "how many files could be opened at first",
    "code": "with which a WebSocket was closed; null if it ended in no orderly way",
    "connection": "its `connection_id`",
    "connections": "how many there are",
    "count": "how often since the line before with this `event`: there is one a minute at most, "
    "with the other facts of the latest; of lines and workers, how many",
    "delivered": "messages written to a connection, or to all",
    "dropped": "messages dropped for it, or for all, in this episode or since the start",
    "files": "how many files may be open at a time",
    "limit": "`MAX_CONNECTIONS`",
    "logger": "which part of which library",
    "nats": "`ok`, or why no messages flow, as `/readyz` has it",
    "number": "of a worker, from 1",
    "origin": "of a web page",
    "own": "the origin that the gateway has for that page, as the request or its proxy says",
    "pattern": "that is followed",
    "patterns": "how many are followed",
    "pending_bytes": "held for a connection, since it does not take them",
    "pid": "of the process",
    "reason": "why, in words; of a connection, empty if the browser ended it",
    "received": "messages that came from NATS",
    "room": "for how many connections there is room",
    "seconds": "how long it took or lasted; of `nats_up`, since NATS was lost or looked for; of "
    "`worker_died`, until it is started again",
    "setting": "that names the file",
    "state": "`connected`, or `embedded, its data is temporary`",
    "stream": "of JetStream",
    "subject": "that something was to be published on",
    "task": "the name of its function",
    "url": "of the page, or of a NATS server, without user and password; of several, all that are "
    "tried",
    "who": "name of its token, or `sub` of its JWT (`unnamed` without one); `anyone` without "
    "token; who is signed in at a proxy",
}
