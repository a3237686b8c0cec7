"""What tests of signing in to NATS have in common; every secret in them is `planted`."""

from __future__ import annotations

from pathlib import Path

from tests.support.servers import Gateway, NatsServer, http, running, until

USER = 'authorization { user: somebody, password: "planted@secret" }\n'
SIGNED = {"nats_user": "somebody", "nats_password": "planted@secret"}
REFUSED = "authorization violation"


def signs_in(server: NatsServer, log: Path, url: str = "", **settings: object) -> str:
    """Fail unless messages flow; return what the gateway printed."""
    with running(Gateway(url or server.url, log=log, log_level="debug", **settings)) as service:
        assert service.stop() == 0
    assert "planted" not in service.output()
    return service.output()


def is_refused(
    server: NatsServer, log: Path, trouble: str, said: str, url: str = "", **settings: object
) -> str:
    """Fail unless the gateway is up, not ready, and says why; return what it printed."""
    service = Gateway(url or server.url, log=log, log_level="debug", **settings)
    service.launch()
    try:
        until(lambda: said in service.output().lower())
        until(lambda: http(f"{service.url}/readyz") == (503, f'{{"status": "{trouble}"}}'))
        assert http(f"{service.url}/livez")[0] == 200
    finally:
        assert service.stop() == 0
    assert "Traceback" not in service.output()
    assert "planted" not in service.output()
    return service.output()
