import assert from "node:assert/strict";
import test from "node:test";
import { fullText, mark, payloadOf, preview, sizeText } from "../../../page/js/model/payload.js";

test("a JSON payload on several lines is one line in a row, and stays as it came elsewhere", () => {
  const raw = '{\r\n  "a": 1,\n\t"b": [\n    "x  y",\n    2\n  ]\n}\n';
  const message = { raw, encoding: "json", subject: "a", seq: 0 };
  assert.equal(preview(message), '{ "a": 1, "b": [ "x  y", 2 ] }');
  assert.equal(fullText(message), raw);
  assert.deepEqual([...payloadOf(message)], [...Buffer.from(raw)]);
  assert.equal(sizeText(message), `${raw.length} B`);
});

test("a row shows what would be seen by nobody", () => {
  const text = (value) => preview({ raw: JSON.stringify(value), encoding: "text" });
  assert.equal(text("   "), "···");
  assert.equal(text(" a b "), "·a b·");
  assert.equal(text("user\u202egnp.exe"), "user⟨U+202E⟩gnp.exe");
  assert.equal(preview({ raw: '{"a":"\u200b"}', encoding: "json" }), '{"a":"⟨U+200B⟩"}');
});

test("in a row a key that is read from the right stays before its value", () => {
  assert.equal(preview({ raw: '{"שם":"דוד"}', encoding: "json" }), '{"\u200eשם"\u200e:"\u200eדוד"\u200e}');
  assert.equal(preview({ raw: '{"name":"é"}', encoding: "json" }), '{"name":"é"}');
});

test("what a row cannot hold ends in a sign for that", () => {
  assert.match(preview({ raw: `[${"1,".repeat(1_500)}1]`, encoding: "json" }), /^\[1,1,.*,…$/);
  assert.match(preview({ raw: `[${"\n".repeat(2_000)}1]`, encoding: "json" }), /^\[…$/);
  assert.equal(preview({ raw: JSON.stringify("a".repeat(300)), encoding: "text" }), "a".repeat(300));
  assert.equal(preview({ raw: JSON.stringify("a".repeat(301)), encoding: "text" }), `${"a".repeat(299)}…`);
});

test("a JSON payload is shown as it came, cut to 300 characters", () => {
  assert.equal(preview({ raw: '{"x": 1.0}', encoding: "json" }), '{"x": 1.0}');
  assert.equal(preview({ raw: `"${"a".repeat(1_000)}"`, encoding: "json" }).length, 300);
});

test("a text payload is shown without quotes, its control characters as signs", () => {
  const message = { raw: JSON.stringify("one\r\ntwo\tthree\nfour\u0007"), encoding: "text" };
  assert.equal(preview(message), "one↵two⇥three↵four⟨U+0007⟩");
  assert.equal(fullText(message), "one\r\ntwo\tthree\nfour\u0007");
});

test("the size is that of the payload in bytes", () => {
  assert.equal(sizeText({ raw: '"é"', encoding: "json" }), "4 B");
  assert.equal(sizeText({ raw: '"é"', encoding: "text" }), "2 B");
  assert.equal(sizeText({ raw: '""', encoding: "text" }), "0 B");
  for (const bytes of [1, 2, 3, 1_500]) {
    const raw = JSON.stringify(Buffer.alloc(bytes, 255).toString("base64"));
    assert.equal(sizeText({ raw, encoding: "base64" }), bytes < 1_000 ? `${bytes} B` : "1.5 kB");
  }
});

test("binary and empty payloads are marked, others are not", () => {
  assert.equal(mark({ raw: '"/w=="', encoding: "base64" }), "binary");
  assert.equal(mark({ raw: '""', encoding: "text" }), "empty");
  assert.equal(mark({ raw: '""', encoding: "json" }), "");
  assert.equal(mark({ raw: '"a"', encoding: "text" }), "");
});
