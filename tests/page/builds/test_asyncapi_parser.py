"""What AsyncAPI's own parser says of `docs/asyncapi.yaml`."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.support.asyncapi import PATH

PARSE = """const { Parser } = require("@asyncapi/parser");
let text = "";
process.stdin.on("data", (part) => { text += part; });
process.stdin.on("end", async () => {
  const found = [];
  for (const description of JSON.parse(text)) {
    const { document, diagnostics } = await new Parser().parse(description);
    const said = diagnostics.map(({ message, path }) => `${path.join(".")}: ${message}`);
    found.push([said, document?.allMessages().map((each) => each.id())]);
  }
  console.log(JSON.stringify(found));
});"""
WRONG = (
    ("action: send", "action: say"),
    ("type: array", "type: list"),
    ("'#/components/schemas/code'", "'#/components/schemas/codes'"),
)


def test_asyncapis_parser_has_nothing_to_say_of_the_description(tools: Path) -> None:
    text = PATH.read_text()
    spoilt = [text.replace(right, wrong, 1) for right, wrong in WRONG]
    command = ["node", "-e", PARSE]
    descriptions = json.dumps([text, *spoilt])
    answer = subprocess.check_output(command, input=descriptions, cwd=tools.parent, text=True)
    (said, kinds), *others = json.loads(answer)
    assert said == []  # no hint either
    assert {"subscribe", "refused", "message", "posted"} <= set(kinds)
    assert all(said for said, _ in others), others
