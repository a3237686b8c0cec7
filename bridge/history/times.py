"""By what a tail is kept alive."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds by which a tail lives."""

    heartbeat: float = 2.0
    silence: float = 5.0
    """Without a word of the server, after which the consumer is taken for gone."""
    gone: float = 10.0
    """Of a stream that is not there, after which it is taken for deleted."""
    behind: float = 1.0
    """Of a leader that has less than was delivered, after which that is what there is."""
