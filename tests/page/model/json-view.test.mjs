import assert from "node:assert/strict";
import test from "node:test";
import { pathText } from "../../../page/js/model/json-path.js";
import { START, layOut, linesText, valuesOf } from "../../../page/js/model/json-view.js";
import { anyOf, chance, whole } from "../support/random.mjs";

const text = (json) => linesText(layOut(json).lines);

function kinds(json) {
  return layOut(json).lines.flatMap(({ tokens }) => tokens).map(({ kind, text: token }) => [kind, token]);
}

function slicesOf(json, bounds) {
  const slices = [];
  for (let from = START; from; from = slices.at(-1).next) slices.push(layOut(json, { from, ...bounds }));
  return slices;
}

function anyValue(depth = 0) {
  const kind = whole(depth < 4 ? 6 : 4);
  if (kind === 0) return whole(2_000) - 1_000;
  if (kind === 1) return anyOf([true, false, null]);
  if (kind < 4) return anyOf(["", "a, b", "{[", '\\"', "é😀", "long ".repeat(whole(20))]);
  if (kind === 4) return Array.from({ length: whole(5) }, () => anyValue(depth + 1));
  const keys = ["a", "b c", "", '"', "sku", "10"].filter(() => chance(0.6));
  return Object.fromEntries(keys.map((key) => [key, anyValue(depth + 1)]));
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

test("a long text comes in slices of few lines and characters, which together are the whole", () => {
  const json = `[${"1,".repeat(5_000)}1]`;
  const slices = slicesOf(json, { mostLines: 100, mostChars: 150 });
  assert.ok(slices.every(({ lines }) => lines.length <= 100));
  assert.equal(slices.map(({ lines }) => linesText(lines)).join("\n"), JSON.stringify(JSON.parse(json), null, 2));
  assert.equal(layOut("[1]").next, null);
});

test("however it is sliced, it reads as if it were not", () => {
  for (let round = 0; round < 300; round += 1) {
    const value = anyValue();
    const expected = JSON.stringify(value, null, 2);
    const bounds = { mostLines: 1 + whole(8), mostChars: 120 };
    const texts = slicesOf(JSON.stringify(value), bounds).map(({ lines }) => linesText(lines));
    assert.equal(texts.join("\n"), expected);
  }
});

test("a token longer than a slice comes in pieces and knows its ends; no character is parted", () => {
  const json = `{"long":"${"😀".repeat(100)}","n":1}`;
  const slices = slicesOf(json, { mostChars: 37 });
  const tokens = slices.flatMap(({ lines }) => lines.flatMap((line) => line.tokens));
  const pieces = tokens.filter(({ kind }) => kind === "string");
  assert.ok(pieces.length > 3);
  assert.equal(pieces.map((piece) => piece.text).join(""), `"${"😀".repeat(100)}"`);
  for (const piece of pieces) {
    assert.ok(piece.text.isWellFormed());
    assert.equal(json.slice(piece.start, piece.end), `"${"😀".repeat(100)}"`);
    assert.equal(pathText(piece.place), "long");
  }
});

test("each value knows its path, an odd key in brackets", () => {
  const json = '{"items":[{"sku":"a"},{"sku":"b","odd key":[1,[2]]}],"x":{},"y":3,"":4,"q\\"":5}';
  assert.deepEqual([...valuesOf(json)].map(({ place, text: token }) => [pathText(place), token]), [
    ["items[0].sku", '"a"'],
    ["items[1].sku", '"b"'],
    ['items[1]["odd key"][0]', "1"],
    ['items[1]["odd key"][1][0]', "2"],
    ["y", "3"],
    ['[""]', "4"],
    ['["q\\""]', "5"],
  ]);
  assert.deepEqual([...valuesOf("7")].map(({ place }) => pathText(place)), [""]);
});

test("a path leads to its value, whatever the value", () => {
  for (let round = 0; round < 300; round += 1) {
    const value = { v: anyValue() };
    for (const { place, text: token } of valuesOf(JSON.stringify(value))) {
      const path = pathText(place);
      const found = new Function("value", `return value${path.startsWith("[") ? "" : "."}${path}`)(value);
      assert.deepEqual(found, JSON.parse(token));
    }
  }
});

test("a text cut in the middle is laid out as far as it goes", () => {
  assert.equal(text('{"a":"unfin'), '{\n  "a": "unfin');
});

test("a hundred thousand levels and a megabyte of string are no trouble", () => {
  assert.equal(slicesOf("[".repeat(100_000)).at(-1).lines.at(-1).depth, 99_999);
  const string = `"${"\\\\a".repeat(400_000)}"`;
  assert.equal(slicesOf(string).flatMap(({ lines }) => lines[0].tokens[0].text).join(""), string);
});
