"""The service with two workers, for whom a setting is wrong that was right for their parent."""

import os

os.environ["WORKERS"] = "2"
if "NATS_BRIDGE_WORKER" in os.environ:
    os.environ["HTTP_PORT"] = "0"

import main

main.app.start()
