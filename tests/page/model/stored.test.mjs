import assert from "node:assert/strict";
import test from "node:test";
import { mark } from "../../../page/js/model/payload.js";
import { isOlder, isReplayed, operationWord, placeText, storedOf } from "../../../page/js/model/stored.js";

const facts = { seq: 7, stream: "ORDERS", epoch: "e1", replay: false, operation: undefined };

test("what no stream stores has no place", () => {
  assert.equal(storedOf({ subject: "a" }), null);
  assert.equal(placeText({ stored: null }), "");
  assert.equal(isReplayed({ stored: null }) || isReplayed({}), false);
});

test("a place is told with what was done there", () => {
  const told = (more) => placeText({ stored: storedOf({ subject: "a", ...facts, ...more }) });
  assert.equal(told(), "Stored in ORDERS as 7");
  assert.equal(told({ replay: true, operation: "DEL" }), "Stored in ORDERS as 7 · DEL · replayed");
  assert.equal(told({ stream: undefined }), "Stored as 7");
});

test("a key without a value is marked by what was done to it", () => {
  const marked = (operation) => mark({ raw: '""', encoding: "text", stored: { ...facts, operation } });
  const all = ["DEL", "PURGE", "MaxAge", "Remove", "Purge", undefined, "constructor"];
  assert.deepEqual(all.map(marked), ["deleted", "purged", "expired", "deleted", "purged", "empty", "constructor"]);
  assert.equal(marked("x".repeat(500)).length, 20);
  assert.equal(operationWord({}), "");
});

test("what is replayed is older than what the same stream has had after it, whatever the time", () => {
  const at = (seq, time, more = {}) => ({ time, stored: { ...facts, replay: true, seq, ...more } });
  assert.equal(isOlder(at(6, 9), at(7, 9)), true);
  assert.equal(isOlder(at(8, 1), at(7, 9)), false);
  assert.equal(isOlder(at(1, 9, { epoch: "e2" }), at(7, 5)), false);
  assert.equal(isOlder(at(1, 4), { time: 5, stored: null }), true);
  assert.equal(isOlder(at(1, 5), { time: 5, stored: null }), false);
  assert.equal(isOlder({ ...at(1, 4), stored: { ...facts, seq: 1 } }, at(7, 5)), false);
});
