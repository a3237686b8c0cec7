import assert from "node:assert/strict";
import test from "node:test";
import { START, layOut } from "../../../page/js/model/json-view.js";
import { valueItems } from "../../../page/js/view/value-menu.js";

/** What "Filter to this value" filters to, for each value in a JSON text that has no list or object in it. */
function filters(json) {
  const tokens = layOut(json, { from: START }).lines.flatMap((line) => line.tokens);
  const values = tokens.filter(({ kind }) => !["key", "mark"].includes(kind));
  return values.map((token) => {
    let found;
    const { items } = valueItems(token, json, { act: (name, { text }) => (found = text), copy() {}, plot() {}, hasColumn: () => false });
    items.filter(Boolean).find(([name]) => name === "Filter to this value")[1]();
    return found;
  });
}

test("a value is filtered to with its key, whatever the two look like", () => {
  const members = [
    '"error":"error"', '"error" : "error"', '"":""', '"a":""', '"":"a"', '":":":"', '"\\"":"\\""', '"\\":":"\\":"',
    '"a:\\"b":"a:\\"b"', '"1":1', '"true":true', '"x\\\\":"x\\\\"', '"a"\n\t:\n "a"', '"é😀":"é😀"',
  ];
  for (const member of members) {
    assert.deepEqual(filters(`{${member}}`), [member]);
    assert.deepEqual(filters(`{"error":1,${member},"error":"error"}`)[1], member);
    assert.deepEqual(filters(`{"up":{"up":"up",${member}}}`)[1], member);
  }
});

test("a value in a list, or alone, is filtered to as it is", () => {
  assert.deepEqual(filters('{"error":["error","error"]}'), ['"error"', '"error"']);
  assert.deepEqual(filters('"error"'), ['"error"']);
  assert.deepEqual(filters("-21.5"), ["-21.5"]);
});
