import assert from "node:assert/strict";
import test from "node:test";
import { age } from "../../../page/js/model/duration.js";
import { bytes, count } from "../../../page/js/model/format.js";

test("figures are grouped", () => assert.equal(count(1_234_567), "1,234,567"));

test("sizes have a unit a person reads", () => {
  assert.deepEqual([0, 999, 1_000, 1_449, 999_949, 999_950, 5_000_000].map(bytes),
    ["0 B", "999 B", "1.0 kB", "1.4 kB", "999.9 kB", "1.0 MB", "5.0 MB"]);
});

test("an age is in the largest whole unit", () => {
  assert.deepEqual([-5, 999, 1_000, 59_999, 60_000, 3_599_999, 3_600_000, 86_400_000].map(age),
    ["now", "now", "1 s", "59 s", "1 min", "59 min", "1 h", "1 d"]);
});
