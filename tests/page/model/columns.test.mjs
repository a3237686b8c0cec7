import assert from "node:assert/strict";
import test from "node:test";
import { Columns, isNumber } from "../../../page/js/model/columns.js";
import { stepsOf, pathText, follow } from "../../../page/js/model/json-path.js";
import { valuesOf } from "../../../page/js/model/json-view.js";
import { valueAt } from "../../../page/js/model/value-at.js";
import { Order } from "../../../page/js/model/order.js";

const message = (raw, encoding = "json") => ({ raw, encoding, headers: [] });

test("every plain value of a text is found at its place, as it is written", () => {
  const text = '{ "a" : [1.50, {"b c":"x, ] }", "d":[]}, [ ], [[7]]], "é\\"k":{"n":9007199254740993}, "\\u0061b": true , "e":null}';
  const tokens = [...valuesOf(text)];
  assert.ok(tokens.length > 5);
  for (const { place, start, end } of tokens) assert.equal(valueAt(text, stepsOf(place)), text.slice(start, end), pathText(place));
  assert.equal(valueAt(text, ["a", 1]), '{"b c":"x, ] }", "d":[]}');
  assert.equal(valueAt(text, ["ab"]), "true");
});

test("where steps lead nowhere there is nothing", () => {
  const cases = [['{"a":1}', ["b"]], ['{"a":1}', ["a", "b"]], ["[1,2]", [2]], ["[]", [0]], ["{}", ["a"]], ["7", ["a"]], ["[1]", ["0"]], ['{"0":1}', [0]], ['"a"', [0]]];
  for (const [json, steps] of cases) assert.equal(valueAt(json, steps), "", json);
});

test("columns are read from paths as they are written, and what is none is left out", () => {
  const columns = new Columns();
  const value = { price: 1, customer: { id: 7 }, items: [{ "odd, key.": "x" }], ключ: 2 };
  const raw = JSON.stringify(value);
  const paths = [...valuesOf(raw)].map(({ place }) => pathText(place));
  columns.become(paths);
  assert.deepEqual(columns.paths, ["price", "customer.id", 'items[0]["odd, key."]', "ключ"]);
  assert.deepEqual(columns.cells(message(raw)), ["1", "7", "x", "2"]);
  assert.equal(follow(value, ["customer", "id"]), 7);
  columns.become(["", "a..b", "[", "a[", "a b", "price", "price"]);
  assert.deepEqual(columns.paths, ["price"]);
});

test("six have room; a seventh is refused, and each can go", () => {
  const columns = new Columns();
  for (const path of ["a", "b", "c", "d", "e", "f"]) assert.equal(columns.toggle(path), true);
  assert.equal(columns.toggle("g"), false);
  assert.equal(columns.toggle("a"), true);
  assert.deepEqual(columns.paths, ["b", "c", "d", "e", "f"]);
});

test("digits stay, texts come without quotes and on one line, and what is no JSON has nothing", () => {
  const columns = new Columns();
  columns.become(["n", "t", "o"]);
  const of = message('{"n":1.50,"t":"a\\nb","o":{"x":1}}');
  assert.deepEqual(columns.cells(of), ["1.50", "a↵b", '{"x":1}']);
  assert.equal(columns.cells(of), columns.cells(of), "made once");
  assert.deepEqual(columns.cells(message('"n"', "text")), ["", "", ""]);
  assert.equal(columns.cells(message(JSON.stringify({ t: "x".repeat(500) })))[1].length, 201);
  columns.become(["t"]);
  assert.deepEqual(columns.cells(of), ["a↵b"]);
  assert.deepEqual(["1.50", "-0", "1e5", "", "x", "1 kg", "true"].map(isNumber), [true, true, true, false, false, false, false]);
});

test("rows stand in the order of a column, numbers by their value", () => {
  const columns = new Columns();
  columns.become(["n"]);
  const rows = [["a", '{"n":10}'], ["b", '{"n":9}'], ["c", '{"n":"x"}'], ["d", "{}"]].map(([subject, raw]) => ({ subject, count: 1, rate: null, last: message(raw) }));
  const order = new Order((last, path) => columns.cell(last, path));
  order.choose(":n");
  assert.equal(order.apply({ rows, version: 1 }).map(({ subject }) => subject).join(""), "badc");
  columns.become([]);
  assert.equal(order.apply({ rows, version: 1 }).map(({ subject }) => subject).join(""), "abcd");
});
