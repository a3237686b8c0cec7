"""The service with tails that soon notice what is gone, and end soon after their last follower."""

from bridge.audiences import stages
from bridge.history import history, tails
from bridge.history.times import Times

stages.REMIND_SECONDS = 0.5


class QuickTails(tails.Tails):
    """With other times."""

    def __init__(self, *parts, **options) -> None:
        quick = Times(heartbeat=0.1, silence=0.5, gone=0.3, behind=0.1)
        super().__init__(*parts, **(options | {"times": quick, "linger": 0.5}))


history.Tails = QuickTails

import main  # noqa: E402

main.app.start()
