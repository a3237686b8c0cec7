import assert from "node:assert/strict";
import test from "node:test";
import { Gap } from "../../page/js/model/gap.js";

const at = (second) => new Date(2026, 0, 1, 8, 0, second).getTime();

test("a gap begins with its first cause and names all of them", () => {
  const gap = new Gap();
  gap.begin("NATS was out of reach", at(0));
  gap.begin("disconnected", at(5));
  gap.begin("NATS was out of reach", at(6));
  const sentence = "NATS was out of reach, then disconnected 08:00:00 – 08:00:09: messages in between were not received";
  assert.equal(gap.end(at(9)), sentence);
  assert.equal(gap.open, false);
});

test("a gap begins afresh after it has ended or lost its only cause", () => {
  const gap = new Gap();
  gap.begin("a", at(0));
  gap.forget("a");
  assert.equal(gap.open, false);
  gap.begin("b", at(3));
  assert.match(gap.end(at(4)), /^b 08:00:03 – 08:00:04:/);
});
