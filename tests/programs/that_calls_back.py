"""The service with a `manager.callback` that writes each message as the gateway itself would."""

import json

import main


async def callback(subscriber, msg):
    line = {"subject": msg.subject, "headers": msg.headers, "data": msg.data}
    await subscriber.send_str(json.dumps(line, separators=(",", ":")))


main.manager.callback = callback
main.app.start()
