"""The service whose canary looks four times as often, and waits half as long."""

from bridge.nats_link import canary

canary.PROBE_INTERVAL_SECONDS = canary.ANSWER_TIMEOUT_SECONDS = 0.5

import main  # noqa: E402

main.app.start()
