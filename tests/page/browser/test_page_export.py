"""Export in a real browser: the files hold exactly what is shown, or all that is kept."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Download, expect

from tests.page.support.tasks import longest_task
from tests.page.support.viewer import Viewer

Publish = Callable[[str, bytes], None]

ODD = [
    b'{"id":9007199254740993,"x":1.0}',
    b"=1+1",
    b"-5",
    b'say "hi", twice\r\nand again',
    b'{\n  "a": [\n    1\n  ]\n}',
    b"\xff\xfe\x00",
    b"",
    "ünï 日本語".encode(),
    b"<script>alert(1)</script>",
]


def export(viewer: Viewer, choice: str) -> Download:
    """Take one choice of the menu, and what the browser then saves."""
    viewer.page.get_by_role("button", name="Export", exact=True).click()
    with viewer.page.expect_download() as download:
        viewer.page.get_by_role("button", name=choice).click()
    expect(viewer.page.locator("#export-menu")).to_be_hidden()
    return download.value


def text_of(download: Download) -> str:
    return Path(download.path()).read_bytes().decode()


@pytest.fixture
def odd(viewer: Viewer, publish: Publish, subject: str) -> Viewer:
    """A page with odd messages, two of which have the digits 993 or 1+1."""
    viewer.follow(f"{subject}.*")
    for number, payload in enumerate(ODD):
        publish(f"{subject}.{number}", payload)
    viewer.expect_figure("received", str(len(ODD)))
    return viewer


def test_ndjson_has_a_line_for_each_message_with_its_digits(odd: Viewer, subject: str) -> None:
    download = export(odd, "All kept as NDJSON")
    assert re.fullmatch(r"nats-[-\dT]+Z\.ndjson", download.suggested_filename)
    *lines, rest = text_of(download).split("\n")
    assert (len(lines), rest) == (len(ODD), "")
    assert '"data":{"id":9007199254740993,"x":1.0}}' in lines[0]
    for number, (line, payload) in enumerate(zip(lines, ODD, strict=True)):
        message = json.loads(line)
        assert message["subject"] == f"{subject}.{number}"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", message["time"])
        if message.get("encoding") == "text":
            assert message["data"] == payload.decode()
        elif "encoding" not in message:
            assert message["data"] == json.loads(payload)
    assert json.loads(lines[5])["encoding"] == "base64"


def test_file_of_what_is_shown_has_exactly_these_messages(
    odd: Viewer, publish: Publish, subject: str
) -> None:
    odd.page.get_by_role("textbox", name="Filter").fill("/993|1\\+1/")
    odd.expect_figure("shown", "2 of 9")
    odd.page.get_by_role("button", name="Export", exact=True).click()
    choices = odd.page.locator("#export-choices")
    expect(choices).to_contain_text("2 messages")
    expect(choices).to_contain_text("9 messages")
    odd.page.keyboard.press("Escape")
    lines = text_of(export(odd, "Shown as NDJSON")).splitlines()
    assert [json.loads(line)["subject"] for line in lines] == [f"{subject}.0", f"{subject}.1"]
    odd.button("Pause").click()
    odd.expect_state("paused")
    publish(f"{subject}.new", b'"993 again"')
    odd.expect_figure("received", "10")
    assert len(text_of(export(odd, "Shown as NDJSON")).splitlines()) == 2
    assert len(text_of(export(odd, "All kept as NDJSON")).split("\n")) == 10 + 1


def test_csv_is_read_by_others_and_holds_no_formula(odd: Viewer, subject: str) -> None:
    download = export(odd, "All kept as CSV")
    assert download.suggested_filename.endswith(".csv")
    text = text_of(download)
    assert text[0] == codecs.BOM_UTF8.decode()  # by which Excel knows UTF-8
    head, *rows = csv.reader(io.StringIO(text[1:], newline=""), strict=True)
    beside = ["reply", "headers", "stream", "seq", "replay", "operation"]
    assert head == ["time", "subject", "data", "encoding", *beside]
    assert [row[1] for row in rows] == [f"{subject}.{number}" for number in range(len(ODD))]
    data = [row[2] for row in rows]
    assert data[0] == '{"id":9007199254740993,"x":1.0}'
    assert data[1:4] == ["'=1+1", "-5", 'say "hi", twice\r\nand again']
    assert rows[5][2:] == ["//4A", "base64", *[""] * 6]
    assert data[6:] == ["", "ünï 日本語", "<script>alert(1)</script>"]


def test_nothing_to_export_cannot_be_exported(viewer: Viewer, subject: str) -> None:
    viewer.follow(subject)
    viewer.page.get_by_role("button", name="Export", exact=True).click()
    for choice in viewer.page.locator("#export-choices button").all():
        expect(choice).to_be_disabled()


EXPORT = """async () => {
  const { exported } = await import(new URL("page/js/model/export.js", document.baseURI));
  const raw = `{"note":"${"lorem ipsum, dolor sit amet ".repeat(40)}"}`;
  const message = { kind: "message", subject: "orders.created", raw, encoding: "json", time: 0 };
  await new Promise(done => setTimeout(done)); // a task of its own, which is traced
  const blob = await exported(Array.from({ length: 100_000 }, () => message), "csv");
  if (blob.size < 100_000 * raw.length) throw Error(`only ${blob.size} bytes`);
}"""


def test_export_of_a_hundred_thousand_messages_blocks_nothing(viewer: Viewer) -> None:
    assert longest_task(viewer.page, EXPORT) <= 100


def test_the_menu_is_in_sight_on_a_phone(viewer: Viewer, publish: Publish, subject: str) -> None:
    viewer.page.set_viewport_size({"width": 360, "height": 640})
    viewer.follow(subject)
    publish(subject, b"1")
    viewer.expect_figure("received", "1")
    viewer.button("Export").click()
    for name in ("Shown as NDJSON", "All kept as CSV"):
        expect(viewer.button(name)).to_be_in_viewport(ratio=1)
