import assert from "node:assert/strict";
import test from "node:test";
import { Folds } from "../../../page/js/model/folds.js";
import { between } from "../../../page/js/model/json-brackets.js";
import { START, layOut, linesText } from "../../../page/js/model/json-view.js";

const JSON_TEXT = '{"id":1,"lines":[{"sku":"A","tags":["x","y"]},{"sku":"B","tags":[]}],"note":"a, ] and }"}';

function places(text) {
  const found = new Map();
  for (const { opens, tokens } of layOut(text, { folds: new Folds() }).lines) {
    if (opens !== undefined) found.set(tokens.map((token) => token.text).join(""), opens);
  }
  return found;
}

const shown = (text, folds) => linesText(layOut(text, { folds }).lines);

test("without folds a text is laid out as ever, and lines that open something know what", () => {
  assert.equal(shown(JSON_TEXT, new Folds()), JSON.stringify(JSON.parse(JSON_TEXT), null, 2));
  assert.deepEqual([...places(JSON_TEXT).keys()], ["{", '"lines": [', '"tags": [']);
});

test("what is folded stands on one line with how much is in it", () => {
  const folds = new Folds();
  folds.toggle(places(JSON_TEXT).get('"lines": ['));
  assert.equal(shown(JSON_TEXT, folds), '{\n  "id": 1,\n  "lines": [… 2 items],\n  "note": "a, ] and }"\n}');
  folds.toggle(null);
  assert.equal(shown(JSON_TEXT, folds), "{… 3 keys}");
  folds.toggle(null);
  folds.toggle(places(JSON_TEXT).get('"lines": ['));
  assert.equal(shown(JSON_TEXT, folds), JSON.stringify(JSON.parse(JSON_TEXT), null, 2));
});

test("a level is folded at once, but for what was unfolded after", () => {
  const text = '[{"a":1},{"a":2},[3]]';
  const folds = new Folds();
  const place = (step) => ({ up: null, step });
  folds.toggleLevel(place(1));
  assert.equal(shown(text, folds), "[\n  {… 1 key},\n  {… 1 key},\n  [… 1 item]\n]");
  folds.toggle(place(1));
  assert.equal(shown(text, folds), '[\n  {… 1 key},\n  {\n    "a": 2\n  },\n  [… 1 item]\n]');
  folds.toggleLevel(place(0));
  assert.equal(shown(text, folds), JSON.stringify(JSON.parse(text), null, 2));
});

test("a long list ends after a hundred values until all are wanted", () => {
  const value = { n: Array.from({ length: 250 }, (_, index) => index), after: true };
  const folds = new Folds();
  const lines = shown(JSON.stringify(value), folds).split("\n");
  assert.deepEqual(lines.slice(100), ["    98,", "    99,", "    … 150 more", "  ],", '  "after": true', "}"]);
  folds.showWhole({ up: null, step: '"n"' });
  const whole = layOut(JSON.stringify(value), { folds, mostLines: 1_000 });
  assert.equal(linesText(whole.lines), JSON.stringify(value, null, 2));
  const exact = JSON.stringify(value.n.slice(0, 100));
  assert.equal(shown(exact, new Folds()), JSON.stringify(JSON.parse(exact), null, 2));
});

test("opening everything is told once", () => {
  const folds = new Folds();
  folds.toggle(null);
  assert.equal(folds.open(), true);
  assert.equal(folds.has(null), false);
  assert.equal(folds.cuts(null), false);
  assert.equal(folds.open(), false);
});

test("folds hold in every slice of a text", () => {
  const text = JSON.stringify(Array.from({ length: 40 }, (_, index) => ({ index, list: [index] })));
  const folds = new Folds();
  folds.toggleLevel({ up: null, step: 0 });
  const parts = [];
  for (let from = START; from; ) {
    const { lines, next } = layOut(text, { from, folds, mostLines: 7 });
    parts.push(linesText(lines));
    from = next;
  }
  assert.equal(parts.join("\n").split("{… 2 keys}").length, 41);
});

test("the other half of a bracket is found past strings and other brackets, and after a comma what is left", () => {
  assert.deepEqual(between('[1,"]",[2,3],{"a":[4]}] ', 0), { close: 22, count: 4 });
  assert.deepEqual(between("[1,2,3]", 2), { close: 6, count: 2 });
  assert.deepEqual(between("[ ]", 0), { close: 2, count: 0 });
  assert.deepEqual(between("[1,2", 0), { close: 4, count: 1 });
});
