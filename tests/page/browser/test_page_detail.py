"""The detail of a message: its views, copying, its neighbours."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import expect

from tests.page.support.detail import ORDER, Publish, payload, show, tab, watch_clipboard
from tests.page.support.viewer import Viewer


def test_json_is_pretty_at_first_and_exact_in_every_view(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    show(viewer, publish, subject, ORDER)
    expect(tab(viewer, "Pretty")).to_have_attribute("aria-selected", "true")
    expect(payload(viewer)).to_contain_text('"id": 9007199254740993,')
    expect(payload(viewer)).to_contain_text('"price": 1.50,')
    expect(tab(viewer, "Diff")).to_be_hidden()
    tab(viewer, "Raw").click()
    expect(payload(viewer)).to_have_text(ORDER.decode())
    tab(viewer, "Hex").click()
    expect(payload(viewer)).to_contain_text("7b 22 69 64")
    facts = viewer.detail.locator(".detail-facts")
    expect(facts).to_contain_text(
        re.compile(r"^\d+ \w{3} \d{4}, \d\d:\d\d:\d\d\.\d{3} · .+ · 75 B · JSON · #1$")
    )


def test_json_on_several_lines_is_exact_in_raw_hex_copy_and_download(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    pretty = b'{\r\n  "a": 1,\n\t"b": [\n    1,\n    2\n  ]\n}\n'
    viewer.follow(subject)
    publish(subject, pretty)
    publish(subject, pretty)  # two in a frame, if they are fast enough
    viewer.row('{ "a": 1, "b": [ 1, 2 ] }').last.click()
    copied = watch_clipboard(viewer)
    viewer.button("Copy").click()
    expect(viewer.button("Copied")).to_be_visible()
    assert copied().encode() == pretty
    tab(viewer, "Raw").click()
    assert (payload(viewer).text_content() or "").encode() == pretty
    tab(viewer, "Hex").click()
    expect(payload(viewer)).to_contain_text("7b 0d 0a 20 20 22 61 22")
    expect(payload(viewer)).to_contain_text("3a 20 31 2c 0a 09 22 62")
    with viewer.page.expect_download() as held:
        viewer.button("Download").click()
    assert Path(held.value.path()).read_bytes() == pretty


def test_of_bytes_that_are_no_text_what_is_copied_is_named(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    show(viewer, publish, subject, b"\x00\xff\x01")
    copied = watch_clipboard(viewer)
    viewer.button("Copy base64").click()
    expect(viewer.button("Copied")).to_be_visible()
    assert copied() == "AP8B"
    viewer.button("Resume").click()
    publish(subject, b"1")
    expect(viewer.button("Newer")).to_be_enabled()
    viewer.button("Newer").click()
    expect(viewer.button("Copy base64")).to_have_count(0)
    expect(viewer.detail.locator(".detail-copy")).to_have_text("Copy")


def test_copy_takes_the_payload_as_it_came(viewer: Viewer, publish: Publish, subject: str) -> None:
    show(viewer, publish, subject, ORDER)
    copied = watch_clipboard(viewer)
    viewer.button("Copy").click()
    expect(viewer.button("Copied")).to_be_visible()
    assert copied() == ORDER.decode()


def test_copy_works_where_there_is_no_clipboard(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    show(viewer, publish, subject, b'"old way"')
    viewer.page.evaluate(
        "() => { Object.defineProperty(navigator, 'clipboard', { value: undefined }); "
        "document.addEventListener('copy', () => "
        "{ globalThis.copied = document.activeElement.value; }); }"
    )
    viewer.button("Copy").click()
    expect(viewer.button("Copied")).to_be_visible()
    assert viewer.page.evaluate("globalThis.copied") == '"old way"'


def test_binary_is_hex_at_first_and_text_is_raw(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    show(viewer, publish, subject, b"\xff\xfe\x00AB")
    expect(tab(viewer, "Hex")).to_have_attribute("aria-selected", "true")
    expect(payload(viewer)).to_have_text(re.compile(r"^00000000  ff fe 00 41 42 +\.\.\.AB$"))
    expect(tab(viewer, "Pretty")).to_be_hidden()
    tab(viewer, "Raw").click()
    expect(payload(viewer)).to_have_text("//4AQUI=")


def test_the_view_chosen_last_stays(viewer: Viewer, publish: Publish, subject: str) -> None:
    show(viewer, publish, subject, b'{"n":1}', b"some text", b'{"n":2}')
    tab(viewer, "Pretty").click()
    viewer.row("some text").click()
    expect(tab(viewer, "Raw")).to_have_attribute("aria-selected", "true")
    viewer.row('{"n":1}').click()
    expect(tab(viewer, "Pretty")).to_have_attribute("aria-selected", "true")
    tab(viewer, "Hex").click()
    viewer.row('{"n":2}').click()
    expect(tab(viewer, "Hex")).to_have_attribute("aria-selected", "true")


def test_arrow_keys_go_from_tab_to_tab(viewer: Viewer, publish: Publish, subject: str) -> None:
    show(viewer, publish, subject, b'{"n":1}')
    tab(viewer, "Pretty").focus()
    for key, name in [
        ("ArrowRight", "Raw"),
        ("ArrowRight", "Hex"),  # no Diff: there is nothing before
        ("ArrowRight", "Pretty"),
        ("ArrowLeft", "Hex"),
        ("Home", "Pretty"),
        ("End", "Hex"),
    ]:
        viewer.page.keyboard.press(key)
        expect(tab(viewer, name)).to_be_focused()
        expect(tab(viewer, name)).to_have_attribute("aria-selected", "true")
        assert payload(viewer).get_attribute("aria-labelledby") == (
            tab(viewer, name).get_attribute("id")
        )


def test_diff_marks_only_the_line_that_changed(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    old = {f"key{number}": number for number in range(30)}
    new = old | {"key15": "changed"}
    viewer.follow(f"{subject}.other")
    show(viewer, publish, subject, json.dumps(old).encode(), json.dumps(new).encode())
    tab(viewer, "Diff").click()
    expect(payload(viewer).locator(".diff-old")).to_have_text('-   "key15": 15,')
    expect(payload(viewer).locator(".diff-new")).to_have_text('+   "key15": "changed",')
    expect(payload(viewer).locator(".diff-fold")).to_have_text(
        ["… 13 lines alike", "… 12 lines alike"]
    )
    expect(payload(viewer).locator(".diff-same")).to_have_count(6)
    expect(viewer.detail).to_contain_text("Compared with #1,")


def test_diff_says_so_where_nothing_differs(viewer: Viewer, publish: Publish, subject: str) -> None:
    show(viewer, publish, subject, b'{"a":1}', b'{ "a": 1 }')
    tab(viewer, "Diff").click()
    expect(viewer.detail).to_contain_text("Nothing differs from #1")
    expect(payload(viewer)).to_have_text("… 3 lines alike")


def test_older_and_newer_go_along_the_subject_and_keep_the_focus(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    viewer.follow(f"{subject}.*")
    for number in range(3):
        publish(f"{subject}.a", f'{{"n":{number}}}'.encode())
        publish(f"{subject}.b", b'"other"')
    viewer.expect_figure("received", "6")
    viewer.row('{"n":2}').click()
    older, newer = viewer.button("Older"), viewer.button("Newer")
    expect(newer).to_be_disabled()
    older.focus()
    for number in (1, 0):
        viewer.page.keyboard.press("Enter")
        expect(payload(viewer)).to_contain_text(f'"n": {number}')
    expect(older).to_be_disabled()
    expect(older).to_be_focused()
    viewer.page.keyboard.press("Enter")
    expect(payload(viewer)).to_contain_text('"n": 0')
    newer.press("Enter")
    expect(payload(viewer)).to_contain_text('"n": 1')


def test_a_newer_message_can_be_gone_to_as_soon_as_it_arrives(
    viewer: Viewer, publish: Publish, subject: str
) -> None:
    show(viewer, publish, subject, b'{"n":1}')
    viewer.button("Resume").click()
    expect(viewer.button("Newer")).to_be_disabled()
    publish(subject, b'{"n":2}')
    expect(viewer.button("Newer")).to_be_enabled()
    viewer.button("Newer").click()
    expect(payload(viewer)).to_contain_text('"n": 2')
