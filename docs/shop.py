"""Made-up messages of a small shop with its machines, the same each time."""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Iterator

PATTERNS = ("orders.*", "sensors.>", "deploy.log")


def messages() -> Iterator[tuple[str, bytes]]:
    """Yield subjects and payloads, without end."""
    chance = random.Random(7)
    makers = (_order, _sensor, _sensor, _order, _sensor, _deploy)
    for number, maker in enumerate(itertools.cycle(makers)):
        yield maker(chance, number)


def _order(chance: random.Random, number: int) -> tuple[str, bytes]:
    step = chance.choice(("created", "paid", "shipped"))
    order = {
        "id": 9007199254740993 + number,
        "customer": chance.choice(("Ada", "Grace", "Linus", "Margaret")),
        "items": [{"sku": f"A-{chance.randint(100, 999)}", "qty": chance.randint(1, 4)}],
        "total": chance.randint(900, 25000) / 100,
        "express": chance.random() < 0.3,
    }
    return f"orders.{step}", json.dumps(order, separators=(",", ":")).encode()


def _sensor(chance: random.Random, number: int) -> tuple[str, bytes]:
    room = chance.choice(("kitchen", "office", "cellar"))
    if number % 3:
        celsius = 20.5 + 1.8 * math.sin(number / 12) + chance.uniform(-0.3, 0.3)
        battery = 0.98 - number / 9000
        reading = f'{{"celsius":{celsius:.2f},"battery":{battery:.2f}}}'
        return f"sensors.{room}.air", reading.encode()
    return f"sensors.{room}.door", chance.choice((b'{"open":true}', b'{"open":false}'))


def _deploy(chance: random.Random, number: int) -> tuple[str, bytes]:
    line = chance.choice(("rolled out", "healthy", "image pulled"))
    return "deploy.log", f"web-{chance.randint(1, 4)} v2.{number}.0 {line}".encode()
