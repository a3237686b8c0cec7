"""The service with bugs planted: one subject, and one path, fail in a way nobody foresaw."""

import main

follow = main.manager.actions.following.follow


async def broken(connection, patterns, wants):
    if "bug" in patterns:
        raise RuntimeError("planted")
    return await follow(connection, patterns, wants)


main.manager.actions.following.follow = broken


@main.app.http.get("/bug")
async def bug(request):
    raise RuntimeError("planted")


main.app.start()
