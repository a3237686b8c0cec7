"""The service with a bug planted: one subject makes its request fail in a way nobody foresaw."""

import main

follow = main.manager._follow


async def broken(connection, pattern):
    if pattern == "bug":
        raise RuntimeError("planted")
    await follow(connection, pattern)


main.manager._follow = broken
main.app.start()
