"""Medians, ratios and spread of a benchmark's results, as text and as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from bench.suites import Result
from bridge.nats_link.embedded import find_server

BASE = "native"
PLAIN = "plain"
"""What the rest of a row is compared with; the latter where nats-server's own has no part."""
Summary = dict[str, dict[str, dict[str, dict[str, dict[str, float]]]]]
"""Table, row, target, figure: median, min, max, rounds, and `x` (median over native's)."""


def summarize(results: Iterable[Result]) -> Summary:
    """Return medians and spread; figures of a row with an invalid run are left out."""
    runs: dict[tuple[str, str, str], list[Result]] = defaultdict(list)
    for result in results:
        runs[result.table, result.row, result.target].append(result)
    summary: Summary = {}
    for (table, row, target), group in runs.items():
        place = summary.setdefault(table, {}).setdefault(row, {})
        if not all(each.valid for each in group):
            place[target] = {}
            continue
        place[target] = {
            name: _spread([each.figures[name] for each in group]) for name in group[0].figures
        }
    for rows in summary.values():
        for row_targets in rows.values():
            base = row_targets.get(BASE) or row_targets.get(PLAIN, {})
            for figures in row_targets.values():
                for name in figures.keys() & base.keys():
                    figures[name]["x"] = figures[name]["median"] / base[name]["median"]
    return summary


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": statistics.median(values),
        "min": min(values),
        "max": max(values),
        "rounds": len(values),
    }


def as_text(summary: Summary) -> str:
    """Return the tables in Markdown."""
    lines = []
    for table, rows in summary.items():
        names = list(dict.fromkeys(name for row in rows.values() for name in row))
        lines += ["", f"**{table}**", "", "| |" + "".join(f" {name} |" for name in names)]
        lines.append("|---|" + "---|" * len(names))
        for row, targets in rows.items():
            cells = (_cell(targets.get(name)) for name in names)
            lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main_table(summary: Summary) -> str:
    """Return the table of the README: millions of deliveries a second by number of connections."""
    names = ("gateway", "gateway, batch=1", "callback, plain", "callback, async", "plain gateway")
    lines = [
        "| N | this gateway | `?batch=1` | a plain callback | an async one | a plain gateway "
        "| nats-server's own WebSocket | over nats-server |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for n, targets in summary["fan-out"].items():
        cells = [_millions(targets.get(name)) for name in (*names, BASE)]
        figure = targets["gateway"].get("deliveries", {})
        ratio = f"{figure['x']:.2f} x" if "x" in figure else ""
        lines.append(f"| {n} | {' | '.join(cells)} | {ratio} |")
    return "\n".join(lines)


def _millions(figures: dict[str, dict[str, float]] | None) -> str:
    if figures is None:
        return ""
    if not figures:
        return "not measured"
    return f"{figures['deliveries']['median'] / 1e6:.2f} M"


def _cell(figures: dict[str, dict[str, float]] | None) -> str:
    if figures is None:
        return ""
    if not figures:
        return "the load generator was the bottleneck"
    shown = []
    for name, value in figures.items():
        if name in ("generator CPU", "target CPU"):
            continue
        digits = 0 if value["median"] >= 1000 else 2
        text = f"{value['median']:,.{digits}f}"
        unit = "/s" if name == "deliveries" else f" {name}"
        ratio = f" ({value['x']:.2f} x)" if "x" in value else ""
        shown.append(f"{text}{unit}{ratio}")
    return ", ".join(shown)


def write(summary: Summary, results: list[Result], path: Path) -> None:
    """Write everything that was measured, and on what."""
    data = {"machine": machine(), "summary": summary, "runs": [asdict(each) for each in results]}
    path.write_text(json.dumps(data, indent=1) + "\n")


def machine() -> dict[str, Any]:
    """Describe what the figures were measured on."""
    server = subprocess.run(
        [find_server(), "--version"], capture_output=True, text=True, check=True
    )
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "nats-server": server.stdout.split()[-1],
        **{name: metadata.version(name) for name in ("aiohttp", "nats-py", "panini", "msgspec")},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((x.partition(":")[2].strip() for x in lines if x.startswith("model name")), "")
