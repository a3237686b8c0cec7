import assert from "node:assert/strict";
import test from "node:test";
import { after, before, place } from "../../../page/js/model/history.js";
import { Ring } from "../../../page/js/model/ring.js";

function ring(subjects, most = 100) {
  const full = new Ring(most);
  for (const subject of subjects) {
    full.push(subject ? { kind: "message", subject, raw: "1" } : { kind: "note", text: "gap", raw: "" });
  }
  return full;
}

test("the neighbours of a message are those of its subject, past others and notes", () => {
  const source = ring(["a", "b", "", "a", "b", "a"]);
  const middle = source.at(3);
  assert.equal(before(source, middle), source.at(0));
  assert.equal(after(source, middle), source.at(5));
  assert.equal(before(source, source.at(0)), undefined);
  assert.equal(after(source, source.at(5)), undefined);
});

test("a message that has left still has a newer one, and no older", () => {
  const source = ring(["a", "b", "b", "a"], 2);
  const gone = { kind: "message", subject: "a", seq: 0 };
  assert.equal(before(source, gone), undefined);
  assert.equal(after(source, gone), source.at(1));
});

test("places are found where the numbers have holes, as in a filtered view", () => {
  const source = [2, 5, 9].map((seq) => ({ kind: "message", subject: "a", seq }));
  assert.deepEqual([0, 2, 3, 5, 9, 10].map((seq) => place(source, seq)), [0, 0, 1, 1, 2, 3]);
  assert.equal(before(source, { subject: "a", seq: 7 }).seq, 5);
  assert.equal(after(source, { subject: "a", seq: 7 }).seq, 9);
  assert.equal(place([], 3), 0);
});
