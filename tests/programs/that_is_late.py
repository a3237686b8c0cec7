"""The service, with no time to carry out what other replicas ask of it."""

from bridge.replicas import forwarding

forwarding.LATE_SECONDS = 0.0

import main  # noqa: E402

main.app.start()
