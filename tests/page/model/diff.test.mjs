import assert from "node:assert/strict";
import test from "node:test";
import { diff, fold, paired } from "../../../page/js/model/diff.js";
import { layOut, linesText } from "../../../page/js/model/json-view.js";
import { anyOf, chance, whole } from "../support/random.mjs";

const pretty = (value) => linesText(layOut(JSON.stringify(value)).lines).split("\n");
const written = (steps) => steps.map(({ sign, text }) => sign + text);
const plain = (lines) => lines.map((line) => line.replace(/,$/, ""));

test("one changed key is one line taken away and one added", () => {
  const steps = diff(pretty({ a: 1, b: 2, c: 3 }), pretty({ a: 1, b: 5, c: 3 }));
  assert.deepEqual(written(steps), [" {", '   "a": 1,', '-  "b": 2,', '+  "b": 5,', '   "c": 3', " }"]);
});

test("a key that is added at the end leaves the line before it alone", () => {
  const steps = diff(pretty({ a: 1 }), pretty({ a: 1, b: 2 }));
  assert.deepEqual(written(steps), [" {", '   "a": 1,', '+  "b": 2', " }"]);
});

test("nothing changed, all changed, nothing there", () => {
  assert.deepEqual(written(diff(["a"], ["a"])), [" a"]);
  assert.deepEqual(written(diff(["a"], ["b"])), ["-a", "+b"]);
  assert.deepEqual(diff([], []), []);
  assert.deepEqual(written(diff([], ["a"])), ["+a"]);
});

test("done to the old lines, it gives the new ones, and undone the old", () => {
  for (let round = 0; round < 1_000; round += 1) {
    const old = Array.from({ length: whole(30) }, () => anyOf(["a", "b,", "c", "d,", ""]));
    const lines = old.filter(() => chance(0.8)).flatMap((line) => (chance(0.2) ? [anyOf(["a", "e"]), line] : [line]));
    const steps = diff(old, lines);
    assert.deepEqual(steps.filter(({ sign }) => sign !== "-").map(({ text }) => text), lines);
    assert.deepEqual(plain(steps.filter(({ sign }) => sign !== "+").map(({ text }) => text)), plain(old));
  }
});

test("a line put in the place of another is below it, and the words that differ are known", () => {
  const steps = paired(diff(['"c": 23.52,', '"h": "a b"', "x"], ['"c": 22.96,', '"h": "a 😀c b"', "x"]));
  const parts = steps.map(({ sign, text, part }) => [sign, part && text.slice(...part)]);
  assert.deepEqual(parts, [["-", "23.52"], ["+", "22.96"], ["-", "b"], ["+", "😀c b"], [" ", undefined]]);
  const more = diff(["a"], ["b", "c"]);
  assert.deepEqual(paired(more), more);
});

test("the part that differs is never half a character", () => {
  for (let round = 0; round < 500; round += 1) {
    const any = () => Array.from({ length: whole(6) }, () => anyOf(["😀", "😁", "a", " "])).join("");
    const [one, other] = [any(), any()];
    for (const { text, part } of paired(diff([one], [other]))) {
      if (!part) continue;
      assert.ok(part[0] <= part[1] && text.slice(...part).isWellFormed() && text.slice(0, part[0]).isWellFormed());
    }
  }
});

test("no shorter way leads there", () => {
  const steps = diff([..."abcabba"], [..."cbabac"]);
  assert.equal(steps.filter(({ sign }) => sign !== " ").length, 5);
});

test("too much that differs is not compared, however long what is alike", () => {
  const numbers = (from, length) => Array.from({ length }, (_, place) => String(from + place));
  assert.equal(diff(numbers(0, 2_001), numbers(9_000, 2_001)), null);
  const alike = numbers(0, 50_000);
  assert.equal(diff([...alike, "a", ...alike], [...alike, "b", ...alike]).length, 100_002);
});

test("long stretches of what is alike are folded, all of it where nothing changed", () => {
  const alike = (length) => Array.from({ length }, () => "x");
  const lines = (one, other) => [...alike(12), one, ...alike(10), other, ...alike(4)];
  const steps = diff(lines("a", "b"), lines("A", "B"));
  const folded = fold(steps);
  assert.deepEqual(folded.filter(({ sign }) => sign === "…").map(({ count }) => count), [9, 4]);
  const shown = folded.reduce((sum, { count }) => sum + (count ?? 1), 0);
  assert.equal(shown, steps.length);
  assert.deepEqual(fold(diff(alike(5), alike(5))), [{ sign: "…", count: 5 }]);
});
