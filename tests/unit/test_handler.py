"""The manager of the connections, without any."""

from __future__ import annotations

from types import SimpleNamespace

from handler import WSSManager


async def test_nats_is_up_when_that_has_been_told_not_before() -> None:
    """A client is connected some time before every subscription is back."""
    client = SimpleNamespace(is_connected=True)
    manager = WSSManager(SimpleNamespace(nats=SimpleNamespace(client=client)))
    assert manager._nats_is_up()
    manager.nats_changed(False)
    assert not manager._nats_is_up()
    manager.nats_changed(True)
    assert manager._nats_is_up()
    client.is_connected = False
    assert not manager._nats_is_up()
