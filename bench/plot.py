"""The main table as a picture: bars for each number of connections, light and dark in one file."""

from __future__ import annotations

import math
from pathlib import Path

from bench.report import Summary

WIDTH, HEIGHT = 760, 340
LEFT, TOP, BOTTOM = 64, 56, 48
SERIES = ["plain gateway", "callback, plain", "native", "gateway", "gateway, batch=1"]

STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #55606b }
  .title { font-weight: 600; font-size: 14px; fill: #1b2229 }
  .grid { stroke: #d5dbe1 } .back { fill: #ffffff }
  .s0 { fill: #9aa5b1 } .s1 { fill: #7a2da3 } .s2 { fill: #9a3b00 }
  .s3 { fill: #0a62b8 } .s4 { fill: #13703a }
  @media (prefers-color-scheme: dark) {
    text { fill: #a3aeb9 } .title { fill: #e4e9ee } .grid { stroke: #2b343c }
    .back { fill: #0f1418 } .s0 { fill: #6b7783 } .s1 { fill: #d3a6f5 } .s2 { fill: #ffb07a }
    .s3 { fill: #69b1ff } .s4 { fill: #56c982 }
  }
"""


def write(summary: Summary, path: Path) -> None:
    """Write the plot of deliveries a second, on a logarithmic scale."""
    rows = summary["fan-out"]
    values = {
        (row, name): figures["deliveries"]["median"]
        for row, targets in rows.items()
        for name, figures in targets.items()
        if figures
    }
    low, high = 3, math.ceil(math.log10(max(values.values())))

    def y(value: float) -> float:
        share = (math.log10(value) - low) / (high - low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>Deliveries a second by number of connections</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="back" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text class="title" x="{LEFT}" y="20">Deliveries a second, by connections on one subject '
        "(128-byte JSON, logarithmic)</text>",
    ]
    for power in range(low, high + 1):
        at, label = y(10**power), {3: "1 k", 4: "10 k", 5: "100 k", 6: "1 M", 7: "10 M"}
        text = label.get(power, f"{10 ** (power - 6)} M")
        parts.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{WIDTH - 16}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{text}</text>')
    parts += _legend()
    group = (WIDTH - LEFT - 16) / len(rows)
    bar = (group - 24) / len(SERIES)
    for column, row in enumerate(rows):
        begin = LEFT + column * group + 12
        for number, name in enumerate(SERIES):
            value = values.get((row, name))
            if value:
                top, x = y(value), begin + number * bar
                parts.append(
                    f'<rect class="s{number}" x="{x:.1f}" y="{top:.1f}" width="{bar - 3:.1f}" '
                    f'height="{HEIGHT - BOTTOM - top:.1f}" rx="2"><title>{name}, {row}: '
                    f"{value:,.0f}/s</title></rect>"
                )
        middle = LEFT + (column + 0.5) * group
        plural = "connection" if row == "1" else "connections"
        parts.append(
            f'<text x="{middle:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">'
            f"{row} {plural}</text>"
        )
    path.write_text("\n".join([*parts, "</svg>"]) + "\n")


def _legend() -> list[str]:
    parts, x = [], LEFT
    for number, name in enumerate(SERIES):
        parts.append(f'<rect class="s{number}" x="{x}" y="32" width="10" height="10" rx="2"/>')
        parts.append(f'<text x="{x + 15}" y="41">{name}</text>')
        x += 28 + round(len(name) * 6.6)
    return parts
