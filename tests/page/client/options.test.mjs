import assert from "node:assert/strict";
import test from "node:test";
import { ack, connected, outcome, refusal } from "../support/fake-websocket.mjs";

const PACE = 101;

/** The requests of a connection, without their ids. */
const requests = ({ socket }) => socket.sent.map(({ id, ...request }) => request);

test("options stand in the request, and patterns with the same ones share it", (t) => {
  const it = connected(t);
  it.client.subscribe("a", () => {}, { meta: ["headers", "time"], maxRate: 2 }).catch(() => {});
  it.client.subscribe("b", () => {}, { meta: ["time", "headers"], maxRate: 2 }).catch(() => {});
  it.client.subscribe("c", () => {}, { maxRate: 0.5 }).catch(() => {});
  it.client.subscribe("d", () => {}, {}).catch(() => {});
  it.client.subscribe("e").catch(() => {});
  it.tick(1);
  assert.deepEqual(requests(it), [
    { subjects: ["a", "b"], action: "subscribe", meta: ["time", "headers"], max_rate: 2 },
    { subjects: ["c"], action: "subscribe", max_rate: 0.5 },
    { subjects: ["d", "e"], action: "subscribe" },
  ]);
});

test("listeners of one pattern share what any of them asks for, at the highest rate", async (t) => {
  const it = connected(t);
  const [slow, fast, all] = [() => {}, () => {}, () => {}];
  it.client.subscribe("a", slow, { meta: ["time"], maxRate: 1 });
  it.client.subscribe("a", fast, { meta: ["reply"], maxRate: 10 });
  it.tick(1);
  it.socket.say(ack(1, "a"));
  assert.equal(await outcome(it.client.subscribe("a", all)), "resolved");
  it.tick(PACE);
  for (const listener of [all, slow, fast]) {
    it.client.unsubscribe("a", listener);
    it.tick(PACE);
  }
  assert.deepEqual(requests(it), [
    { subjects: ["a"], action: "subscribe", meta: ["time", "reply"], max_rate: 10 },
    { subjects: ["a"], action: "subscribe", meta: ["time", "reply"] },
    { subjects: ["a"], action: "subscribe", meta: ["time", "reply"], max_rate: 10 },
    { subjects: ["a"], action: "subscribe", meta: ["reply"], max_rate: 10 },
    { subjects: ["a"], action: "unsubscribe" },
  ]);
});

test("what changes nothing is not asked for again", (t) => {
  const it = connected(t);
  const [fast, slow] = [() => {}, () => {}];
  it.client.subscribe("a", fast, { meta: ["time"], maxRate: 10 }).catch(() => {});
  it.tick(1);
  it.client.subscribe("a", slow, { maxRate: 2 }).catch(() => {});
  it.tick(PACE);
  it.client.unsubscribe("a", slow);
  it.tick(PACE);
  assert.equal(it.socket.sent.length, 1);
});

test("of other options before the answer, the answer to those counts", async (t) => {
  const it = connected(t);
  const answer = it.client.subscribe("a", () => {}, { maxRate: 2 });
  it.tick(1);
  it.client.subscribe("a", () => {}, { maxRate: 5 });
  it.tick(PACE);
  it.socket.say(ack(1, "a"));
  assert.equal(await outcome(answer), "pending");
  it.socket.say(ack(2, "a"));
  assert.equal(await outcome(answer), "resolved");
});

test("options are asked for again after too many requests, and after a reconnect", (t) => {
  const it = connected(t);
  it.client.subscribe("a", () => {}, { maxRate: 2 });
  it.tick(1);
  it.socket.say(refusal("rate_limited", 1, "a"));
  it.tick(1_001);
  it.socket.say(ack(2, "a"));
  it.socket.end(1012);
  it.tick(1_000);
  it.socket.begin();
  assert.deepEqual(it.made.map(({ sent }) => sent.map(({ max_rate: rate }) => rate)), [[2, 2], [2]]);
});

test("options that mean nothing are a mistake of the page, and end nothing", (t) => {
  const it = connected(t, "a");
  const rates = [0, 101, NaN, "2", true, null, -1].map((maxRate) => ({ maxRate }));
  for (const options of [{ meta: "time" }, { meta: ["data"] }, ...rates]) {
    assert.throws(() => it.client.subscribe("a", () => {}, options), TypeError, JSON.stringify(options));
  }
  it.tick(PACE);
  assert.equal(it.socket.sent.length, 1);
});
