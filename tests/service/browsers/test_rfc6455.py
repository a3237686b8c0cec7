"""RFC 6455, by the cases of the Autobahn test suite, which kosoku drives."""

from __future__ import annotations

import kosoku

from tests.support.servers import Gateway, NatsServer, running

DO_NOT_APPLY = ["12.*", "13.*"]
"""Compression: it is never agreed on, since it costs 90 KiB for each connection."""
EXCEPTIONS = {
    "7.9.5": "aiohttp takes a close frame with 1006, which nobody may send; it answers and closes",
}


async def test_the_autobahn_cases_pass(nats_server: NatsServer, log) -> None:
    program = "tests/programs/that_echoes.py"
    with running(Gateway(nats_server.url, program=program, log=log)) as service:
        url = f"ws://127.0.0.1:{service.port}/echo"
        try:
            results = await kosoku.run_fuzzingclient(url, exclude_cases=DO_NOT_APPLY, concurrency=4)
        except kosoku.FailureError as failure:
            results = failure.results
        assert len(results) == 301
        failed = {each.case_id: each.result for each in results if not each.passed}
        assert failed.keys() == EXCEPTIONS.keys(), failed
        assert "Traceback" not in service.output()
