"""Signing in to a real nats-server, each way also with what the server must refuse."""

from __future__ import annotations

import asyncio
import functools
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bridge.nats_link.client import NATSLink
from bridge.nats_link.sign_in import SignIn
from bridge.telemetry.counters import Counters
from tests.support.browser_client import Browser
from tests.support.certificates import Authority
from tests.support.identities import Identity, Operator
from tests.support.servers import Gateway, NatsServer, eventually, free_port, http, running, until
from tests.support.signing_in import REFUSED, SIGNED, USER, is_refused, signs_in
from tests.timing import within

TOKEN = "authorization { token: planted-token }"


def accepts(*users: Identity) -> str:
    """Return the configuration of a server that knows these nkeys."""
    return f"authorization {{ users: [{', '.join(f'{{ nkey: {u.public} }}' for u in users)}] }}"


def test_user_and_password(tmp_path: Path, log: Path) -> None:
    with running(NatsServer(tmp_path, USER)) as server:
        signs_in(server, log, **SIGNED)
        wrong = {"nats_user": "somebody", "nats_password": "planted@wrong"}
        is_refused(server, log, "nats_auth", REFUSED, **wrong)


TRIES = 10


def test_refused_credentials_are_one_line_that_says_so(tmp_path: Path, log: Path) -> None:
    with running(NatsServer(tmp_path, USER)) as server:
        wrong = {"nats_user": "somebody", "nats_password": "planted@wrong"}
        service = Gateway(server.url, log=log, **wrong)
        service.launch()
        try:
            until(lambda: server.connections_so_far() > TRIES)
        finally:
            assert service.stop() == 0
    (line,) = [line for line in service.output().splitlines() if "NATS at" in line]
    assert f"NATS at {server.url}: nats: 'Authorization Violation': it refuses the " in line
    assert "NATS_USER" in line and "planted" not in line


def test_token(tmp_path: Path, log: Path) -> None:
    with running(NatsServer(tmp_path, TOKEN)) as server:
        signs_in(server, log, nats_token="planted-token")
        is_refused(server, log, "nats_auth", REFUSED, nats_token="planted-wrong")
        signs_in(server, log, server.url.replace("//", "//planted-token@"))
        is_refused(server, log, "nats_auth", REFUSED, server.url.replace("//", "//planted-wrong@"))


def test_creds_file(tmp_path: Path, log: Path) -> None:
    operator, user = Operator(), Identity("user")
    creds = tmp_path / "user.creds"
    with running(NatsServer(tmp_path, operator.config())) as server:
        creds.write_text(operator.creds(user))
        signs_in(server, log, nats_creds=creds)
        creds.write_text(Operator().creds(user))
        output = is_refused(server, log, "nats_auth", REFUSED, nats_creds=creds)
    assert user.seed not in output and "eyJ" not in output


async def test_auth_callout_is_shown_what_it_decides_by(tmp_path: Path, log: Path) -> None:
    operator, decider, sentinel = Operator(), Identity("user"), Identity("user")
    operator.ask(decider)
    for_decider, creds = tmp_path / "decider.creds", tmp_path / "sentinel.creds"
    for_decider.write_text(operator.creds(decider))
    creds.write_text(operator.sentinel(sentinel))
    with running(NatsServer(tmp_path, operator.config())) as server:
        client = await connected(server.url, for_decider)

        async def decide(request: Any) -> None:
            users = {"somebody": "planted@secret"}
            await request.respond(operator.decision(request.data.decode(), users).encode())

        await client.subscribe("$SYS.REQ.USER.AUTH", cb=decide)
        await client.flush()
        settings = {"nats_creds": creds, **SIGNED}
        await asyncio.to_thread(signs_in, server, log, **settings)
        settings["nats_password"] = "planted@wrong"
        refuse = functools.partial(is_refused, server, log, "nats_auth", REFUSED, **settings)
        await asyncio.to_thread(refuse)
        await client.close()


async def connected(url: str, creds: Path) -> NATSLink:
    """Return a client that has signed in."""
    client = NATSLink(Counters(), SignIn(creds=str(creds)))
    await client.connect(url)
    return client


def test_nkey_as_seed_and_as_file(tmp_path: Path, log: Path) -> None:
    user, other = Identity("user"), Identity("user")
    file = tmp_path / "user.nk"
    with running(NatsServer(tmp_path, accepts(user))) as server:
        signs_in(server, log, nats_nkey_seed=user.seed)
        file.write_text(f"{user.seed}\n{user.public}\n")
        signs_in(server, log, nats_nkey_seed=file)
        output = is_refused(server, log, "nats_auth", REFUSED, nats_nkey_seed=other.seed)
    assert user.seed not in output and other.seed not in output


def test_the_first_of_several_servers_is_down(tmp_path: Path, log: Path) -> None:
    with running(NatsServer(tmp_path, USER)) as server:
        urls = f"nats://127.0.0.1:{free_port()} {server.url}"
        signs_in(server, log, urls, **SIGNED)
        wrong = {"nats_user": "somebody", "nats_password": "planted@wrong"}
        is_refused(server, log, "nats_auth", REFUSED, urls, **wrong)


def test_credentials_of_a_url_are_also_for_servers_that_the_cluster_names(
    tmp_path: Path, log: Path
) -> None:
    route = free_port()
    cluster = "cluster {{ name: c, listen: '127.0.0.1:{}', routes: ['nats://127.0.0.1:{}'] }}"
    first = NatsServer(tmp_path, USER + cluster.format(route, route))
    second = NatsServer(tmp_path, USER + cluster.format(free_port(), route))

    def named() -> bool:
        with socket.create_connection(("127.0.0.1", first.port)) as greeted:
            return str(second.port) in greeted.recv(65536).decode()

    with running(first), running(second):
        until(named)
        url = first.url.replace("//", "//somebody:planted%40secret@")
        with running(Gateway(url, log=log)) as service:
            first.stop()
            until(lambda: f"NATS  {second.url} (connected)" in service.output())
            assert http(f"{service.url}/readyz")[0] == 200
        assert "planted" not in service.output()


def test_who_signs_in_has_a_server_and_gets_none_embedded(tmp_path: Path, log: Path) -> None:
    # Whoever may listen on the default port does not offer TLS.
    service = Gateway(None, log=log, nats_tls_ca=Authority(tmp_path / "ca").ca)
    service.launch()
    try:
        until(lambda: "NATS at nats://127.0.0.1:4222: " in service.output())
        assert service.ps().children() == []
    finally:
        assert service.stop() == 0


async def goes_on_with_a_replaced_file(
    server: NatsServer, service: Gateway, revoke: Callable[[], None], replace: Callable[[], None]
) -> None:
    """Fail unless a browser is told of the gap and then hears messages as before."""
    down, up = {"status": "nats_down"}, {"status": "nats_up", "gap": True}
    async with Browser(service.stream) as browser:
        await browser.subscribe("still.here")
        revoke()
        assert await browser.next() == down
        await eventually(lambda: http(f"{service.url}/readyz")[1] == '{"status": "nats_auth"}')
        replace()
        with within(6, "credentials replaced: told"):
            assert await browser.next() == up
        assert server.subscriptions() == ["still.here"]
        await browser.quiet()


async def test_creds_are_read_anew_even_after_a_file_that_was_half_written(
    tmp_path: Path, log: Path
) -> None:
    operator, old, new = Operator(), Identity("user"), Identity("user")
    creds = tmp_path / "user.creds"
    creds.write_text(operator.creds(old))
    server = NatsServer(tmp_path, operator.config())

    def revoke() -> None:
        server.stop()
        server.configure(operator.config(old))
        server.start()

    with running(server), running(Gateway(server.url, log=log, nats_creds=creds)) as service:

        def replace() -> None:
            creds.write_text(operator.creds(new)[:20])
            until(lambda: "NATS_CREDS: the file does not hold" in service.output())
            creds.write_text(operator.creds(new))

        await goes_on_with_a_replaced_file(server, service, revoke, replace)


async def test_an_nkey_file_is_read_anew(tmp_path: Path, log: Path) -> None:
    old, new = Identity("user"), Identity("user")
    file = tmp_path / "user.nk"
    file.write_text(old.seed)
    with running(NatsServer(tmp_path, accepts(old))) as server:
        with running(Gateway(server.url, log=log, nats_nkey_seed=file)) as service:

            def revoke() -> None:
                server.reload(accepts(new))

            def replace() -> None:
                file.write_text(new.seed)

            await goes_on_with_a_replaced_file(server, service, revoke, replace)


def test_secrets_come_from_files(tmp_path: Path, log: Path) -> None:
    operator, user = Operator(), Identity("user")
    folder = tmp_path / "secrets"
    folder.mkdir()
    program = tmp_path / "with_secrets.py"
    program.write_text(
        "import sys; sys.argv[0] = 'main.py'\n"
        "from pathlib import Path; from bridge.settings import table\n"
        f"table.SECRETS = Path({str(folder)!r})\n"
        "import main; main.app.start()\n"
    )
    authority = Authority(tmp_path / "ca")
    (folder / "NATS_TLS_CA").write_bytes(authority.ca.read_bytes())
    for config, secret, text in (
        (USER.replace("somebody", "from-environment"), "nats_password", "planted@secret\n"),
        (TOKEN, "NATS_TOKEN", "planted-token\n"),
        (accepts(user), "nats_nkey_seed", user.seed + "\n"),
        (operator.config(), "nats_creds", operator.creds(user)),
    ):
        (folder / secret).write_text(text)
        more = {"nats_user": "from-environment"} if secret == "nats_password" else {}
        with running(NatsServer(tmp_path, config + "\n" + authority.config())) as server:
            with running(Gateway(server.url, program=str(program), log=log, **more)) as service:
                assert service.stop() == 0
        (folder / secret).unlink()
    assert "planted" not in service.output() and user.seed not in service.output()
