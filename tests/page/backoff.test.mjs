import assert from "node:assert/strict";
import test from "node:test";
import { delay } from "../../page/js/model/backoff.js";

test("the first wait is between half a second and one", () => {
  assert.equal(delay(0, () => 0), 500);
  assert.equal(delay(0, () => 1), 1_000);
});

test("waits grow, and never beyond 15 seconds however many tries", () => {
  assert.equal(delay(2, () => 1), 4_000);
  assert.equal(delay(5, () => 1), 15_000);
  assert.equal(delay(5_000, () => 1), 15_000);
});

test("a wait of many tries can still be short, so pages do not return together", () => {
  assert.equal(delay(50, () => 0), 500);
});
