"""`nats pub` of the NATS command line, as far as the README uses it."""

import argparse
import asyncio
import os

import nats


async def publish(server: str, subject: str, body: str) -> None:
    client = await nats.connect(server)
    await client.publish(subject, body.encode())
    await client.drain()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="nats")
    parser.add_argument("command", choices=["pub"])
    parser.add_argument("subject")
    parser.add_argument("body")
    parser.add_argument(
        "-s", "--server", default=os.environ.get("NATS_URL", "nats://127.0.0.1:4222")
    )
    given = parser.parse_args()
    asyncio.run(publish(given.server, given.subject, given.body))
