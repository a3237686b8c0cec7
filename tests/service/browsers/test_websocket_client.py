"""Python's `websocket-client`, a library that is nobody's here and knows no compression."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any

import websocket

from tests.support.raw_nats import RawNats
from tests.support.servers import PATIENCE, Gateway, NatsServer, running, until

LEFT = 'bridge_connections_closed_total{reason="left"}'


def test_it_subscribes_receives_and_says_goodbye(gateway: Gateway, raw_nats: RawNats) -> None:
    left = gateway.figures()[LEFT]
    client = websocket.create_connection(gateway.stream, timeout=PATIENCE)
    try:
        assert json.loads(client.recv())["success"] is True
        client.send('{"subjects": ["plain.client"], "meta": ["headers"]}')
        assert json.loads(client.recv())["subjects"] == ["plain.client"]
        headers = b"NATS/1.0\r\nA: b\r\n\r\n"
        raw_nats.publish("plain.client", b'"%b"' % (b"x" * 1000), headers=headers)
        message = json.loads(client.recv())
        assert (message["headers"], message["data"]) == ([["A", "b"]], "x" * 1000)
        client.ping("still there?")
        assert client.recv_data_frame(control_frame=True)[0] == websocket.ABNF.OPCODE_PONG
        client.send_close(websocket.STATUS_NORMAL)
        opcode, said = client.recv_data(control_frame=True)
        assert (opcode, said[:2]) == (websocket.ABNF.OPCODE_CLOSE, (1000).to_bytes(2, "big"))
        until(lambda: gateway.figures()[LEFT] == left + 1)
    finally:
        client.shutdown()


def test_its_callbacks_hear_all_up_to_the_end(
    nats_server: NatsServer, raw_nats: RawNats, log: Path
) -> None:
    heard: list[Any] = []
    ends: list[tuple[int, str]] = []
    sockets: list[socket.socket] = []

    def follow(app: websocket.WebSocketApp) -> None:
        sockets.append(app.sock.sock)
        app.send('{"subjects": ["app.client"]}')

    app = websocket.WebSocketApp(
        "",
        on_open=follow,
        on_message=lambda _, text: heard.append(json.loads(text)),
        on_close=lambda _, code, reason: ends.append((code, reason)),
    )
    with running(Gateway(nats_server.url, log=log)) as service:
        app.url = service.stream
        thread = threading.Thread(target=app.run_forever, daemon=True)
        thread.start()
        until(lambda: len(heard) == 2)
        for number in range(100):
            raw_nats.publish("app.client", b"%d" % number)
        until(lambda: len(heard) == 102)
        assert [each["data"] for each in heard[2:]] == list(range(100))
        service.stop()
        thread.join(PATIENCE)
    for each in sockets:
        each.close()  # the library leaves it open when it is the gateway that closes
    assert ends == [(1012, "the service stops")]
