"""The service whose parent looks after its workers ten times as often."""

from bridge.service import workers

workers.CHECK_SECONDS = 0.5

import main  # noqa: E402

main.app.start()
