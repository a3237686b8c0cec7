"""What there is to tell of streams: each event with its level, its sentence and its facts."""

from __future__ import annotations

from logging import INFO, WARNING

from bridge.telemetry.event import new_event as _event

TEST_STREAM = _event(
    "test_stream", INFO, "the embedded server keeps an hour of test.subject in the stream TEST"
)
TEST_STREAM_FAILED = _event(
    "test_stream_failed",
    WARNING,
    "the embedded server keeps no messages of test.subject: {reason}",
    "reason",
)
HISTORY_REFUSED = _event(
    "history_refused",
    WARNING,
    "connection {connection} may not read the past of {pattern!r} ({count} in the last minute): "
    "HISTORY_SUBJECTS, or `history` of its token, leaves it out",
    *("connection", "pattern", "count"),
)
HISTORY_NOT_PERMITTED = _event(
    "history_not_permitted",
    WARNING,
    "the past is not read ({count} in the last minute): {reason}; give its user that right, or set "
    "HISTORY_SUBJECTS=none",
    *("reason", "count"),
)
STREAM_SLOW = _event(
    "stream_slow",
    WARNING,
    "{stream} serves no direct gets, so its past is read the slow way: "
    "nats stream edit {stream} --allow-direct, at nats-server 2.11 or later",
    "stream",
)
STREAM_LOST = _event(
    "stream_lost",
    WARNING,
    "messages of {stream} will not come ({count} in the last minute): {reason}",
    *("stream", "reason", "count"),
)
STREAM_DELETED = _event(
    "stream_deleted", WARNING, "{stream} was deleted: nobody follows it any more", "stream"
)
STREAM_UNREACHABLE = _event(
    "stream_unreachable",
    WARNING,
    "new messages of {stream} do not come ({count} in the last minute): {reason}; trying on",
    *("stream", "reason", "count"),
)
