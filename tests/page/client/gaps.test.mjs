import assert from "node:assert/strict";
import test from "node:test";
import { ack, connected, pong, refusal } from "../support/fake-websocket.mjs";

const DOWN = { status: "nats_down" };
const UP = { status: "nats_up", gap: true };

/** Followed "a" until the connection was lost, at 100 ms; one stands again at 10 000. */
function disconnected(t) {
  const it = connected(t, "a");
  it.tick(99);
  it.socket.end(1006);
  it.tick(9_900);
  it.socket.begin();
  return it;
}

test("after a lost connection the gap is told once, from the last word before it", (t) => {
  const it = connected(t, "a");
  it.tick(99);
  it.socket.say({ subject: "b", data: 1 });
  it.tick(900);
  it.socket.end(1006);
  it.tick(1_000);
  it.socket.end(1006); // a try that failed does not move the beginning
  it.tick(2_000);
  it.socket.begin();
  it.socket.say(ack(2, "a"), { subject: "a", data: 1 });
  assert.deepEqual(it.ofType("gap"), [{ from: 100, to: 4_000, causes: ["disconnected"] }]);
});

test("whatever the gateway says is a word, and however a connection ends, the gap begins with the last one", (t) => {
  const words = [{ subject: "a", data: 1 }, { dropped: 1 }, pong, refusal("bad_request", 7)];
  for (const word of words) {
    for (const code of [1000, 1001, 1006, 1012, 4008]) {
      const it = connected(t, "a");
      it.tick(499);
      it.socket.say(word);
      it.tick(5_000);
      it.socket.end(code);
      it.tick(1_000);
      it.socket.begin();
      it.socket.say(ack(2, "a"));
      assert.equal(it.ofType("gap").at(-1).from, 500, `${JSON.stringify(word)}, ${code}`);
    }
  }
});

test("a gap is as long as it was, also if the clock is set meanwhile", (t) => {
  const it = disconnected(t);
  const before = it.ofType("gap").length;
  it.setClock(-3_600_000);
  it.socket.say(ack(2, "a"));
  assert.deepEqual(it.ofType("gap").slice(before).map(({ from, to }) => to - from), [10_000]);
});

test("a computer that slept has missed what the clock says, though its other clock stood still", (t) => {
  const it = disconnected(t);
  it.setClock(3_600_000); // nothing else went on
  it.socket.say(ack(2, "a"));
  assert.deepEqual(it.ofType("gap").map(({ from, to }) => to - from), [3_610_000]);
});

test("whoever follows nothing has no gap", (t) => {
  const it = connected(t);
  it.socket.say(DOWN, UP);
  it.socket.end(1006);
  it.tick(1_000);
  it.socket.begin();
  assert.deepEqual(it.ofType("gap"), []);
});

test("an outage of NATS is a gap only if messages may have been missed", (t) => {
  const it = connected(t, "a");
  it.socket.say(DOWN, { status: "nats_up" });
  assert.deepEqual(it.ofType("gap"), []);
  it.socket.say(DOWN);
  assert.equal(it.client.natsDown, true);
  it.tick(999);
  it.socket.say(UP);
  assert.equal(it.client.natsDown, false);
  assert.deepEqual(it.ofType("gap"), [{ from: 1, to: 1_000, causes: ["nats_down"] }]);
});

test("what NATS did not answer in time is out of reach until the gateway has taken it up", (t) => {
  const it = connected(t, "a");
  it.socket.say(UP, refusal("nats_down", 1, "a"));
  assert.equal(it.client.natsDown, true);
  it.socket.say(ack(1, "a"));
  assert.equal(it.client.natsDown, false);
  assert.equal(it.ofType("gap").length, 1);
});

test("an answer that comes after nats_down does not say that NATS is back", (t) => {
  const it = connected(t, "a");
  it.socket.say(DOWN, ack(1, "a"));
  assert.deepEqual([it.client.natsDown, it.ofType("gap")], [true, []]);
  it.tick(999);
  it.socket.say(UP);
  assert.deepEqual([it.client.natsDown, it.ofType("gap").length], [false, 1]);
});

test("a late nats_down for an older request does not say that NATS is away now", (t) => {
  const it = disconnected(t);
  it.socket.say(refusal("nats_down", 1, "a"));
  assert.equal(it.client.natsDown, false);
});

function disconnectedDuringOutage(t) {
  const it = connected(t, "a");
  it.tick(99);
  it.socket.say(DOWN);
  it.socket.end(1006);
  it.tick(1_000); // the longest first wait
  it.socket.begin();
  it.tick(900);
  return it;
}

const BOTH = { from: 100, to: 2_000, causes: ["nats_down", "disconnected"] };

test("a disconnect during an outage of NATS is one gap from the beginning of the outage", (t) => {
  const it = disconnectedDuringOutage(t);
  it.socket.say(ack(2, "a"));
  assert.deepEqual(it.ofType("gap"), [BOTH]);
});

test("an outage that outlasts a disconnect goes on in the same gap", (t) => {
  const it = disconnectedDuringOutage(t);
  it.socket.say(DOWN, refusal("nats_down", 2, "a"));
  assert.deepEqual(it.ofType("gap"), []);
  it.socket.say(UP, ack(2, "a"));
  assert.deepEqual(it.ofType("gap"), [BOTH]);
});

test("the gap is told before the first message that comes after it", (t) => {
  const it = disconnectedDuringOutage(t);
  it.socket.say({ subject: "a", data: 1 }, ack(2, "a"));
  const order = it.told.map(([type]) => type).filter((type) => ["gap", "messages"].includes(type));
  assert.deepEqual(order, ["gap", "messages"]);
});

test("a message that still comes during an outage does not end the gap", (t) => {
  const it = connected(t, "a");
  it.socket.say(DOWN, { subject: "a", data: 1 });
  assert.deepEqual(it.ofType("gap"), []);
});

/** An outage at 100 ms after which, at 1000, NATS is there again, but has these patterns no more; "b" it has. */
function postponed(t, ...patterns) {
  const it = connected(t, ...patterns, "b");
  it.socket.say(ack(1, ...patterns, "b"));
  it.tick(99);
  it.socket.say(DOWN);
  it.tick(900);
  it.socket.say(...patterns.map((pattern) => refusal("nats_down", undefined, pattern)), UP);
  return it;
}

const active = (it, pattern) => it.ofType("subscription").filter((each) => each.pattern === pattern && each.state === "active").length;

test("what NATS cannot have at once after an outage is missed until the gateway follows it again", (t) => {
  const it = postponed(t, "a");
  assert.equal(it.client.natsDown, false, "NATS is there");
  it.tick(1_000);
  it.socket.say({ subject: "b", data: 1 }, { subject: "b", data: 2 });
  it.client.subscribe("c");
  it.tick(1);
  it.socket.say(ack(2, "c"));
  assert.deepEqual(it.ofType("gap"), [], "other patterns say nothing of this one");
  assert.equal(it.ofType("messages").flat().length, 2);
  it.tick(999);
  it.socket.say(ack(undefined, "a"), { subject: "a", data: 1 });
  assert.deepEqual(it.ofType("gap"), [{ from: 100, to: 3_000, causes: ["nats_down"] }]);
  assert.equal(active(it, "a"), 2);
  const order = it.told.map(([type]) => type).filter((type) => ["gap", "messages"].includes(type));
  assert.deepEqual(order, ["messages", "gap", "messages"]);
});

test("of several that NATS cannot have at once, the last one ends the gap, and there is one gap", (t) => {
  const it = postponed(t, "a", "a.*", "a.>");
  for (const patterns of [["a"], ["a.*"]]) {
    it.tick(1_000);
    it.socket.say(ack(undefined, ...patterns));
    assert.deepEqual(it.ofType("gap"), []);
  }
  it.tick(1_000);
  it.socket.say(ack(undefined, "a.>"));
  assert.deepEqual(it.ofType("gap"), [{ from: 100, to: 4_000, causes: ["nats_down"] }]);
});

test("a second outage in which the first is not over for a pattern is the same gap", (t) => {
  const it = postponed(t, "a");
  it.socket.say(DOWN);
  it.tick(1_000);
  it.socket.say(UP);
  assert.deepEqual(it.ofType("gap"), []);
  it.socket.say(ack(undefined, "a"));
  assert.deepEqual(it.ofType("gap"), [{ from: 100, to: 2_000, causes: ["nats_down"] }]);
});

test("a pattern that is refused in the end, or given up, is waited for no more", (t) => {
  const ends = [
    (it) => it.socket.say(refusal("denied", undefined, "a")),
    (it) => it.client.unsubscribe("a"),
  ];
  for (const end of ends) {
    const it = postponed(t, "a");
    it.tick(1_000);
    end(it);
    assert.deepEqual(it.ofType("gap"), [{ from: 100, to: 2_000, causes: ["nats_down"] }]);
  }
});

test("one that is refused in the end is forgotten, and what names no pattern refuses none", (t) => {
  const it = postponed(t, "a");
  it.socket.say({ success: false, code: "bad_request", message: "no", subjects: [] });
  assert.deepEqual(it.ofType("subscription").filter(({ state }) => state === "refused"), []);
  it.socket.say(refusal("denied", undefined, "a"));
  assert.deepEqual(it.ofType("subscription").at(-1), { pattern: "a", state: "refused", code: "denied", message: "no: denied" });
});

test("a connection that is lost while a pattern is waited for asks for it again", (t) => {
  const it = postponed(t, "a");
  it.socket.end(1006);
  it.tick(1_000);
  it.socket.begin();
  assert.deepEqual(it.socket.sent, [{ subjects: ["a", "b"], action: "subscribe", id: 2 }]);
  it.socket.say(ack(2, "a", "b"));
  assert.deepEqual(it.ofType("gap"), [{ from: 100, to: 2_000, causes: ["nats_down", "disconnected"] }]);
});

test("a pattern that NATS cannot have begins a gap of its own after the outage, which another pattern does not end", (t) => {
  const it = connected(t, "a", "b");
  it.tick(99);
  it.socket.say(ack(1, "a", "b"), UP, refusal("nats_down", undefined, "a"));
  it.client.subscribe("c");
  it.tick(900);
  it.socket.say(ack(2, "c"), { subject: "b", data: 1 });
  assert.deepEqual([it.client.natsDown, it.ofType("gap")], [false, []]);
  it.tick(1_000);
  it.socket.say(ack(undefined, "a"));
  assert.deepEqual(it.ofType("gap"), [{ from: 100, to: 2_000, causes: ["nats_down"] }]);
});
