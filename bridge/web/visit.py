"""A WebSocket that was let in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.web.transport import break_circle

if TYPE_CHECKING:
    from bridge.access.login import Login
    from bridge.web.capacity import Place
    from bridge.web.heartbeat import Heartbeat
    from bridge.web.websocket import WebSocket


class Visit:
    """The stay of one WebSocket: a `with` block gets it, with its login, and ends the visit."""

    __slots__ = ("_heartbeat", "_place", "_ws", "login")

    def __init__(self, ws: WebSocket, place: Place, heartbeat: Heartbeat) -> None:
        self._ws, self._place, self._heartbeat = ws, place, heartbeat
        self.login: Login | None = None

    def __enter__(self) -> tuple[WebSocket, Login | None]:
        return self._ws, self.login

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Give the place back. Idempotent."""
        self._heartbeat.discard(self._ws)
        self._place.give_back()
        break_circle(self._ws)
