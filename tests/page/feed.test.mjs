import assert from "node:assert/strict";
import test from "node:test";
import { Feed } from "../../page/js/model/feed.js";

const entries = ({ ring }) => Array.from({ length: ring.length }, (_, index) => ring.at(index));

function connected(...patterns) {
  const it = { sent: [], refused: [], now: 0 };
  it.feed = new Feed({
    send: (text) => it.sent.push(JSON.parse(text)),
    changed: () => {},
    refused: (sentence) => it.refused.push(sentence),
    now: () => it.now,
  });
  it.feed.opened();
  if (patterns.length) it.feed.subscribe(patterns);
  it.receive = (...objects) => it.feed.receive(objects.map((object) => JSON.stringify(object)).join("\n"));
  it.state = (pattern) => it.feed.subscriptions.get(pattern)?.state;
  it.notes = () => entries(it.feed).filter(({ kind }) => kind === "note").map(({ text }) => text);
  return it;
}

test("subscribing sends one request and waits for the acknowledgement", () => {
  const it = connected("a", "b.*");
  assert.deepEqual(it.sent, [{ subjects: ["a", "b.*"], action: "subscribe", id: 1 }]);
  assert.equal(it.state("a"), "pending");
  it.receive({ success: true, action: "subscribe", subjects: ["a", "b.*"], id: 1 });
  assert.equal(it.state("a"), "active");
  assert.equal(it.state("b.*"), "active");
});

test("a refused pattern keeps the sentence of the gateway, the others go ahead", () => {
  const it = connected("a", "$SYS.>");
  it.receive(
    { success: false, code: "denied", message: "not yours", subjects: ["$SYS.>"], id: 1 },
    { success: true, action: "subscribe", subjects: ["a"], id: 1 },
  );
  assert.equal(it.state("a"), "active");
  assert.equal(it.state("$SYS.>"), "refused");
  assert.equal(it.feed.subscriptions.get("$SYS.>").message, "not yours");
});

test("a refusal without subjects is handed on as a sentence", () => {
  const it = connected();
  it.receive({ success: false, code: "rate_limited", message: "too many requests" });
  assert.deepEqual(it.refused, ["too many requests"]);
});

test("subscribing again asks only for what is new or was refused", () => {
  const it = connected("a", "b");
  it.receive({ success: false, code: "limit", message: "full", subjects: ["b"], id: 1 });
  assert.deepEqual(it.feed.subscribe(["a", "b", "c"]), ["a"]);
  assert.deepEqual(it.sent.at(-1), { subjects: ["b", "c"], action: "subscribe", id: 2 });
});

test("unsubscribing names what was not followed and asks for the rest", () => {
  const it = connected("a");
  assert.deepEqual(it.feed.unsubscribe(["a", "x"]), ["x"]);
  assert.deepEqual(it.sent.at(-1), { subjects: ["a"], action: "unsubscribe", id: 2 });
  assert.equal(it.feed.subscriptions.size, 0);
});

test("the answer to an earlier request does not touch a pattern that was asked for again", () => {
  const it = connected("a");
  it.feed.unsubscribe(["a"]);
  it.feed.subscribe(["a"]);
  it.receive({ success: false, code: "not_subscribed", message: "late", subjects: ["a"], id: 2 });
  assert.equal(it.state("a"), "pending");
  it.receive({ success: true, action: "subscribe", subjects: ["a"], id: 3 });
  assert.equal(it.state("a"), "active");
});

test("more than 128 patterns are asked for in several requests", () => {
  const it = connected(...Array.from({ length: 300 }, (_, n) => `s.${n}`));
  assert.deepEqual(it.sent.map(({ subjects }) => subjects.length), [128, 128, 44]);
});

test("messages are counted for each pattern they fall under", () => {
  const it = connected("orders.*", "orders.>", "other");
  it.receive({ subject: "orders.new", data: 1 }, { subject: "orders.a.b", data: 2 });
  const counts = [...it.feed.subscriptions].map(({ count }) => count);
  assert.deepEqual(counts, [1, 2, 0]);
  assert.equal(it.feed.received, 2);
});

test("a pattern added later counts subjects that were seen before", () => {
  const it = connected("a.*");
  it.receive({ subject: "a.b", data: 1 });
  it.feed.subscribe(["a.b"]);
  it.receive({ subject: "a.b", data: 2 });
  assert.equal(it.feed.subscriptions.get("a.b").count, 1);
});

test("1200 messages leave 1000 kept and 200 not kept", () => {
  const it = connected("a");
  for (let n = 0; n < 1_200; n += 1) it.receive({ subject: "a", data: n });
  assert.equal(it.feed.ring.kept, 1_000);
  assert.equal(it.feed.ring.notKept, 200);
  assert.equal(it.feed.ring.at(0).raw, "200");
});

test("after a lost connection everything is asked for again and the gap is told once", () => {
  const it = connected("a");
  it.receive({ success: true, action: "subscribe", subjects: ["a"], id: 1 });
  it.now = new Date(2026, 0, 1, 12, 1, 5).getTime();
  it.feed.closed();
  assert.equal(it.state("a"), "pending");
  it.now += 4_000;
  it.feed.closed(); // a try that failed does not move the beginning
  it.feed.opened();
  assert.deepEqual(it.sent.at(-1), { subjects: ["a"], action: "subscribe", id: 2 });
  assert.deepEqual(it.notes(), ["disconnected 12:01:05 – 12:01:09: messages in between were not received"]);
});

test("a page that follows nothing has no gap", () => {
  const it = connected();
  it.feed.closed();
  it.feed.opened();
  assert.deepEqual(it.notes(), []);
});

test("nothing is sent without a connection; it is asked for when one stands", () => {
  const it = connected();
  it.feed.closed();
  it.feed.subscribe(["a"]);
  assert.deepEqual(it.sent, []);
  it.feed.opened();
  assert.deepEqual(it.sent, [{ subjects: ["a"], action: "subscribe", id: 1 }]);
});

test("while NATS is away a pattern stays pending and is not asked for again: the gateway takes it up", () => {
  const it = connected("a");
  it.receive({ success: false, code: "nats_down", message: "NATS is away", subjects: ["a"], id: 1 });
  assert.equal(it.state("a"), "pending");
  assert.equal(it.feed.natsDown, true);
  it.receive({ status: "nats_up", gap: true });
  assert.equal(it.feed.natsDown, false);
  it.receive({ success: true, action: "subscribe", subjects: ["a"], id: 1 });
  assert.equal(it.state("a"), "active");
  assert.equal(it.sent.length, 1);
});

test("what NATS did not answer in time is out of reach until the gateway has taken it up", () => {
  const it = connected("a");
  it.receive({ status: "nats_up", gap: true });
  it.receive({ success: false, code: "nats_down", message: "NATS did not answer", subjects: ["a"], id: 1 });
  assert.equal(it.feed.natsDown, true);
  it.receive({ success: true, action: "subscribe", subjects: ["a"], id: 1 });
  assert.equal(it.feed.natsDown, false);
  assert.equal(it.state("a"), "active");
});

test("a late nats_down for an older request does not say that NATS is away now", () => {
  const it = connected("a");
  it.feed.closed();
  it.feed.opened();
  it.receive({ success: false, code: "nats_down", message: "NATS is away", subjects: ["a"], id: 1 });
  assert.equal(it.feed.natsDown, false);
});

test("an outage of NATS leaves a note only if messages may have been missed", () => {
  const it = connected("a");
  it.now = new Date(2026, 0, 1, 8, 0, 0).getTime();
  it.receive({ status: "nats_down" }, { status: "nats_up" });
  assert.deepEqual(it.notes(), []);
  it.receive({ status: "nats_down" });
  it.now += 1_000;
  it.receive({ status: "nats_up", gap: true });
  assert.deepEqual(it.notes(), ["NATS was out of reach 08:00:00 – 08:00:01: messages in between were not received"]);
});

const BOTH = "NATS was out of reach, then disconnected 08:00:00 – 08:00:09: messages in between were not received";

function disconnectedDuringOutage() {
  const it = connected("a");
  it.now = new Date(2026, 0, 1, 8, 0, 0).getTime();
  it.receive({ status: "nats_down" });
  it.now += 4_000;
  it.feed.closed();
  it.now += 4_000;
  it.feed.opened();
  it.now += 1_000;
  return it;
}

test("a disconnect during an outage of NATS is one gap from the beginning of the outage", () => {
  const it = disconnectedDuringOutage();
  it.receive({ success: true, action: "subscribe", subjects: ["a"], id: 2 });
  assert.deepEqual(it.notes(), [BOTH]);
});

test("an outage that outlasts a disconnect goes on in the same gap", () => {
  const it = disconnectedDuringOutage();
  it.receive({ status: "nats_down" }, { success: false, code: "nats_down", message: "", subjects: ["a"], id: 2 });
  assert.deepEqual(it.notes(), []);
  it.receive({ status: "nats_up", gap: true }, { success: true, action: "subscribe", subjects: ["a"], id: 2 });
  assert.deepEqual(it.notes(), [BOTH]);
});

test("the gap stands above the first message that comes after it", () => {
  const it = disconnectedDuringOutage();
  it.receive({ subject: "a", data: 1 }, { success: true, action: "subscribe", subjects: ["a"], id: 2 });
  assert.deepEqual(entries(it.feed).map(({ kind }) => kind), ["note", "message"]);
});

test("an outage while nothing is followed leaves no note", () => {
  const it = connected();
  it.receive({ status: "nats_down" }, { status: "nats_up", gap: true });
  assert.deepEqual(it.notes(), []);
});

test("what came and left unseen is told, and what is still there is not", () => {
  const it = connected("a");
  for (let n = 0; n < 10; n += 1) it.receive({ subject: "a", data: n });
  const before = it.feed.received;
  for (let n = 0; n < 1_000; n += 1) it.receive({ subject: "a", data: n });
  it.feed.tellUnseen(before);
  assert.deepEqual(it.notes(), []);
  for (let n = 0; n < 1_000; n += 1) it.receive({ subject: "a", data: n });
  it.feed.tellUnseen(before);
  assert.equal(it.feed.ring.kept, 999); // the note took a place
  assert.deepEqual(it.notes(), ["1,001 messages came while paused and are not kept"]);
});

test("messages dropped by the gateway are counted and told", () => {
  const it = connected("a");
  it.receive({ dropped: 1 }, { dropped: 6 });
  assert.equal(it.feed.dropped, 7);
  assert.match(it.notes()[0], /^1 message was dropped/);
  assert.match(it.notes()[1], /^6 messages were dropped/);
});

test("a line that cannot be read is said, and the next one is still taken", () => {
  const it = connected("a");
  it.feed.receive('nonsense\n{"subject":"a","data":1}');
  assert.equal(it.refused.length, 1);
  assert.equal(it.feed.received, 1);
});

test("a gateway that asks for a token is heard, and a fresh one changes nothing that is followed", () => {
  let asked = 0;
  const feed = new Feed({ send: () => {}, changed: () => {}, refused: () => {}, tokenRequired: () => (asked += 1) });
  feed.receive('{"status":"token_required"}');
  feed.receive('{"success":true,"message":"Successfully signed in","action":"token","subjects":[]}');
  assert.equal(asked, 1);
});
