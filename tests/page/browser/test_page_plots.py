"""Plots of a number in the payload."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Browser, expect

from tests.page.support.detail import Publish, payload, plot, points, show, value
from tests.page.support.viewer import Viewer
from tests.support.raw_nats import RawNats
from tests.support.servers import Gateway, until


def test_a_number_is_plotted_over_all_messages_of_its_subject(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(f"{subject}.*")
    publish(f"{subject}.other", b'{"price":99}')
    for number in range(20):
        publish(f"{subject}.a", json.dumps({"price": 10 + number}).encode())
    viewer.expect_figure("received", "21")
    viewer.row(f"{subject}.a").last.click()
    value(viewer, "29").click()
    expect(plot(viewer)).to_be_visible()
    until(lambda: points(viewer) == 20)
    picture = plot(viewer).get_by_role("img")
    expect(picture).to_have_attribute(
        "aria-label", re.compile(r"^price over .*: 10 to 29, last 29, 20 messages$")
    )
    expect(plot(viewer)).to_contain_text(re.compile(r"min\s*10\s*max\s*29\s*last\s*29"))
    viewer.page.keyboard.press("Escape")
    expect(plot(viewer)).to_be_hidden()
    expect(value(viewer, "29")).to_be_focused()
    expect(viewer.detail).to_be_visible()


def test_a_plot_goes_on_while_messages_arrive(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    show(viewer, publish, subject, b'{"price":1}', b'{"price":2}')
    value(viewer, "2").click()
    until(lambda: points(viewer) == 2)
    viewer.button("Resume").click()
    publish(subject, b'{"price":9007199254740993}')
    until(lambda: points(viewer) == 3)
    expect(plot(viewer)).to_contain_text("9007199254740993")
    plot(viewer).get_by_role("button", name="Close the plot").click()
    expect(plot(viewer)).to_be_hidden()


def test_a_click_on_a_plot_shows_that_message(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    show(viewer, publish, subject, b'{"price":1}', b'{"price":2}', b'{"price":3}')
    value(viewer, "3").click()
    until(lambda: points(viewer) == 3)
    picture = plot(viewer).locator(".plot-picture")
    picture.click(position={"x": 24, "y": 128})  # left and low
    expect(payload(viewer)).to_contain_text('"price": 1')
    expect(plot(viewer)).to_be_visible()


def test_a_press_on_a_plot_counts_although_it_is_drawn_anew(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    show(viewer, publish, subject, b'{"price":1}', b'{"price":2}')
    value(viewer, "2").click()
    until(lambda: points(viewer) == 2)
    viewer.button("Resume").click()
    place = plot(viewer).locator(".plot-line").bounding_box()
    assert place is not None
    viewer.page.mouse.move(place["x"] - 3, place["y"] + place["height"] - 1)
    viewer.page.mouse.down()
    publish(subject, b'{"price":3}')
    until(lambda: points(viewer) == 3)
    viewer.page.mouse.up()
    expect(payload(viewer)).to_contain_text('"price": 1')


def test_a_plot_is_closed_with_its_subject(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.follow(f"{subject}.*")
    publish(f"{subject}.a", b'{"price":1}')
    publish(f"{subject}.b", b'{"price":2}')
    viewer.expect_figure("received", "2")
    viewer.row(f"{subject}.a").click()
    value(viewer, "1").click()
    expect(plot(viewer)).to_be_visible()
    viewer.row(f"{subject}.b").click()
    expect(plot(viewer)).to_be_hidden()


def test_plots_and_views_stand_in_dark_and_forced_colours(
    chromium: Browser, gateway: Gateway, publish: Publish, subject: str
) -> None:
    for options in ({"color_scheme": "dark"}, {"forced_colors": "active"}):
        context = chromium.new_context(**options)  # type: ignore[arg-type]
        viewer = Viewer(context.new_page(), gateway.url).open()
        show(viewer, publish, subject, b'{"price":1}', b'{"price":2}')
        value(viewer, "2").click()
        until(lambda shown=viewer: points(shown) == 2)  # type: ignore[misc]
        style = "line => getComputedStyle(line).stroke"
        stroke = plot(viewer).locator("polyline").evaluate(style)
        back = viewer.detail.evaluate("pane => getComputedStyle(pane).backgroundColor")
        assert stroke not in ("none", back)
        context.close()


def test_many_points_are_drawn_as_the_lowest_and_the_highest_of_every_two_pixels(
    viewer: Viewer, raw_nats: RawNats, subject: str
) -> None:
    viewer.follow(subject)
    values = [b'{"n":%d}' % (number * 7919 % 1000) for number in range(1_500)]
    raw_nats.send(b"".join(raw_nats.command(subject.encode(), each) for each in values))
    viewer.expect_figure("received", "1,500")
    viewer.row('{"n":581}').last.click()  # the last of them
    value(viewer, "581").click()
    until(lambda: points(viewer) > 100)
    width = viewer.page.locator(".plot-picture").evaluate("picture => picture.clientWidth")
    assert points(viewer) <= width
    expect(plot(viewer)).to_contain_text("1,500 messages")
