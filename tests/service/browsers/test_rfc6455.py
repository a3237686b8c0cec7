"""RFC 6455 and RFC 7692, by the cases of the Autobahn test suite, which kosoku drives."""

from __future__ import annotations

from pathlib import Path

import kosoku
import pytest

from tests.support.servers import Gateway, NatsServer, running

COMPRESSION = ["12.*", "13.*"]
EXCEPTIONS = {
    "7.9.5": "aiohttp takes a close frame with 1006, which nobody may send; it answers and closes",
}
OF_COMPRESSION = ["12.1.3", "12.3.3", "12.4.3", "12.1.11", "12.3.11", "12.4.11", "13.*.3"]
"""Each kind of data that shrinks, each kind of offer, whole and in fragments. All others pass as
well where what is sent back shrinks; kosoku fails where it does not, and comes as it is."""


async def outcome(
    nats_server: NatsServer, log: Path, count: int, **cases: list[str]
) -> dict[str, str]:
    """Run `count` cases against a program that echoes; return what failed, and how."""
    program = "tests/programs/that_echoes.py"
    with running(Gateway(nats_server.url, program=program, log=log)) as service:
        url = f"ws://127.0.0.1:{service.port}/echo"
        try:
            results = await kosoku.run_fuzzingclient(url, concurrency=4, **cases)
        except kosoku.FailureError as failure:
            results = failure.results
        assert len(results) == count
        assert "Traceback" not in service.output()
        return {each.case_id: each.result for each in results if not each.passed}


async def test_the_autobahn_cases_pass(nats_server: NatsServer, log: Path) -> None:
    failed = await outcome(nats_server, log, 301, exclude_cases=COMPRESSION)
    assert failed.keys() == EXCEPTIONS.keys(), failed


@pytest.mark.filterwarnings("ignore:unclosed file .*autobahntestsuite:ResourceWarning")  # kosoku's
async def test_the_autobahn_cases_of_compression_pass(nats_server: NatsServer, log: Path) -> None:
    assert await outcome(nats_server, log, 13, cases=OF_COMPRESSION) == {}
