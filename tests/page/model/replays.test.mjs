import assert from "node:assert/strict";
import test from "node:test";
import { Replays } from "../../../page/js/model/replays.js";

const replaying = (pattern, more = {}) => ({ pattern, state: "replaying", messages: 0, ...more });
const live = (pattern, messages = 0, more = {}) => ({ pattern, state: "live", messages, ...more });

test("a replay ends with a sentence, what is live from the start has none", () => {
  const replays = new Replays();
  assert.equal(replays.take(live("a"), true), "");
  assert.equal(replays.take(replaying("a"), true), "");
  assert.equal(replays.take(live("a", 34), true), "replayed 34, live from here");
  replays.take(replaying("b"));
  assert.equal(replays.take(live("b"), false), "b: nothing to replay, live from here");
  replays.take(replaying("a", { reason: "too_many" }));
  assert.equal(replays.take(live("a", 10_000), true), "replayed 10,000, live from here; there are more than the gateway replays");
});

test("who was behind is live again without a word", () => {
  const replays = new Replays();
  replays.take({ pattern: "a", state: "behind", messages: 0 });
  assert.equal(replays.take(live("a", 5, { from: 0, to: 9 }), true), "");
});

test("after a lost connection one sentence tells of all that has come, at the last", () => {
  const replays = new Replays();
  replays.lose(["a", "b"]);
  for (const pattern of ["a", "b"]) replays.take(replaying(pattern));
  replays.count(100);
  assert.equal(replays.take(live("a", 100, { from: 2_000, to: 20_000 }), false), "");
  replays.count(20);
  assert.equal(replays.take(live("b", 20, { from: 4_000, to: 21_000 }), false), "back after 19 s, 120 messages fetched");
  replays.lose(["a"]);
  replays.take(replaying("a"));
  assert.equal(replays.take(live("a", 0, { from: 0, to: 1_500 }), false), "back after 1.5 s, nothing to fetch");
});

test("who is given up meanwhile is not waited for", () => {
  const replays = new Replays();
  replays.lose(["a", "b"]);
  replays.count(1);
  assert.equal(replays.forget("c"), "");
  replays.take(live("a", 1, { from: 1_000, to: 2_000 }), false);
  assert.equal(replays.forget("b"), "back after 1.0 s, 1 message fetched");
  replays.lose(["a"]);
  assert.equal(replays.forget("a"), "");
  replays.lose(["a"]);
  assert.equal(replays.take(live("a"), false), "", "it comes from another stream now, and the gap says so");
});

test("what was asked for just before the connection was lost is a replay, and those that come back have their sentence", () => {
  const replays = new Replays();
  replays.lose(["a"]);
  replays.take(replaying("a"), true);
  assert.equal(replays.take(live("a", 5), true), "replayed 5, live from here");
  replays.lose(["a", "b"]);
  replays.take(replaying("a"), false);
  replays.take(replaying("b"), false);
  replays.take(live("b", 0, { from: 1_000, to: 3_000 }), false);
  assert.equal(replays.take(live("a", 5), false), "a: replayed 5, live from here · back after 2.0 s, nothing to fetch");
});
