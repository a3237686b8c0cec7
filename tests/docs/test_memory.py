"""The bounds on memory that docs/promises.md names are those of the code."""

from __future__ import annotations

import re

import pytest

from bridge.connections.limits import Limits
from bridge.fanout import copies, hub, lanes
from bridge.nats_link import remembered_lines
from bridge.settings.derived import Settings
from bridge.web import handshake_rate
from bridge.wire import frames
from tests.support.servers import ROOT

KIB, MIB = 1024, 1048576
BOUNDS = {
    "pending for one connection": (Limits().max_pending_bytes / MIB,),
    "connections": (Settings.model_fields["max_connections"].default,),
    "addresses remembered": (handshake_rate.MAX_ADDRESSES,),
    "a request": (Limits().max_request_bytes / KIB,),
    "patterns of one connection": (Limits().max_subjects,),
    "different patterns of all connections": (hub.MAX_PATTERNS,),
    "lanes": (lanes.MAX_LANES, lanes.MAX_LANE_BYTES / MIB),
    "lines of the NATS protocol": (remembered_lines.MAX_LINES, remembered_lines.MAX_BYTES / MIB),
    "heads of frames": (frames.MAX_REMEMBERED_SIZE,),
    "messages under way": (copies.MAX_COPIES, copies.MAX_COPY_BYTES / MIB),
}


@pytest.mark.parametrize("what", BOUNDS)
def test_the_table_of_memory_names_the_bounds_of_the_code(what: str) -> None:
    text = (ROOT / "docs" / "promises.md").read_text()
    section = text.partition("## What it holds in memory")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in section.splitlines() if line.startswith(f"| {what}")]
    assert rows, f"no row for {what}"
    numbers = {float(each.replace(",", "")) for each in re.findall(r"[\d,]*\d", rows[0][2])}
    assert {float(each) for each in BOUNDS[what]} <= numbers
