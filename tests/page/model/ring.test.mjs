import assert from "node:assert/strict";
import test from "node:test";
import { Ring } from "../../../page/js/model/ring.js";

const message = (raw) => ({ kind: "message", raw });
const entries = (source) => Array.from({ length: source.length }, (_, index) => source.at(index));
const raws = (source) => entries(source).map(({ raw }) => raw);
const full = (count, ...rest) => {
  const ring = new Ring(count);
  for (const raw of rest) ring.push(message(raw));
  return ring;
};

test("the newest stay, the oldest leave and are counted", () => {
  const ring = new Ring(3);
  for (const raw of ["a", "b", "c", "d", "e"]) ring.push(message(raw));
  assert.deepEqual(raws(ring), ["c", "d", "e"]);
  assert.deepEqual([ring.length, ring.kept, ring.notKept], [3, 3, 2]);
  assert.deepEqual([ring.at(0).seq, ring.at(2).seq], [2, 4]);
  assert.equal(ring.at(3), undefined);
  assert.equal(ring.at(-1), undefined);
});

test("what was before is counted until the ring is cleared, and the limit that holds is known", () => {
  const ring = new Ring(2, 6);
  assert.deepEqual([ring.gone, ring.full], [0, ""]);
  for (const raw of ["a", "b", "c"]) ring.push(message(raw));
  assert.deepEqual([ring.gone, ring.full, ring.snapshot().gone], [1, "count", 1]);
  ring.push(message("d".repeat(6)));
  assert.deepEqual([ring.gone, ring.full, ring.kept], [3, "chars", 1]);
  const undo = ring.clear();
  assert.deepEqual([ring.gone, ring.full, ring.notKept], [0, "", 3]);
  ring.push(message("e"));
  undo();
  assert.deepEqual([ring.gone, ring.notKept, ring.kept], [4, 4, 1]);
});

test("both limits can be changed", () => {
  const ring = new Ring(5, 100);
  for (const raw of ["aaaa", "bbbb", "cccc"]) ring.push(message(raw));
  ring.resize(5, 8);
  assert.deepEqual([raws(ring), ring.maxCount, ring.maxChars], [["bbbb", "cccc"], 5, 8]);
});

test("notes take a place but are not counted as messages", () => {
  const ring = new Ring(2);
  ring.push({ kind: "note", raw: "" });
  ring.push(message("a"));
  ring.push(message("b"));
  ring.push({ kind: "note", raw: "" });
  assert.deepEqual([ring.length, ring.kept, ring.notKept], [2, 1, 1]);
});

test("large payloads leave earlier, the newest always stays", () => {
  const ring = new Ring(100, 10);
  for (const raw of ["aaaa", "bbbb", "cccc"]) ring.push(message(raw));
  assert.deepEqual(raws(ring), ["bbbb", "cccc"]);
  ring.push(message("d".repeat(50)));
  assert.deepEqual([ring.length, ring.notKept], [1, 3]);
  ring.push(message("e"));
  assert.deepEqual(raws(ring), ["e"]);
});

test("a snapshot stands still", () => {
  const ring = new Ring(2);
  ring.push(message("a"));
  const snapshot = ring.snapshot();
  ring.push(message("b"));
  ring.push(message("c"));
  assert.deepEqual(raws(snapshot), ["a"]);
  assert.deepEqual([snapshot.at(-1), snapshot.at(1)], [undefined, undefined]);
});

test("an entry is found by its number, here and in a snapshot", () => {
  const ring = full(3, "a", "b", "c", "d");
  for (const source of [ring, ring.snapshot()]) {
    assert.deepEqual([0, 1, 3, 4].map((seq) => source.indexOf(seq)), [-1, 0, 2, -1]);
    assert.equal(source.kept, 3);
  }
  assert.equal(ring.firstSeq, 1);
});

test("cleared entries come back before what came since, with their numbers", () => {
  const ring = full(4, "a", "b", "c", "d", "e");
  const undo = ring.clear();
  assert.deepEqual([ring.length, ring.kept, ring.notKept, ring.firstSeq], [0, 0, 1, 5]);
  ring.push(message("f"));
  assert.equal(ring.at(0).seq, 5);
  undo();
  assert.deepEqual(raws(ring), ["c", "d", "e", "f"]);
  assert.deepEqual(entries(ring).map(({ seq }) => seq), [2, 3, 4, 5]);
  assert.deepEqual([ring.kept, ring.notKept], [4, 2]);
});

test("a smaller bound lets the oldest leave, a larger one takes more", () => {
  const ring = full(4, "a", "b", "c", "d");
  ring.resize(2);
  assert.deepEqual([raws(ring), ring.notKept, ring.indexOf(3)], [["c", "d"], 2, 1]);
  ring.resize(3);
  ring.push(message("e"));
  assert.deepEqual([raws(ring), ring.maxCount], [["c", "d", "e"], 3]);
});

test("what was cleared does not come back where what came since has lost its beginning", () => {
  const ring = new Ring(10, 10);
  for (const raw of ["a", "b"]) ring.push(message(raw));
  const undo = ring.clear();
  for (const raw of ["cccccc", "dddddd", "eeeeee"]) ring.push(message(raw));
  undo();
  assert.deepEqual([raws(ring), ring.notKept, ring.indexOf(4)], [["eeeeee"], 4, 0]);
});
