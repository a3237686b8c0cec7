import assert from "node:assert/strict";
import test from "node:test";
import { Feed } from "../../../page/js/model/feed.js";
import { heardAt } from "../../../page/js/model/gateway-clock.js";
import { Ring } from "../../../page/js/model/ring.js";
import { ack, refusal, started } from "../support/fake-websocket.mjs";

const ASKED = { meta: ["time", "reply", "headers"], history: "auto" };
const entries = (source) => Array.from({ length: source.length }, (_, index) => source.at(index));

function connected(t, ...patterns) {
  const it = started(t);
  it.refused = [];
  it.feed = new Feed({
    ring: new Ring(1_000),
    client: it.client,
    changed: () => {},
    refused: (sentence) => it.refused.push(sentence),
    now: () => it.now ?? 0,
    elapsed: () => it.elapsed ?? it.now ?? 0,
  });
  it.socket.begin();
  if (patterns.length) it.feed.subscribe(patterns);
  it.tick(1);
  it.state = (pattern) => it.feed.subscriptions.get(pattern)?.state;
  it.notes = () => entries(it.feed.ring).filter(({ kind }) => kind === "note").map(({ text }) => text);
  it.reconnect = () => {
    it.socket.end(1006);
    it.tick(1_000);
    it.socket.begin();
  };
  return it;
}

test("subscribing sends one request and waits for the acknowledgement", (t) => {
  const it = connected(t, "a", "b.*");
  assert.deepEqual(it.socket.sent, [{ subjects: ["a", "b.*"], action: "subscribe", ...ASKED, id: 1 }]);
  assert.equal(it.state("a"), "pending");
  it.socket.say(ack(1, "a", "b.*"));
  assert.equal(it.state("a"), "active");
  assert.equal(it.state("b.*"), "active");
});

test("a refused pattern keeps the sentence of the gateway, the others go ahead", (t) => {
  const it = connected(t, "a", "$SYS.>");
  it.socket.say(refusal("denied", 1, "$SYS.>"), ack(1, "a"));
  assert.equal(it.state("a"), "active");
  assert.equal(it.state("$SYS.>"), "refused");
  assert.equal(it.feed.subscriptions.get("$SYS.>").message, "no: denied");
});

test("a pattern whose right is taken away later is refused, too", (t) => {
  const it = connected(t, "a");
  it.socket.say(ack(1, "a"), refusal("denied", undefined, "a"));
  assert.equal(it.state("a"), "refused");
});

test("a refusal without subjects is handed on as a sentence", (t) => {
  const it = connected(t);
  it.socket.say({ success: false, code: "rate_limited", message: "too many requests" });
  assert.deepEqual(it.refused, ["too many requests"]);
});

test("subscribing again asks only for what is new or was refused", (t) => {
  const it = connected(t, "a", "b");
  it.socket.say(refusal("limit", 1, "b"));
  assert.deepEqual(it.feed.subscribe(["a", "b", "c"]), ["a"]);
  assert.equal(it.state("b"), "pending");
  it.tick(100);
  assert.deepEqual(it.socket.sent.at(-1), { subjects: ["b", "c"], action: "subscribe", ...ASKED, id: 2 });
});

test("unsubscribing names what was not followed and asks for the rest", (t) => {
  const it = connected(t, "a");
  assert.deepEqual(it.feed.unsubscribe(["a", "x"]), ["x"]);
  it.tick(100);
  assert.deepEqual(it.socket.sent.at(-1), { subjects: ["a"], action: "unsubscribe", id: 2 });
  assert.equal(it.feed.subscriptions.size, 0);
});

test("messages are counted for each pattern they fall under", (t) => {
  const it = connected(t, "orders.*", "orders.>", "other");
  it.socket.say({ subject: "orders.new", data: 1 }, { subject: "orders.a.b", data: 2 });
  const counts = [...it.feed.subscriptions].map(({ count }) => count);
  assert.deepEqual(counts, [1, 2, 0]);
  assert.equal(it.feed.received, 2);
});

const NOON = Date.UTC(2026, 2, 1, 12);
const told = (time) => ({ subject: "a", time: new Date(time).toISOString(), data: 1 });
const ages = ({ feed, now }) => entries(feed.ring).map((entry) => now - heardAt(entry));

test("a message is kept as it came, with the colour of its pattern and the time of an older gateway's reader", (t) => {
  const it = connected(t, "a");
  it.now = 1_234;
  it.socket.frame('{"subject":"a","data":1.0}');
  const { hue } = it.feed.subscriptions.get("a");
  assert.deepEqual(it.feed.ring.at(0), {
    kind: "message", subject: "a", raw: "1.0", encoding: "json", time: 1_234, skew: 0, hue, reply: "", headers: [], beside: 0, stored: null, seq: 0,
  });
});

test("the time of a message is when the gateway received it, however late it is here", (t) => {
  const it = connected(t, "a");
  it.now = NOON + 71_000;
  it.socket.say(told(NOON), told(NOON + 1_000), told(NOON + 71_000));
  assert.deepEqual(entries(it.feed.ring).map(({ time }) => time - NOON), [0, 1_000, 71_000]);
  assert.deepEqual(ages(it), [71_000, 70_000, 0]);
  assert.equal(it.feed.rates.at(it.now + 1_000).peak, 1);
});

test("a time that is none is that of this page", (t) => {
  const it = connected(t, "a");
  it.now = NOON;
  for (const time of ["soon", 5, null]) it.socket.say({ subject: "a", time, data: 1 });
  assert.deepEqual(entries(it.feed.ring).map(({ time }) => time), [NOON, NOON, NOON]);
});

test("no age is below zero or counts the difference between the clocks, which is that of the way without waiting", (t) => {
  for (const ahead of [-3_600_000, -5, 0, 5, 3_600_000]) {
    const it = connected(t, "a");
    const arrive = (late, sent) => {
      it.now = NOON + ahead + sent + late;
      it.socket.say(told(NOON + sent));
    };
    arrive(40, 0);
    arrive(10, 1_000);
    arrive(2_010, 2_000);
    assert.equal(it.feed.ring.at(0).time, NOON);
    assert.deepEqual(ages(it), [3_970, 3_000, 2_000]);
  }
});

test("another connection may lead to a gateway with another clock", (t) => {
  const it = connected(t, "a");
  it.now = NOON;
  it.socket.say(told(NOON + 60_000));
  it.reconnect();
  it.socket.say(told(NOON));
  assert.equal(it.now - heardAt(it.feed.ring.at(it.feed.ring.length - 1)), 0);
});

test("a clock of this page that is set is noticed with the next message", (t) => {
  const it = connected(t, "a");
  for (const ahead of [0, 3_600_000, -3_600_000]) {
    it.elapsed = 5_000;
    it.now = NOON + ahead;
    it.socket.say(told(NOON));
    assert.equal(it.now - heardAt(it.feed.ring.at(it.feed.ring.length - 1)), 0);
  }
});

test("a clock that is set while a connection stands is followed", (t) => {
  const it = connected(t, "a");
  for (const at of [0, 660_000, 1_320_000]) {
    it.now = NOON + at + (at ? 3_600_000 : 0);
    it.socket.say(told(NOON + at));
  }
  assert.equal(it.now - heardAt(it.feed.ring.at(2)), 0);
});

test("what comes beside a payload is kept with it, and takes room", (t) => {
  const it = connected(t, "a");
  const headers = [["A", "1"], ["A", "/w==", "base64"]];
  it.socket.say({ subject: "a", reply: "_INBOX.x", headers, data: 1 });
  const entry = it.feed.ring.at(0);
  assert.deepEqual([entry.reply, entry.headers, entry.beside], ["_INBOX.x", headers, 15]);
  it.feed.ring.resize(1_000, 1_000);
  for (let n = 0; n < 30; n += 1) it.socket.say({ subject: "a", headers: [["A", "x".repeat(98)]], data: 1 });
  assert.equal(it.feed.ring.kept, 10);
  assert.equal(it.feed.ring.full, "chars");
});

test("what somebody else than the gateway wrote in the place of reply and headers is left alone", (t) => {
  const it = connected(t, "a");
  for (const headers of [null, "x", { length: 1 }, { A: "1" }, [null], [["A"]], [["A", 1]], 5]) {
    it.socket.say({ subject: "a", reply: 5, headers, data: 1 });
  }
  assert.equal(it.feed.ring.kept, 8);
  for (const { reply, headers } of entries(it.feed.ring)) assert.deepEqual([reply, headers], ["", []]);
});

test("a message that was held up over midnight begins no day anew", (t) => {
  const it = connected(t, "a");
  const midnight = new Date(2026, 10, 27).getTime();
  for (const time of [-2, 1, -1, 2]) it.socket.say(told(midnight + time));
  assert.deepEqual(it.notes(), ["Friday, 27 November 2026"]);
  it.socket.say(told(midnight - 7_200_000)); // of a gateway with another clock
  assert.equal(it.notes()[1], "Thursday, 26 November 2026");
});

test("a pattern added later counts subjects that were seen before", (t) => {
  const it = connected(t, "a.*");
  it.socket.say({ subject: "a.b", data: 1 });
  it.feed.subscribe(["a.b"]);
  it.socket.say({ subject: "a.b", data: 2 });
  assert.equal(it.feed.subscriptions.get("a.b").count, 1);
});

test("1200 messages leave 1000 kept and 200 not kept", (t) => {
  const it = connected(t, "a");
  for (let n = 0; n < 1_200; n += 1) it.socket.say({ subject: "a", data: n });
  assert.equal(it.feed.ring.kept, 1_000);
  assert.equal(it.feed.ring.notKept, 200);
  assert.equal(it.feed.ring.at(0).raw, "200");
});

test("after a lost connection everything is asked for again, also what was refused", (t) => {
  const it = connected(t, "a", "b");
  it.socket.say(ack(1, "a"), refusal("denied", 1, "b"));
  it.reconnect();
  assert.deepEqual([it.state("a"), it.state("b")], ["pending", "pending"]);
  assert.deepEqual(it.socket.sent, [{ subjects: ["a", "b"], action: "subscribe", ...ASKED, id: 2 }]);
  it.socket.say(ack(2, "a"), refusal("denied", 2, "b"));
  assert.deepEqual([it.state("a"), it.state("b")], ["active", "refused"]);
});

test("a gap is a note with its times and causes, above the first message after it", (t) => {
  const it = connected(t, "a");
  it.socket.say(ack(1, "a"));
  t.mock.method(Date, "now", () => new Date(2026, 0, 1, 12).getTime());
  it.client.dispatchEvent(new CustomEvent("gap", { detail: {
    from: new Date(2026, 0, 1, 8, 0, 0).getTime(),
    to: new Date(2026, 0, 1, 8, 0, 9).getTime(),
    causes: ["nats_down", "disconnected"],
  } }));
  assert.deepEqual(it.notes(),
    ["NATS was out of reach, then disconnected 08:00:00 – 08:00:09: messages in between were not received"]);
  it.reconnect();
  it.socket.say({ subject: "a", data: 1 });
  assert.match(it.notes()[1], /^disconnected .*12:00:00: messages/);
  assert.deepEqual(entries(it.feed.ring).map(({ kind }) => kind), ["note", "note", "message"]);
});

test("messages of different days have a line with the date between them, those of one day none", (t) => {
  const it = connected(t, "a");
  const say = (...when) => {
    it.now = new Date(2026, 10, ...when).getTime();
    it.socket.say({ subject: "a", data: 1 });
  };
  say(26, 11, 8, 5);
  say(26, 23, 59, 59);
  assert.deepEqual(it.notes(), []);
  say(27, 0, 0, 0);
  say(27, 12, 8, 6);
  say(30, 12, 0, 0);
  assert.deepEqual(it.notes(), ["Friday, 27 November 2026", "Monday, 30 November 2026"]);
  assert.deepEqual(entries(it.feed.ring).map(({ kind }) => kind[0]).join(""), "mmnmmnm");
});

test("a gap names its day once that is over", (t) => {
  const it = connected(t, "a");
  const [from, to] = [new Date(2026, 0, 1, 8).getTime(), new Date(2026, 0, 1, 8, 0, 9).getTime()];
  t.mock.method(Date, "now", () => to);
  it.client.dispatchEvent(new CustomEvent("gap", { detail: { from, to, causes: ["disconnected"] } }));
  assert.match(it.notes()[0], /^disconnected 08:00:00 – 08:00:09:/);
  t.mock.method(Date, "now", () => to + 86_400_000);
  assert.match(it.notes()[0], /^disconnected 1 Jan, 08:00:00 – 08:00:09:/);
});

test("while NATS is away a pattern stays pending and is not asked for again: the gateway takes it up", (t) => {
  const it = connected(t, "a");
  it.socket.say({ status: "nats_down" }, refusal("nats_down", 1, "a"));
  assert.equal(it.state("a"), "pending");
  assert.equal(it.feed.natsDown, true);
  it.socket.say({ status: "nats_up", gap: true });
  assert.equal(it.feed.natsDown, false);
  it.socket.say(ack(1, "a"));
  assert.equal(it.state("a"), "active");
  it.tick(100);
  assert.equal(it.socket.sent.length, 1);
});

test("messages dropped by the gateway are counted and told", (t) => {
  const it = connected(t, "a");
  it.socket.say({ dropped: 1 }, { dropped: 6 });
  assert.equal(it.feed.dropped, 7);
  assert.match(it.notes()[0], /^1 message was dropped/);
  assert.match(it.notes()[1], /^6 messages were dropped/);
});

test("a line that cannot be read is said, and the next one is still taken", (t) => {
  const it = connected(t, "a");
  it.socket.frame('nonsense\x1e{"subject":"a","data":1}');
  assert.equal(it.refused.length, 1);
  assert.equal(it.feed.received, 1);
});

const PLACE = { stream: "ORDERS", epoch: "e1" };
const stored = (id, pattern, after, told = {}) => ({ ...ack(id, pattern), history: { ...PLACE, after, messages: 0, ...told } });
const live = (seq, ...subjects) => ({ status: "live", ...PLACE, seq, subjects });
const time = (second) => new Date(2026, 0, 1, 12, 0, second).toISOString();
const replayed = (seq) => ({ subject: "orders.1", seq, time: time(seq), replay: true, data: seq });

/** Follows "orders.*", which a stream stores, and is live. */
function followingStream(t) {
  const it = connected(t, "orders.*");
  it.now = Date.parse(time(30));
  it.socket.say(stored(1, "orders.*", 10));
  it.subscription = () => it.feed.subscriptions.get("orders.*");
  return it;
}

test("a pattern that a stream stores says so, and how far it is", (t) => {
  const it = followingStream(t);
  assert.deepEqual([it.subscription().stream, it.subscription().stage], ["ORDERS", "live"]);
  it.socket.say({ status: "behind", stream: "ORDERS", subjects: ["orders.*"] });
  assert.equal(it.subscription().stage, "behind");
  it.socket.say(live(11, "orders.*"));
  assert.equal(it.subscription().stage, "live");
  assert.deepEqual(it.notes(), []);
});

test("the past of a followed pattern is asked for anew, comes marked, and ends with a note", (t) => {
  const it = followingStream(t);
  it.socket.say({ subject: "orders.1", seq: 11, time: time(11), data: 11 });
  it.feed.subscribe(["orders.*"], { last: 2 });
  it.tick(200);
  const [, leaving, joining] = it.socket.sent;
  assert.deepEqual([leaving.action, joining.history], ["unsubscribe", { last: 2 }]);
  assert.equal(it.state("orders.*"), "pending");
  it.socket.say({ success: true, action: "unsubscribe", subjects: ["orders.*"], id: leaving.id });
  it.socket.say(stored(joining.id, "orders.*", 9, { messages: 2 }), replayed(10), replayed(11), live(11, "orders.*"));
  assert.deepEqual(it.notes(), ["orders.*: the last 2", "replayed 2, live from here"]);
  const messages = entries(it.feed.ring).filter(({ kind }) => kind === "message");
  assert.deepEqual(messages.map(({ stored: { seq, replay, stream } }) => [seq, replay, stream]), [[11, false, "ORDERS"], [10, true, "ORDERS"], [11, true, "ORDERS"]]);
  assert.deepEqual([it.feed.received, it.feed.ring.kept], [3, 3]);
  assert.deepEqual([it.subscription().count, it.subscription().replayed], [3, 2]);
  assert.deepEqual(it.feed.subscriptions.wanted, [{ pattern: "orders.*", history: { last: 2 } }]);
});

test("what is stored says nothing of the clock of the gateway", (t) => {
  const it = followingStream(t);
  it.now = Date.parse(time(59));
  it.socket.say(replayed(11));
  assert.equal(heardAt(it.feed.ring.at(0)), Date.parse(time(11)));
});

test("a gap that a stream closes is told, and is no loss", (t) => {
  const it = followingStream(t);
  it.reconnect();
  const { id } = it.socket.sent.at(-1);
  it.socket.say(stored(id, "orders.*", 10, { resumed: true, messages: 1 }), replayed(11), live(11, "orders.*"));
  assert.deepEqual(it.notes(), ["back after 1.0 s, 1 message fetched"]);
  assert.equal(it.feed.losses.gaps, 0);
});

test("a gap that a stream cannot close has its reason", (t) => {
  const it = followingStream(t);
  it.reconnect();
  const { id } = it.socket.sent.at(-1);
  it.socket.say(stored(id, "orders.*", 90, { resumed: false, reason: "expired" }));
  it.socket.say(live(90, "orders.*"));
  assert.match(it.notes()[0], /^orders\.\* .*not all came later, the stream no longer has all of it$/);
  assert.match(it.notes()[1], /^back after 1\.0 s, nothing to fetch$/);
  assert.equal(it.feed.losses.gaps, 1);
});

test("of a gap of others a stream's patterns are left out", (t) => {
  const it = followingStream(t);
  it.feed.subscribe(["plain"]);
  it.tick(200);
  it.socket.say(ack(2, "plain"));
  it.reconnect();
  const asked = it.socket.sent.find(({ subjects }) => subjects.includes("plain"));
  it.socket.say(ack(asked.id, "plain"));
  assert.match(it.notes()[0], /^disconnected .*: messages of plain in between were not received$/);
});

test("NATS is back, and what streams stored comes", (t) => {
  const it = followingStream(t);
  it.socket.say({ status: "nats_down" });
  it.now += 5_000;
  it.socket.say({ status: "nats_up", gap: false });
  assert.deepEqual(it.notes(), ["NATS is back after 5.0 s: what streams stored of orders.* comes now"]);
  it.socket.say({ status: "nats_down" });
  it.reconnect();
  assert.equal(it.notes().length, 1, "the connection was lost meanwhile, and tells of that");
});

test("what a link names is followed with its past, and a past that it does not name is asked for no more", (t) => {
  const it = followingStream(t);
  it.feed.want("orders.*", "all");
  it.feed.want("orders.*", "all");
  it.tick(200);
  assert.deepEqual(it.socket.sent.map(({ action, history }) => [action, history]), [["subscribe", "auto"], ["unsubscribe", undefined], ["subscribe", "all"]]);
  it.feed.want("orders.*", "auto");
  it.tick(200);
  assert.equal(it.socket.sent.length, 3);
  assert.deepEqual(it.feed.subscriptions.wanted, [{ pattern: "orders.*", history: "auto" }]);
});

test("where there is no past to be had, the page says why and follows what is new", (t) => {
  const it = connected(t);
  it.feed.subscribe(["a"], "all");
  it.tick(1);
  it.socket.say(refusal("no_history", 1, "a"));
  assert.deepEqual([it.refused, it.state("a")], [["no: no_history"], "pending"]);
  it.tick(200);
  assert.deepEqual(it.socket.sent.at(-1), { subjects: ["a"], action: "subscribe", ...ASKED, id: 2 });
  it.socket.say(ack(2, "a"));
  assert.equal(it.state("a"), "active");
  assert.deepEqual(it.feed.subscriptions.wanted, [{ pattern: "a", history: "auto" }]);
});
