import assert from "node:assert/strict";
import test from "node:test";
import { Alarms } from "../../../page/js/model/alarms.js";
import { Digest } from "../../../page/js/model/digest.js";
import { Silence } from "../../../page/js/model/silence.js";
import { Subscriptions } from "../../../page/js/model/subscriptions.js";

const message = (raw, stored = null) => ({ kind: "message", subject: "a.b", raw, encoding: "json", headers: [], stored });

function storageOf(text = null) {
  return { text, getItem: () => text, setItem(_, value) { this.text = value; } };
}

test("a message is told by the first filter that lets it through, and counted there", () => {
  const alarms = new Alarms();
  alarms.add("level:error");
  alarms.add("error");
  assert.equal(alarms.rule(message('{"level":"error"}')).text, "level:error");
  assert.equal(alarms.rule(message('"an error"')).text, "error");
  assert.equal(alarms.rule(message('"fine"')), undefined);
  assert.equal(alarms.rule({ kind: "note", raw: "" }), undefined);
  assert.deepEqual(alarms.rules.map(({ count }) => count), [1, 1]);
});

test("what was stored before is not told", () => {
  const alarms = new Alarms();
  alarms.add("error");
  assert.equal(alarms.rule(message('"error"', { replay: true })), undefined);
});

test("five filters have room, none twice, and none that cannot hold", () => {
  const alarms = new Alarms();
  for (const text of ["a", "a", "", "/(/", "b", "c", "d", "e", "f"]) alarms.add(text);
  assert.deepEqual(alarms.rules.map(({ text }) => text), ["a", "b", "c", "d", "e"]);
  assert.equal(alarms.takes("g"), false);
  alarms.remove("a");
  assert.equal(alarms.takes("g"), true);
});

test("choices are remembered, and what somebody else wrote there does no harm", () => {
  const storage = storageOf();
  const alarms = new Alarms(storage);
  alarms.add("error");
  alarms.set({ silence: 60_000, sound: true });
  const again = new Alarms(storageOf(storage.text));
  assert.deepEqual([again.rules[0].text, again.silence, again.sound, again.notify], ["error", 60_000, true, false]);
  for (const text of ["nonsense", "null", '{"rules":7,"silence":"x","sound":1}', '{"rules":[null,{}]}']) {
    const { silence, sound } = new Alarms(storageOf(text));
    assert.deepEqual([silence, sound], [0, false]);
  }
  const forbidden = { getItem() { throw new Error(); }, setItem() { throw new Error(); } };
  new Alarms(forbidden).set({ sound: true });
});

test("what comes together is told together", () => {
  const told = [];
  const due = [];
  const digest = new Digest((what) => told.push(what), (act, ms) => due.push([act, ms]));
  for (const body of ["1", "2", "3", "4"]) digest.add({ title: "t", body });
  assert.deepEqual(told, [{ title: "t", body: "1" }]);
  assert.equal(due[0][1], 10_000);
  due[0][0]();
  assert.deepEqual(told[1], { title: "t", body: "2, and 2 more" });
  due[1][0]();
  digest.add({ title: "t", body: "5" });
  assert.deepEqual(told[2], { title: "t", body: "5" });
});

function followed(...patterns) {
  const subscriptions = new Subscriptions();
  for (const pattern of patterns) {
    subscriptions.add(pattern);
    subscriptions.mark(pattern, "active");
  }
  return subscriptions;
}

/** Looks once a second from one time to another; what was told, with the second. */
function watch(silence, subscriptions, { from, to, limit = 5_000 }) {
  const told = [];
  for (let second = from; second <= to; second += 1) {
    for (const pattern of silence.look(subscriptions, limit, second * 1_000)) told.push([pattern, second]);
  }
  return told;
}

test("a silent pattern is told once, says how long, and again after it spoke", () => {
  const subscriptions = followed("a", "b");
  const silence = new Silence();
  assert.deepEqual(watch(silence, subscriptions, { from: 100, to: 104 }), []);
  subscriptions.countMessage("b");
  assert.deepEqual(watch(silence, subscriptions, { from: 105, to: 109 }), [["a", 105]]);
  assert.equal(subscriptions.get("a").silent, "silent 9 s");
  assert.equal(subscriptions.get("b").silent, "");
  subscriptions.countMessage("a");
  assert.deepEqual(watch(silence, subscriptions, { from: 110, to: 115 }), [["b", 110], ["a", 115]]);
});

test("what is replayed breaks no silence, what is not followed yet is not silent, and never is never", () => {
  const subscriptions = followed("a");
  const silence = new Silence();
  watch(silence, subscriptions, { from: 0, to: 4 });
  subscriptions.countMessage("a", true);
  assert.deepEqual(watch(silence, subscriptions, { from: 5, to: 6 }), [["a", 5]]);
  assert.deepEqual(watch(silence, subscriptions, { from: 7, to: 9, limit: 0 }), []);
  assert.equal(subscriptions.get("a").silent, "");
  subscriptions.mark("a", "pending");
  assert.deepEqual(watch(silence, subscriptions, { from: 10, to: 20 }), []);
});

test("after a sleep nobody knows what came, so the time begins anew", () => {
  const subscriptions = followed("a");
  const silence = new Silence();
  watch(silence, subscriptions, { from: 0, to: 2 });
  assert.deepEqual(watch(silence, subscriptions, { from: 600, to: 604 }), []);
  assert.deepEqual(watch(silence, subscriptions, { from: 605, to: 605 }), [["a", 605]]);
});
