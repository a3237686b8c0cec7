import assert from "node:assert/strict";
import test from "node:test";
import { Found } from "../../../page/js/model/found.js";

const ANSWER = { subjects: [">"], stored: [], seen: [], more: 0, complete: true, reason: "" };
const answer = (more) => ({ ...ANSWER, ...more });
const ORDERS = { stream: "ORDERS", messages: { "orders.new": 3, "orders.paid": 1 }, more: 0 };

test("an answer is kept by name, with its stream", () => {
  const found = new Found();
  found.take(answer({ stored: [ORDERS], seen: ["rpc.sum"] }));
  assert.deepEqual([...found.names], [
    ["orders.new", { messages: 3, stream: "ORDERS" }],
    ["orders.paid", { messages: 1, stream: "ORDERS" }],
    ["rpc.sum", { messages: 0, stream: "" }],
  ]);
  assert.equal(found.sentence, "Found 2 subjects in 1 stream and 1 that came by lately.");
});

test("a narrower answer takes the place of what was known there, a whole one of everything", () => {
  const found = new Found();
  found.take(answer({ stored: [ORDERS], seen: ["rpc.sum"] }));
  found.take(answer({ subjects: ["orders.>"], stored: [{ stream: "ORDERS", messages: { "orders.paid": 2 }, more: 5 }] }));
  assert.deepEqual([...found.names.keys()], ["rpc.sum", "orders.paid"]);
  assert.equal(found.sentence, "Found 6 subjects in 1 stream under orders.>. Not listed: 5 more in ORDERS. Look below a branch to see them.");
  found.take(answer({}));
  assert.equal(found.names.size, 0);
  assert.equal(found.sentence, "Found nothing that you may follow.");
});

test("what is left out, and why nothing is known, is said", () => {
  const found = new Found();
  const sentence = (more) => {
    found.take(answer(more));
    return found.sentence;
  };
  const full = (stream, more) => ({ stream, messages: { [stream]: 1 }, more });
  assert.equal(
    sentence({ stored: [full("A", 90_000), full("B", 1), full("C", 2), full("D", 3), full("E", 0)], seen: ["x"], more: 7 }),
    "Found 90,011 subjects in 5 streams and 8 that came by lately. Not listed: 90,000 more in A, 1 more in B, 2 more in C, more in 1 other stream, 7 more that came by. Look below a branch to see them.",
  );
  assert.equal(sentence({ seen: ["x"], reason: "no_jetstream" }), "Found 1 subject that came by lately. NATS has no JetStream here.");
  assert.equal(sentence({ reason: "off" }), "Found nothing that you may follow. No past may be read here, so no stream was asked.");
  assert.equal(sentence({ reason: "nats_down", complete: false }), "Found nothing that you may follow. JetStream does not answer just now.");
  assert.equal(sentence({ stored: [ORDERS], complete: false }), "Found 2 subjects in 1 stream. Not all streams could be read to their end.");
});

test("answers do not add up without end", () => {
  const found = new Found();
  for (let part = 0; part < 10; part += 1) {
    const messages = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`p${part}.${n}`, 1]));
    found.take(answer({ subjects: [`p${part}.>`], stored: [{ stream: "S", messages, more: 0 }] }));
    assert.ok(found.names.size <= 30_000);
    assert.ok(found.names.has(`p${part}.0`));
  }
});
