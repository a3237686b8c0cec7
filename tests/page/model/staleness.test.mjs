import assert from "node:assert/strict";
import test from "node:test";
import { Staleness } from "../../../page/js/model/staleness.js";

test("data is stale ten seconds after the state was live, since the last message came", () => {
  const staleness = new Staleness();
  assert.equal(staleness.since("live", 1_000, 5_000), null);
  assert.equal(staleness.since("reconnecting", 1_000, 6_000), null);
  assert.equal(staleness.since("reconnecting", 1_000, 15_999), null);
  assert.equal(staleness.since("error", 1_000, 16_000), 1_000);
  assert.equal(staleness.since("live", 1_000, 17_000), null);
  assert.equal(staleness.since("error", 1_000, 18_000), null);
});

test("without any message it is stale since the state was no longer live; a wall that waits is well", () => {
  const staleness = new Staleness();
  assert.equal(staleness.since("connecting", undefined, 1_000), null);
  assert.equal(staleness.since("connecting", undefined, 12_000), 1_000);
  for (const state of ["waiting", "paused", "live"]) assert.equal(staleness.since(state, undefined, 99_000), null);
});
