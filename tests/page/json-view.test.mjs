import assert from "node:assert/strict";
import test from "node:test";
import { layOut } from "../../page/js/model/json-view.js";

function text(json) {
  const { lines } = layOut(json);
  return lines.map(({ depth, tokens }) => "  ".repeat(depth) + tokens.map((token) => token.text).join("")).join("\n");
}

function kinds(json) {
  return layOut(json).lines.flatMap(({ tokens }) => tokens).map(({ kind, text: token }) => [kind, token]);
}

test("an object is laid out like JSON.stringify would, however it came", () => {
  const value = { a: [1, { b: null }], c: {}, d: [], e: "x: {y}, [z]" };
  const expected = JSON.stringify(value, null, 2);
  assert.equal(text(JSON.stringify(value)), expected);
  assert.equal(text(JSON.stringify(value, null, 7)), expected);
});

test("numbers keep every digit they came with", () => {
  for (const number of ["9007199254740993", "1.0", "-0", "1e400", "0.30000000000000000001", "1E+2"]) {
    assert.deepEqual(kinds(number), [["number", number]]);
  }
});

test("strings keep their escapes, whatever quotes and backslashes they hold", () => {
  for (const string of ['"q\\"uote"', '"\\\\"', '"a\\\\\\"b"', '"\\u0041"', '""']) {
    assert.deepEqual(kinds(string), [["string", string]]);
  }
});

test("keys, strings and literals are told apart", () => {
  assert.deepEqual(kinds('{"k" : "v"}').map(([kind]) => kind), ["mark", "key", "mark", "string", "mark"]);
  assert.deepEqual(kinds("[true,false,null]").filter(([kind]) => kind === "literal").length, 3);
});

test("a long text stops after the allowed lines and says so", () => {
  const { lines, complete } = layOut(`[${"1,".repeat(5_000)}1]`, 100);
  assert.equal(complete, false);
  assert.ok(lines.length <= 101);
  assert.equal(layOut("[1]").complete, true);
});

test("a text cut in the middle is laid out as far as it goes", () => {
  assert.equal(text('{"a":"unfin'), '{\n  "a": "unfin');
});

test("a hundred thousand levels and a megabyte of string are no trouble", () => {
  assert.equal(layOut("[".repeat(100_000), 1_000_000).complete, true);
  const string = `"${"\\\\a".repeat(400_000)}"`;
  assert.deepEqual(kinds(string), [["string", string]]);
});
