import assert from "node:assert/strict";
import test from "node:test";
import { Pins } from "../../../page/js/model/pins.js";
import { comparison } from "../../../page/js/view/slices.js";

test("a message is pinned once, and let go by the same act; each change is told", () => {
  let changes = 0;
  const pins = new Pins(() => (changes += 1));
  const [one, other] = [{ seq: 1 }, { seq: 2 }];
  assert.equal(pins.toggle(one), true);
  assert.equal(pins.toggle(other), true);
  assert.deepEqual(pins.all, [one, other]);
  assert.equal(pins.toggle(one), true);
  assert.deepEqual([pins.has(one), pins.has(other)], [false, true]);
  assert.equal(changes, 3);
});

test("there is room for eight", () => {
  const pins = new Pins();
  const entries = Array.from({ length: 9 }, (_, seq) => ({ seq }));
  assert.deepEqual(entries.map((entry) => pins.toggle(entry)), [...Array(8).fill(true), false]);
  assert.equal(pins.all.length, 8);
  assert.equal(pins.toggle(entries[0]), true);
  assert.equal(pins.toggle(entries[8]), true);
});

test("with another message one is compared by name and by the time between them", () => {
  const message = (seq, subject, time, raw) => ({ seq, subject, time, raw, encoding: "json" });
  const one = message(3, "orders.made", 5_000, '{"a":1}');
  const note = (other) => comparison(other, one).note;
  assert.equal(note(message(1, "orders.made", 2_000, '{"a":2}')), "Compared with #2, 3.0 s before");
  assert.equal(note(message(8, "orders.paid", 9_000, '{"a":2}')), "Compared with orders.paid #9, 4.0 s after");
  assert.equal(note(message(8, "orders.paid", 9_000, '{"a":1}')), "Nothing differs from orders.paid #9, 4.0 s after");
});
