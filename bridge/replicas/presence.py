"""Which replicas there are: each says hello every few seconds, and goodbye when it stops.

NATS itself could tell whether anybody listens for one, but only until somebody follows `>`: then it
takes the gateway of that follower for one who may answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import Any

import msgspec
from nats import errors

from bridge.wire.codes import NotReady
from bridge.wire.subjects import CONTROL

SUBJECT = f"{CONTROL}.hello"
HELLO_SECONDS = 5.0
FORGOTTEN_SECONDS = 16.0
"""After three hellos that did not come, a replica counts as gone."""
RARE_HELLO_SECONDS = 600.0
"""Between two hellos, while not even our own come back: the NATS user may not say them."""


class _Hello(msgspec.Struct):
    replica: str
    gone: bool = False


_decode = msgspec.json.Decoder(_Hello).decode


class Presence:
    """Says that this replica is there, and hears the others. `app` is the Panini app."""

    def __init__(self, app: Any) -> None:
        self.name = secrets.token_hex(4)
        """Of this replica; the ids of its connections begin with it."""
        self._app = app
        self._heard: dict[str, float] = {}
        """Replica to when its hello came last, as `loop.time`."""
        self._unheard = 0
        """Hellos of ours that have not come back."""
        self._nats_changed = asyncio.Event()
        app.listen(SUBJECT, data_type=bytes)(self._take)
        app.on_nats_change.append(lambda up: self._nats_changed.set())
        app.background.append(self._run)
        app.on_stop.append(self._leave)

    def is_there(self, replica: str) -> bool:
        """Tell whether a replica has said hello lately."""
        heard = self._heard.get(replica)
        return heard is not None and _now() - heard < FORGOTTEN_SECONDS

    @property
    def others(self) -> set[str]:
        """The other replicas that are there."""
        return {each for each in self._heard if each != self.name and self.is_there(each)}

    @property
    def _is_unheard(self) -> bool:
        return self._unheard > FORGOTTEN_SECONDS / HELLO_SECONDS

    async def _run(self) -> None:
        while True:
            quiet = self._is_unheard
            await self._say(_Hello(self.name))
            for replica in [each for each in self._heard if not self.is_there(each)]:
                del self._heard[replica]
            self._nats_changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RARE_HELLO_SECONDS if quiet else HELLO_SECONDS):
                    await self._nats_changed.wait()

    async def _leave(self) -> None:
        await self._say(_Hello(self.name, gone=True))

    async def _say(self, hello: _Hello) -> None:
        if self._app.trouble not in (None, NotReady.STOPPING):
            return
        self._unheard += 1
        with contextlib.suppress(errors.Error, OSError, TimeoutError):
            await self._app.nats_client.publish(SUBJECT, msgspec.json.encode(hello))

    async def _take(self, msg: Any) -> None:
        try:
            hello = _decode(msg.data)
        except msgspec.MsgspecError:
            return
        if hello.replica == self.name:
            if self._is_unheard:
                self._nats_changed.set()  # or the next hello would come after minutes
            self._unheard = 0
        elif hello.gone:
            self._heard.pop(hello.replica, None)
        else:
            is_new = hello.replica not in self._heard
            self._heard[hello.replica] = _now()
            if is_new and self._app.trouble is not NotReady.STOPPING:
                await self._say(_Hello(self.name))  # it cannot know us yet


def _now() -> float:
    return asyncio.get_running_loop().time()
