"""The service with keys of JWTs that are fetched again after moments instead of minutes."""

from bridge.access import key_sources
from bridge.web import key_fetcher

key_sources.FETCH_PAUSE_SECONDS = 0.5
key_fetcher.REFRESH_SECONDS = 2.0
key_fetcher.LAST_RETRY_SECONDS = 1.0

import main  # noqa: E402

main.app.start()
