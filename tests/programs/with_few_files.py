"""The service where no more than 256 files may be open."""

import resource

resource.setrlimit(resource.RLIMIT_NOFILE, (128, 256))

import main  # noqa: E402

main.app.start()
