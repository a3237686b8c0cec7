import assert from "node:assert/strict";
import test from "node:test";
import { AUTO, isSamePast, pastOf, pastText, pastWords, readPast } from "../../../page/js/model/past.js";

const known = [
  ["all", "all", "all that is stored"],
  ["last_per_subject", "last_per_subject", "the latest of each subject"],
  ["last:1", { last: 1 }, "the last one"],
  ["last:1000", { last: 1_000 }, "the last 1,000"],
  ["seq:7", { seq: 7 }, "all from sequence 7 on"],
  ["since:5m", { since: "5m" }, "the last 5 minutes"],
  ["since:1d", { since: "1d" }, "the last day"],
  ["since:2026-03-01T12:00:00Z", { since: "2026-03-01T12:00:00Z" }, "all since 2026-03-01T12:00:00Z"],
];

for (const [text, history, words] of known) {
  test(`${text} asks for ${words}`, () => {
    assert.deepEqual(readPast(text), history);
    assert.equal(pastText(history), text);
    assert.equal(pastWords(history), words);
    assert.deepEqual(pastOf(history), history);
  });
}

test("nothing else is a past", () => {
  for (const text of ["", "last", "last:", "last:0", "last:-1", "last:1.5", "last:1e3", "seq:0", "since:", "since:5", "since:5x", "since:2026-03-01", "since:2026-99-01T12:00:00Z", "constructor", "auto", "after:S.e.1"]) {
    assert.equal(readPast(text), undefined, text);
  }
  for (const value of [null, 5, [], {}, { last: "5" }, { last: 5, seq: 1 }, { since: 5 }, { after: "S.e.1" }, { last: {} }, "toString", true]) {
    assert.equal(pastOf(value), undefined, JSON.stringify(value));
  }
});

test("who asks for nothing of the past says nothing of it", () => {
  assert.deepEqual([pastText(AUTO), pastOf("new"), pastOf("auto")], ["", AUTO, AUTO]);
  assert.equal(pastWords(AUTO), "only what is new");
});

test("two pasts are the same if they ask for the same", () => {
  assert.equal(isSamePast({ last: 5 }, { last: 5 }), true);
  assert.equal(isSamePast({ last: 5 }, AUTO), false);
});
