import assert from "node:assert/strict";
import test from "node:test";
import { ack, connected, outcome, refusal, started } from "../support/fake-websocket.mjs";

const REST = 100;

test("what is asked for in one turn is one request, and resolves when it is accepted", async (t) => {
  const it = connected(t, "a", "b.*");
  assert.deepEqual(it.socket.sent, [{ subjects: ["a", "b.*"], action: "subscribe", id: 1 }]);
  assert.equal(await outcome(it.answers[0]), "pending");
  it.socket.say(ack(1, "a", "b.*"));
  assert.deepEqual(await Promise.all(it.answers.map(outcome)), ["resolved", "resolved"]);
  assert.deepEqual(it.ofType("subscription").map(({ pattern, state }) => [pattern, state]),
    [["a", "active"], ["b.*", "active"]]);
});

test("a refusal rejects with the code and the sentence of the gateway; the others go ahead", async (t) => {
  const it = connected(t, "a", "$SYS.>");
  it.socket.say(refusal("denied", 1, "$SYS.>"), ack(1, "a"));
  const error = await outcome(it.answers[1]);
  assert.ok(error instanceof Error);
  assert.deepEqual([error.code, error.message], ["denied", "no: denied"]);
  assert.equal(await outcome(it.answers[0]), "resolved");
  const [told] = it.ofType("subscription");
  assert.deepEqual(told, { pattern: "$SYS.>", state: "refused", code: "denied", message: "no: denied" });
});

test("a refused pattern is forgotten, and can be asked for again", async (t) => {
  const it = connected(t, "a");
  it.socket.say(refusal("limit", 1, "a"));
  it.socket.end(1012);
  it.tick(1_000);
  it.socket.begin();
  assert.deepEqual(it.socket.sent, []);
  const again = it.client.subscribe("a");
  it.tick(REST);
  it.socket.say(ack(2, "a"));
  assert.equal(await outcome(again), "resolved");
});

test("a refusal that names no subject concerns the request, and without a request nobody", async (t) => {
  const it = connected(t, "a");
  it.socket.say({ success: false, code: "rate_limited", message: "too many requests", subjects: [] });
  assert.equal(await outcome(it.answers[0]), "pending");
  assert.deepEqual(it.ofType("error").map(({ code, message }) => [code, message]),
    [["rate_limited", "too many requests"]]);
  it.socket.say(refusal("bad_request", 1));
  assert.equal((await outcome(it.answers[0])).code, "bad_request");
});

test("a right that is taken away later is told, and what is pending is not concerned", async (t) => {
  const it = connected(t, "a", "b");
  it.socket.say(ack(1, "a"));
  const heard = [];
  it.client.subscribe("a", ({ data }) => heard.push(data));
  it.socket.say(refusal("denied", undefined, "a"), refusal("denied", undefined, "b"), { subject: "a", data: 1 });
  assert.deepEqual(it.ofType("subscription").at(-1), { pattern: "a", state: "refused", code: "denied", message: "no: denied" });
  assert.equal(await outcome(it.answers[1]), "pending");
  assert.deepEqual(heard, []);
});

test("a promise outlasts lost connections and settles with the answer that comes in the end", async (t) => {
  const it = connected(t, "a", "b");
  it.socket.end(1006);
  it.tick(1_000);
  it.socket.begin();
  assert.deepEqual(it.socket.sent, [{ subjects: ["a", "b"], action: "subscribe", id: 2 }]);
  it.socket.say(ack(1, "a"), refusal("denied", 1, "b")); // they answer something older
  assert.deepEqual(await Promise.all(it.answers.map(outcome)), ["pending", "pending"]);
  it.socket.say(ack(2, "a"), refusal("denied", 2, "b"));
  assert.equal(await outcome(it.answers[0]), "resolved");
  assert.equal((await outcome(it.answers[1])).code, "denied");
});

test("a promise outlasts an outage of NATS, and nothing is asked for again", async (t) => {
  const it = connected(t, "a");
  it.socket.say(refusal("nats_down", 1, "a"));
  assert.deepEqual([await outcome(it.answers[0]), it.client.natsDown], ["pending", true]);
  it.socket.say({ status: "nats_up", gap: true }, ack(1, "a"));
  assert.deepEqual([await outcome(it.answers[0]), it.client.natsDown], ["resolved", false]);
  it.tick(REST);
  assert.equal(it.socket.sent.length, 1);
});

test("nothing is sent without a connection; it is asked for when one stands", (t) => {
  const it = started(t);
  it.client.subscribe("a");
  it.tick(REST);
  assert.deepEqual(it.socket.sent, []);
  it.socket.begin();
  assert.deepEqual(it.socket.sent, [{ subjects: ["a"], action: "subscribe", id: 1 }]);
});

test("what is given up without a connection need not be ended on the next one", (t) => {
  const it = connected(t, "a");
  it.socket.end(1006);
  it.client.unsubscribe("a");
  it.tick(1_000);
  it.socket.begin();
  it.tick(REST);
  assert.deepEqual(it.socket.sent, []);
});

test("more than 128 patterns are asked for, and given up, in several requests", (t) => {
  const patterns = Array.from({ length: 300 }, (_, n) => `s.${n}`);
  const it = connected(t, ...patterns);
  assert.deepEqual(it.socket.sent.map(({ subjects }) => subjects.length), [128, 128, 44]);
  for (const pattern of patterns) it.client.unsubscribe(pattern);
  it.tick(REST);
  assert.deepEqual(it.socket.sent.slice(3).map(({ action, subjects }) => [action, subjects.length]),
    [["unsubscribe", 128], ["unsubscribe", 128], ["unsubscribe", 44]]);
});

test("however often something changes, requests go out at most ten times a second", (t) => {
  const it = connected(t, "first");
  for (let n = 0; n < 1_000; n += 1) {
    it.client.subscribe(`s.${n % 60}`).catch(() => {});
    if (n % 3) it.client.unsubscribe(`s.${(n * 7) % 60}`);
    it.tick(1);
  }
  assert.ok(it.socket.sent.length <= 1 + 2 * 11, `${it.socket.sent.length} requests`);
  const followed = new Set();
  for (const { action, subjects } of it.socket.sent) {
    for (const subject of subjects) action === "subscribe" ? followed.add(subject) : followed.delete(subject);
  }
  assert.ok(followed.size > 20);
});

test("each listener gets what falls under its pattern, once for each message", (t) => {
  const it = connected(t);
  const heard = { orders: [], deep: [], both: [] };
  const both = ({ raw }) => heard.both.push(raw);
  it.client.subscribe("orders.*", ({ raw }) => heard.orders.push(raw));
  it.client.subscribe("orders.>", ({ raw }) => heard.deep.push(raw));
  it.client.subscribe("orders.*", both);
  it.client.subscribe("orders.>", both);
  it.socket.say({ subject: "orders.new", data: 1 }, { subject: "orders.a.b", data: 2 }, { subject: "other", data: 3 });
  assert.deepEqual(heard, { orders: ["1"], deep: ["1", "2"], both: ["1", "2"] });
});

test("listeners of one pattern share a subscription, and the last one to leave ends it", (t) => {
  const it = connected(t);
  const heard = [];
  const [one, two] = ["one", "two"].map((name) => () => heard.push(name));
  it.client.subscribe("a", one);
  it.client.subscribe("a", two);
  it.tick(1);
  it.socket.say(ack(1, "a"), { subject: "a", data: 1 });
  it.client.unsubscribe("a", one);
  it.client.unsubscribe("a", () => {}); // never listened
  it.socket.say({ subject: "a", data: 2 });
  it.tick(REST);
  assert.equal(it.socket.sent.length, 1);
  it.client.unsubscribe("a", two);
  it.client.unsubscribe("a", two);
  it.socket.say({ subject: "a", data: 3 });
  it.tick(REST);
  assert.deepEqual(heard, ["one", "two", "two"]);
  assert.deepEqual(it.socket.sent.slice(1), [{ subjects: ["a"], action: "unsubscribe", id: 2 }]);
});

test("a pattern that is followed without a listener outlasts the listeners it has", (t) => {
  const it = connected(t, "a");
  const listener = () => {};
  it.client.subscribe("a", listener);
  it.client.unsubscribe("a", listener);
  it.tick(REST);
  assert.equal(it.socket.sent.length, 1);
});

test("without a listener named all of them leave, and whoever still waits is told", async (t) => {
  const it = connected(t, "a");
  it.client.subscribe("a", () => {});
  it.client.unsubscribe("a");
  it.client.unsubscribe("never followed");
  assert.equal((await outcome(it.answers[0])).code, "unsubscribed");
  it.tick(REST);
  assert.deepEqual(it.socket.sent.at(-1), { subjects: ["a"], action: "unsubscribe", id: 2 });
});

test("whoever gives up before the answer gets no unhandled rejection", async (t) => {
  const unhandled = t.mock.fn();
  process.on("unhandledRejection", unhandled);
  t.after(() => process.off("unhandledRejection", unhandled));
  const it = started(t);
  it.client.subscribe("a");
  it.client.unsubscribe("a");
  it.client.subscribe("b");
  it.client.close();
  await outcome();
  assert.equal(unhandled.mock.callCount(), 0);
});

test("a pattern that is asked for again while its end is under way is followed in the end", async (t) => {
  const it = connected(t, "a");
  it.socket.say(ack(1, "a"));
  it.tick(REST);
  it.client.unsubscribe("a");
  it.tick(REST);
  const again = it.client.subscribe("a");
  it.tick(REST);
  assert.deepEqual(it.socket.sent.map(({ action, id }) => [action, id]),
    [["subscribe", 1], ["unsubscribe", 2], ["subscribe", 3]]);
  it.socket.say(refusal("not_subscribed", 2, "a"));
  assert.equal(await outcome(again), "pending");
  it.socket.say(ack(3, "a"));
  assert.equal(await outcome(again), "resolved");
});

test("a listener that fails stops no other, and is seen", async (t) => {
  const seen = t.mock.method(globalThis, "queueMicrotask", () => {});
  const it = connected(t);
  const heard = [];
  it.client.subscribe("a", () => { throw new Error("planted"); });
  it.client.subscribe("a", ({ raw }) => heard.push(raw));
  it.socket.say({ subject: "a", data: 1 }, { subject: "a", data: 2 });
  assert.deepEqual(heard, ["1", "2"]);
  assert.equal(seen.mock.callCount(), 2);
  assert.throws(seen.mock.calls[0].arguments[0], /planted/);
});

test("a listener that comes later hears subjects that were there before", (t) => {
  const it = connected(t, "a.*");
  it.socket.say({ subject: "a.b", data: 1 });
  const heard = [];
  it.client.subscribe("a.b", ({ raw }) => heard.push(raw));
  it.socket.say({ subject: "a.b", data: 2 });
  assert.deepEqual(heard, ["2"]);
});

test("more subjects than are remembered still find their listeners, and the oldest are forgotten", (t) => {
  const it = connected(t);
  let heard = 0;
  it.client.subscribe("t.*", () => (heard += 1));
  const forget = t.mock.method(Map.prototype, "clear");
  for (let n = 0; n < 12_000; n += 1) it.socket.frame(`{"subject":"t.${n}","data":1}`);
  assert.equal(heard, 12_000);
  assert.equal(forget.mock.callCount(), 2); // each time there are 5,000
});

test("a pattern that is no text is a mistake of the program", (t) => {
  const it = connected(t);
  assert.throws(() => it.client.subscribe(["a"]), TypeError);
});

test("what the gateway was asked too often for is asked for again after a rest", (t) => {
  const it = connected(t, "a");
  it.socket.say(refusal("rate_limited", 1, "a"));
  it.tick(999);
  assert.equal(it.socket.sent.length, 1);
  it.tick(1);
  assert.deepEqual(it.socket.sent[1], { subjects: ["a"], action: "subscribe", id: 2 });
  it.socket.say(ack(2, "a"));
  it.client.unsubscribe("a");
  it.tick(100);
  it.socket.say({ success: false, code: "rate_limited", message: "", subjects: ["a"], id: 3 });
  it.tick(1_000);
  assert.deepEqual(it.socket.sent[3], { subjects: ["a"], action: "unsubscribe", id: 4 });
  it.socket.say({ success: true, action: "unsubscribe", subjects: ["a"], id: 4 });
  it.tick(5_000);
  assert.equal(it.socket.sent.length, 4);
  return it.answers[0];
});

test("who comes back before the gateway has answered that it left is followed again, and can leave again", (t) => {
  const it = connected(t, "a");
  it.socket.say(ack(1, "a"));
  it.client.unsubscribe("a");
  it.tick(100);
  it.client.subscribe("a").catch(() => {});
  it.tick(100);
  it.socket.say({ success: true, action: "unsubscribe", subjects: ["a"], id: 2 }, ack(3, "a"));
  it.client.unsubscribe("a");
  it.tick(100);
  assert.deepEqual(it.socket.sent.map(({ action, id }) => [action, id]),
    [["subscribe", 1], ["unsubscribe", 2], ["subscribe", 3], ["unsubscribe", 4]]);
});
