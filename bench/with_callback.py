"""The gateway with the tutorial's `manager.callback` set, as a program may do."""

import os

import main
from bridge.wire.framing import BATCH

if os.environ["CALLBACK"] == "async":

    async def callback(subscriber, msg):
        await subscriber.send_str(BATCH.piece(msg).decode())

else:

    def callback(subscriber, msg):
        subscriber.send(msg)


main.manager.callback = callback
main.app.start()
