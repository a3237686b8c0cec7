import assert from "node:assert/strict";
import test from "node:test";
import { ack, connected, outcome, refusal } from "../support/fake-websocket.mjs";

const PACE = 101;
const ORDERS = { stream: "ORDERS", epoch: "e1" };

/** The answer to who asked for history: the pattern comes from a stream, from behind `after`. */
const stored = (id, pattern, after, told = {}) => ({ ...ack(id, pattern), history: { ...ORDERS, after, messages: 0, ...told } });
const live = (seq, ...subjects) => ({ status: "live", ...ORDERS, seq, subjects });
const message = (subject, seq, more = {}) => ({ subject, seq, ...more, data: seq });
const replayed = (subject, seq) => message(subject, seq, { replay: true });

/** The requests of a connection, without their ids. */
const requests = ({ socket }) => socket.sent.map(({ id, ...request }) => request);

/** Listens to `pattern` with this history; what it hears is a list of sequences, or of payloads. */
function listen(it, pattern, history, options = {}) {
  const heard = [];
  const listener = (message) => heard.push(message.seq ?? message.data);
  const answer = it.client.subscribe(pattern, listener, { history, ...options });
  answer.catch(() => {});
  it.tick(PACE);
  return { heard, answer, listener };
}

/** The connection is lost, and another one stands soon. */
function reconnect(it) {
  const before = it.made.length;
  it.socket.end(1006);
  while (it.made.length === before) it.tick(100);
  it.socket.begin();
}

/** Follows "orders.*", and is live up to sequence 10. */
function following(t, history = "new") {
  const it = connected(t);
  const { heard } = listen(it, "orders.*", history);
  it.socket.say(stored(1, "orders.*", 10), live(10, "orders.*"));
  return Object.assign(it, { heard });
}

test("history stands in the request in each of its forms, and so does the stream", (t) => {
  const it = connected(t);
  const time = new Date(0);
  const forms = ["new", "auto", "all", "last_per_subject", { last: 5 }, { since: "5m" }, { since: time }, { seq: 7 }, { after: "S.e.1" }];
  for (const [place, history] of forms.entries()) listen(it, `a.${place}`, history, { stream: "S", meta: ["time"] });
  const asWritten = forms.map((form) => (form.since === time ? { since: "1970-01-01T00:00:00.000Z" } : form));
  assert.deepEqual(requests(it), asWritten.map((history, place) => (
    { subjects: [`a.${place}`], action: "subscribe", meta: ["time"], history, stream: "S" }
  )));
});

test("patterns with the same history share a request", (t) => {
  const it = connected(t);
  for (const pattern of ["a", "b"]) it.client.subscribe(pattern, () => {}, { history: { last: 5 } });
  it.client.subscribe("c", () => {}, { history: { last: 6 } });
  it.client.subscribe("d");
  it.tick(1);
  assert.deepEqual(requests(it).map(({ subjects, history }) => [subjects, history]),
    [[["a", "b"], { last: 5 }], [["c"], { last: 6 }], [["d"], undefined]]);
});

test("a history that means nothing is a mistake of the page", (t) => {
  const it = connected(t);
  const wrong = ["", "old", null, 5, [], {}, { last: 0 }, { last: 1.5 }, { seq: "7" }, { since: 5 }, { after: 7 }, { last: 1, seq: 1 }, { latest: 1 }];
  for (const history of wrong) {
    assert.throws(() => it.client.subscribe("a", () => {}, { history }), TypeError, JSON.stringify(history));
  }
  assert.throws(() => it.client.subscribe("a", () => {}, { stream: "S" }), TypeError);
  assert.throws(() => it.client.subscribe("a", () => {}, { history: "all", stream: 7 }), TypeError);
  for (const history of ["all", { last: 5 }]) {
    assert.throws(() => it.client.subscribe("a", () => {}, { history, maxRate: 2 }), TypeError);
  }
  it.tick(PACE);
  assert.deepEqual(it.socket.sent, []);
});

test("a message has its sequence, its stream and cursor, whether it is a replay, and what was done to its key", (t) => {
  const it = following(t);
  it.socket.say(
    replayed("orders.1", 11), message("orders.1", 12), { subject: "orders.2", seq: 13, operation: "DEL", data: "", encoding: "text" },
    { subject: "other", data: 1 },
  );
  const facts = it.ofType("messages").flat().map(({ seq, replay, operation, stream, cursor }) => [seq, replay, operation, stream, cursor]);
  assert.deepEqual(facts, [
    [11, true, undefined, "ORDERS", "ORDERS.e1.11"],
    [12, false, undefined, "ORDERS", "ORDERS.e1.12"],
    [13, false, "DEL", "ORDERS", "ORDERS.e1.13"],
    [undefined, false, undefined, undefined, undefined],
  ]);
});

test("a payload is cut out behind all that may stand before it", (t) => {
  const it = following(t);
  const keys = [
    '"seq":12', '"seq":13,"replay":true', '"seq":14,"operation":"DEL"', '"seq":15,"time":"t","headers":[["a","b"]],"replay":true,"operation":"x"',
    '"seq": 16', '"seq":17,"later":{"a":[1]}',
  ];
  for (const text of keys) it.socket.frame(`{"subject":"orders.1",${text},"data":{"x":1.0,"data":2}}`);
  const received = it.ofType("messages").flat();
  assert.deepEqual(received.map(({ seq, raw }) => [seq, raw]), keys.map((_, place) => [12 + place, '{"x":1.0,"data":2}']));
  assert.deepEqual([received[3].time, received[3].headers, received[3].replay, received[3].operation], ["t", [["a", "b"]], true, "x"]);
});

test("of messages with nothing but a sequence nothing is parsed before it is asked for", (t) => {
  const it = following(t);
  t.mock.method(JSON, "parse");
  for (let seq = 11; seq < 111; seq += 1) it.socket.frame(`{"subject":"orders.1","seq":${seq},"data":{"n":1}}`);
  assert.deepEqual([it.heard.length, JSON.parse.mock.callCount()], [100, 0]);
});

test("after a lost connection it asks for what came after the last message", async (t) => {
  const it = following(t);
  it.socket.say(message("orders.1", 12), message("orders.2", 11));
  reconnect(it);
  assert.deepEqual(requests(it), [{ subjects: ["orders.*"], action: "subscribe", history: { after: "ORDERS.e1.12" } }]);
  it.socket.say(stored(2, "orders.*", 12, { messages: 1, resumed: true }), replayed("orders.1", 13), live(14, "orders.*"));
  assert.deepEqual(it.heard, [12, 11, 13]);
  reconnect(it);
  assert.deepEqual(requests(it)[0].history, { after: "ORDERS.e1.14" }, "what `live` says counts as well");
});

test("a stream that is named is named again", (t) => {
  const it = connected(t);
  listen(it, "orders.*", "new", { stream: "ORDERS" });
  it.socket.say(stored(1, "orders.*", 10));
  reconnect(it);
  assert.deepEqual(requests(it)[0], { subjects: ["orders.*"], action: "subscribe", history: { after: "ORDERS.e1.10" }, stream: "ORDERS" });
});

test("a word that a quiet pattern is still live moves its cursor, and tells nobody anything", (t) => {
  const it = following(t);
  const before = it.told.length;
  it.socket.say(live(500, "orders.*"));
  assert.equal(it.told.length, before);
  reconnect(it);
  assert.deepEqual(requests(it)[0].history, { after: "ORDERS.e1.500" });
});

test("what was live is one request for each stream, and what was not yet another one", (t) => {
  const it = connected(t);
  for (const pattern of ["orders.a", "orders.b", "clicks.a"]) it.client.subscribe(pattern, () => {}, { history: "new" });
  it.client.subscribe("orders.c", () => {}, { history: "all" });
  it.client.subscribe("orders.d", () => {}, { history: "all" });
  it.tick(1);
  const clicks = { stream: "CLICKS", epoch: "e7" };
  it.socket.say(stored(1, "orders.a", 10), stored(1, "orders.b", 12), stored(1, "clicks.a", 70, clicks), stored(2, "orders.c", 0), stored(2, "orders.d", 2));
  it.socket.say(message("orders.a", 20), message("clicks.a", 77), replayed("orders.c", 4), replayed("orders.d", 5));
  reconnect(it);
  assert.deepEqual(requests(it).map(({ subjects, history }) => [subjects, history.after]), [
    [["orders.a", "orders.b"], "ORDERS.e1.20"],
    [["clicks.a"], "CLICKS.e7.77"],
    [["orders.c", "orders.d"], "ORDERS.e1.5"],
  ]);
});

test("until a replay is over, a live message of another pattern does not move its cursor", (t) => {
  const it = following(t);
  listen(it, "orders.a.*", "all");
  it.socket.say(stored(2, "orders.a.*", 0, { messages: 9 }), replayed("orders.a.x", 3), message("orders.1", 99));
  reconnect(it);
  assert.deepEqual(requests(it).map(({ history }) => history.after), ["ORDERS.e1.99", "ORDERS.e1.3"]);
});

test("what was asked for and not answered is asked for as before", (t) => {
  const it = connected(t);
  listen(it, "orders.*", { last: 5 });
  reconnect(it);
  assert.deepEqual(requests(it), [{ subjects: ["orders.*"], action: "subscribe", history: { last: 5 } }]);
});

test("a cursor outlasts connections that are lost before the answer", (t) => {
  const it = following(t);
  const from = Date.now();
  for (let n = 0; n < 3; n += 1) {
    reconnect(it);
    assert.deepEqual(requests(it)[0].history, { after: "ORDERS.e1.10" });
  }
  it.socket.say(stored(4, "orders.*", 10, { resumed: false, reason: "expired" }));
  assert.deepEqual(it.ofType("gap").map((gap) => gap.from), [from], "what it lacks, it lacks since the first of them");
});

test("of two replays of a stream, messages move the one that began first", (t) => {
  const it = connected(t);
  const [one, two] = [listen(it, "orders.*", "all"), listen(it, "orders.>", { last: 3 })];
  it.socket.say(stored(1, "orders.*", 0), stored(2, "orders.>", 5));
  it.socket.say(replayed("orders.a", 5), replayed("orders.a", 6));
  assert.deepEqual([one.heard, two.heard], [[5, 6], [6]], "the other gets what it has asked for");
  reconnect(it);
  assert.deepEqual(requests(it).map(({ history }) => history.after), ["ORDERS.e1.6", "ORDERS.e1.5"]);
  it.socket.say(stored(3, "orders.*", 6, { resumed: true }), stored(4, "orders.>", 5, { resumed: true }), live(6, "orders.*"));
  it.socket.say(replayed("orders.a", 6), replayed("orders.a.b", 7), live(8, "orders.>"));
  assert.deepEqual([one.heard, two.heard], [[5, 6], [6, 7]], "and gets nothing twice");
});

test("a resume whose answer has yet to come gets what comes with that of another pattern", (t) => {
  const it = following(t);
  const deep = listen(it, "orders.>", "new");
  it.socket.say(stored(2, "orders.>", 10));
  it.socket.say(message("orders.a.b", 12));
  reconnect(it);
  it.socket.say(stored(3, "orders.>", 12, { resumed: true }), replayed("orders.a", 13), live(13, "orders.>"));
  it.socket.say(stored(4, "orders.*", 10, { resumed: true }), replayed("orders.a", 13));
  assert.deepEqual([deep.heard, it.heard], [[12, 13], [13]]);
});

test("what comes live beside a replay is not heard again when a lost connection repeats it", (t) => {
  const it = following(t);
  const all = listen(it, "orders.a", "all");
  it.socket.say(stored(2, "orders.a", 0, { messages: 9 }), replayed("orders.a", 3), message("orders.a", 12));
  assert.deepEqual([it.heard, all.heard], [[12], [3, 12]], "what was stored is not for who asked for what is new");
  reconnect(it);
  assert.deepEqual(requests(it).map(({ history }) => history.after), ["ORDERS.e1.12", "ORDERS.e1.3"]);
  it.socket.say(stored(3, "orders.*", 12, { resumed: true }), live(12, "orders.*"));
  it.socket.say(stored(4, "orders.a", 3, { resumed: true }), replayed("orders.a", 4), replayed("orders.a", 12), live(12, "orders.a"));
  assert.deepEqual([it.heard, all.heard], [[12], [3, 12, 4]]);
  assert.deepEqual(it.ofType("messages").flat().map(({ seq }) => seq), [3, 12, 4], "nor told");
});

test("a listener of two patterns that overlap gets each message once, and one without history nothing of the past", (t) => {
  const it = connected(t);
  const heard = { both: [], plain: [] };
  const both = ({ seq }) => heard.both.push(seq);
  it.client.subscribe("orders.*", both, { history: "all" });
  it.client.subscribe("orders.a", both, { history: "all" });
  it.client.subscribe("orders.>", ({ seq }) => heard.plain.push(seq));
  it.tick(1);
  it.socket.say(stored(1, "orders.*", 0), stored(1, "orders.a", 0), ack(2, "orders.>"));
  it.socket.say(replayed("orders.a", 1), replayed("orders.b", 2), live(2, "orders.*", "orders.a"), message("orders.a", 3));
  assert.deepEqual(heard, { both: [1, 2, 3], plain: [3] });
});

test("a listener that leaves in the middle of a frame is called no more", (t) => {
  for (const isAlone of [true, false]) {
    const it = connected(t);
    const heard = [];
    const listener = ({ seq }) => { heard.push(seq); it.client.unsubscribe("a", isAlone ? listener : undefined); };
    it.client.subscribe("a", listener, { history: "all" });
    it.tick(1);
    it.socket.say(stored(1, "a", 0), replayed("a", 1), replayed("a", 2));
    assert.deepEqual(heard, [1]);
  }
});

test("one without history does not hear what is still under way for a pattern that was given up", (t) => {
  const it = connected(t);
  const plain = listen(it, "orders.>");
  listen(it, "orders.*", "all");
  it.socket.say(ack(1, "orders.>"), stored(2, "orders.*", 0));
  it.client.unsubscribe("orders.*");
  it.socket.say(replayed("orders.a", 1), message("orders.a", 2));
  assert.deepEqual(plain.heard, [2]);
});

/** Two replays of the same messages, of which the first has been given up while it runs. */
function givenUp(t) {
  const it = connected(t);
  listen(it, "orders.*", "all");
  const { heard } = listen(it, "orders.>", "all");
  it.socket.say(stored(1, "orders.*", 0), stored(2, "orders.>", 0));
  it.client.unsubscribe("orders.*");
  it.tick(PACE);
  it.socket.say(replayed("orders.a", 5));
  return Object.assign(it, { heard });
}

test("what is still under way for a pattern that was given up does not move the cursor of another one", (t) => {
  const it = givenUp(t);
  it.socket.say({ success: true, action: "unsubscribe", subjects: ["orders.*"], id: 3 }, replayed("orders.a", 1), replayed("orders.a", 2));
  assert.deepEqual(it.heard, [5, 1, 2]);
  reconnect(it);
  assert.deepEqual(requests(it).map(({ history }) => history.after), ["ORDERS.e1.2"]);
});

test("nothing is under way of what the gateway has ended itself", (t) => {
  const it = connected(t);
  listen(it, "orders.*", "new");
  listen(it, "orders.>", "all");
  it.socket.say(stored(1, "orders.*", 9), stored(2, "orders.>", 0), refusal("denied", undefined, "orders.*"), replayed("orders.a", 1));
  reconnect(it);
  assert.deepEqual(requests(it).map(({ history }) => history.after), ["ORDERS.e1.1"]);
});

test("nothing is under way any more once the connection is lost", (t) => {
  const it = givenUp(t);
  reconnect(it);
  assert.deepEqual(requests(it).map(({ history }) => history.after), ["ORDERS.e1.0"]);
  it.socket.say(stored(4, "orders.>", 0, { resumed: true }), replayed("orders.a", 1), replayed("orders.a", 5));
  reconnect(it);
  assert.deepEqual(requests(it).map(({ history }) => history.after), ["ORDERS.e1.5"]);
  assert.deepEqual(it.heard, [5, 1]);
});

test("a pattern that falls behind twice, or in its replay, has one end", (t) => {
  const it = connected(t);
  const behind = { status: "behind", stream: "ORDERS", subjects: ["a"] };
  listen(it, "a", "all");
  it.socket.say(stored(1, "a", 0, { messages: 2 }), replayed("a", 1), behind, replayed("a", 2), live(2, "a"));
  it.socket.say(behind, message("a", 3), behind, message("a", 4), live(3, "a"));
  const progress = it.ofType("progress").map(({ state, messages }) => [state, messages]);
  assert.deepEqual(progress, [["replaying", 2], ["live", 2], ["behind", 0], ["live", 2]]);
  reconnect(it);
  assert.deepEqual(requests(it)[0].history, { after: "ORDERS.e1.4" });
});

test("progress is told: replaying, live, behind, and live again", (t) => {
  const it = connected(t);
  listen(it, "orders.*", { last: 2 });
  it.socket.say(stored(1, "orders.*", 8, { messages: 2 }), replayed("orders.a", 9), replayed("orders.a", 10), live(10, "orders.*"));
  it.socket.say({ status: "behind", stream: "ORDERS", subjects: ["orders.*"] }, message("orders.a", 11), live(11, "orders.*"));
  const [pattern, now] = ["orders.*", Date.now()];
  assert.deepEqual(it.ofType("progress"), [
    { pattern, state: "replaying", messages: 2 }, { pattern, state: "live", messages: 2 },
    { pattern, state: "behind", messages: 0 }, { pattern, state: "live", messages: 1, from: now, to: now },
  ]);
  assert.deepEqual(it.told.map(([type]) => type).slice(0, 4), ["state", "subscription", "progress", "messages"]);
  assert.deepEqual(it.ofType("gap"), []);
});

test("who asks for nothing of the past is live at once, and without a stream has no progress", (t) => {
  const it = connected(t);
  for (const [pattern, history] of [["a", "new"], ["b", "auto"], ["c", "auto"], ["d", undefined]]) it.client.subscribe(pattern, () => {}, { history });
  it.tick(1);
  it.socket.say(stored(1, "a", 10), stored(2, "b", 10), ack(2, "c"), ack(3, "d"));
  assert.deepEqual(it.ofType("progress"), ["a", "b"].map((pattern) => ({ pattern, state: "live", messages: 0 })));
});

test("a pattern that is behind alone keeps its cursor while others of the stream go on", (t) => {
  const it = following(t);
  listen(it, "other", "new");
  it.socket.say(stored(2, "other", 10), { status: "behind", stream: "ORDERS", subjects: ["orders.*"] });
  it.socket.say(message("orders.a", 11), message("other", 90));
  reconnect(it);
  assert.deepEqual(requests(it).map(({ history }) => history.after), ["ORDERS.e1.11", "ORDERS.e1.90"]);
});

test("a lost connection and an outage of NATS are no gap where all comes back from streams", (t) => {
  const it = following(t);
  it.socket.say({ status: "nats_down" });
  assert.equal(it.client.natsDown, true);
  it.socket.say({ status: "nats_up", gap: false }, message("orders.a", 11));
  assert.equal(it.client.natsDown, false);
  reconnect(it);
  it.socket.say(stored(2, "orders.*", 11, { resumed: true }), replayed("orders.a", 12), live(12, "orders.*"));
  assert.deepEqual([it.ofType("gap"), it.heard], [[], [11, 12]]);
});

test("one without a stream beside them has its gap as ever", (t) => {
  for (const history of [undefined, "auto"]) {
    const it = following(t);
    it.client.subscribe("plain", () => {}, { history });
    it.tick(PACE);
    it.socket.say(ack(2, "plain"));
    it.tick(1_000);
    it.socket.end(1006);
    it.tick(1_000);
    it.socket.begin();
    it.socket.say(ack(4, "plain"));
    assert.deepEqual(it.ofType("gap").map(({ causes, patterns }) => [causes, patterns]), [[["disconnected"], undefined]]);
    it.socket.say({ status: "nats_down" }, { status: "nats_up", gap: true });
    assert.deepEqual(it.ofType("gap").at(-1).causes, ["nats_down"]);
  }
});

test("what a resume cannot bring is a gap, with the gateway's reason, from the last word before the loss", (t) => {
  for (const reason of ["expired", "too_many", "stream_new", "ahead", "unknown"]) {
    const it = following(t);
    it.tick(99);
    it.socket.say(message("orders.a", 11));
    const from = Date.now();
    it.tick(500);
    reconnect(it);
    it.socket.say(stored(2, "orders.*", 90, { epoch: "e2", resumed: false, reason }), replayed("orders.a", 91));
    assert.deepEqual(it.ofType("gap"), [{ from, to: Date.now(), causes: [reason], patterns: ["orders.*"] }]);
    const order = it.told.map(([type]) => type).filter((type) => ["gap", "messages"].includes(type));
    assert.deepEqual(order, ["messages", "gap", "messages"]);
    reconnect(it);
    assert.deepEqual(requests(it)[0].history, { after: "ORDERS.e2.91" });
  }
});

test("answers that come together are one gap", (t) => {
  const it = connected(t);
  for (const pattern of ["a", "b"]) it.client.subscribe(pattern, () => {}, { history: "new" });
  it.tick(1);
  it.socket.say(stored(1, "a", 10), stored(1, "b", 10));
  reconnect(it);
  it.socket.say(stored(2, "a", 90, { resumed: false, reason: "expired" }), stored(2, "b", 90, { resumed: false, reason: "too_many" }));
  assert.deepEqual(it.ofType("gap").map(({ causes, patterns }) => [causes, patterns]), [[["expired", "too_many"], ["a", "b"]]]);
});

test("a replay that has not all that was asked for says why, and is no gap", (t) => {
  const it = connected(t);
  listen(it, "a", "all");
  it.socket.say(stored(1, "a", 500, { messages: 10_000, reason: "too_many" }));
  assert.deepEqual(it.ofType("progress"), [{ pattern: "a", state: "replaying", messages: 10_000, reason: "too_many" }]);
  assert.deepEqual(it.ofType("gap"), []);
});

const missed = (reason, after, until, epoch = "e1", subject = "orders.*") => (
  { status: "missed", stream: "ORDERS", epoch, after, until, reason, subjects: [subject] }
);

test("what the gateway says will not come is a gap, from the moment at which the pattern fell behind", (t) => {
  const it = following(t);
  it.tick(1_000);
  it.socket.say({ status: "behind", stream: "ORDERS", subjects: ["orders.*"] });
  const from = Date.now();
  it.tick(1_000);
  it.socket.say(missed("too_many", 10, 9_000));
  assert.deepEqual(it.ofType("gap"), [{ from, to: Date.now(), causes: ["too_many"], patterns: ["orders.*"] }]);
  reconnect(it);
  assert.deepEqual(requests(it)[0].history, { after: "ORDERS.e1.9000" });
});

test("a gap begins with the pattern that lacks something for the longest time, and not before one was live", (t) => {
  const it = following(t);
  listen(it, "other", "new");
  it.socket.say(stored(2, "other", 10));
  it.socket.say({ status: "behind", stream: "ORDERS", subjects: ["orders.*"] });
  const from = Date.now();
  it.tick(1_000);
  it.socket.say({ status: "behind", stream: "ORDERS", subjects: ["other"] });
  it.tick(1_000);
  it.socket.say(missed("too_many", 10, 90, "e1", "other"), missed("too_many", 10, 90));
  it.socket.say(live(90, "other", "orders.*"));
  it.tick(1_000);
  it.socket.say(missed("expired", 90, 95));
  assert.deepEqual(it.ofType("gap").map((gap) => [gap.from, gap.to, gap.patterns]), [
    [from, from + 2_000, ["other", "orders.*"]], [from + 3_000, from + 3_000, ["orders.*"]],
  ]);
});

test("what NATS does not have any more after an outage is a gap from its beginning, and later ones are not", (t) => {
  const it = following(t);
  it.socket.say({ status: "nats_down" });
  const from = Date.now();
  it.tick(1_000);
  it.socket.say({ status: "nats_up", gap: false }, missed("expired", 10, 20), message("orders.a", 21));
  it.tick(1_000);
  it.socket.say(missed("expired", 21, 30));
  assert.deepEqual(it.ofType("gap").map((gap) => [gap.from, gap.to]), [[from, from + 1_000], [from + 2_000, from + 2_000]]);
});

test("in a stream that was made again, or restored, lower sequences count", (t) => {
  for (const [reason, epoch, until] of [["stream_new", "e2", 0], ["ahead", "e1", 4]]) {
    const it = following(t);
    listen(it, "other", "new");
    it.socket.say(stored(2, "other", 10), message("orders.a", 11), missed(reason, 11, until, epoch), message("orders.a", until + 1));
    assert.deepEqual(it.heard, [11, until + 1]);
    assert.equal(it.ofType("messages").flat()[1].cursor, `ORDERS.${epoch}.${until + 1}`);
    reconnect(it);
    assert.deepEqual(requests(it).map(({ history }) => history.after), [`ORDERS.${epoch}.${until + 1}`, "ORDERS.e1.11"], "of it alone");
  }
});

/** Reads all of "orders.a", and has had 12 before its turn. */
function ahead(t) {
  const it = following(t);
  const { heard } = listen(it, "orders.a", "all");
  it.socket.say(stored(2, "orders.a", 0), message("orders.a", 12));
  return { it, heard };
}

test("the same sequence in a stream that was made again, or restored, is another message", (t) => {
  for (const [epoch, reason] of [["e2", "stream_new"], ["e1", "ahead"]]) {
    const noticed = ahead(t);
    noticed.it.socket.say(missed(reason, 0, 0, epoch, "orders.a"), replayed("orders.a", 12));
    assert.deepEqual(noticed.heard, [12, 12]);
    const resumed = ahead(t);
    reconnect(resumed.it);
    resumed.it.socket.say(stored(4, "orders.a", 0, { epoch, resumed: false, reason }), replayed("orders.a", 12));
    assert.deepEqual(resumed.heard, [12, 12]);
  }
});

test("what came before its turn is not remembered for ever", (t) => {
  const forget = t.mock.method(Set.prototype, "clear");
  const { it } = ahead(t);
  const before = forget.mock.callCount();
  it.socket.say(live(12, "orders.a"));
  assert.equal(forget.mock.callCount(), before + 1);
});

test("what comes before the answer to a resume does not move its cursor", (t) => {
  const it = following(t);
  listen(it, "orders.>", "new");
  it.socket.say(stored(2, "orders.>", 10), message("orders.a.b", 11));
  reconnect(it);
  it.socket.say(stored(4, "orders.>", 11, { resumed: true }), live(20, "orders.>"), message("orders.a", 21));
  reconnect(it);
  assert.deepEqual(requests(it).map(({ history }) => history.after).sort(), ["ORDERS.e1.11", "ORDERS.e1.21"]);
});

test("the latest of each subject are asked for again until one has come, and then what comes after it", (t) => {
  const it = connected(t);
  const { heard } = listen(it, "a.*", "last_per_subject");
  it.socket.say(stored(1, "a.*", 100, { messages: 2 }));
  reconnect(it);
  assert.equal(requests(it)[0].history, "last_per_subject");
  it.socket.say(stored(2, "a.*", 100, { messages: 2 }), replayed("a.x", 3));
  reconnect(it);
  assert.deepEqual(requests(it)[0].history, { after: "ORDERS.e1.3" });
  it.socket.say(stored(3, "a.*", 3, { resumed: true }), replayed("a.y", 50), live(100, "a.*"));
  assert.deepEqual(heard, [3, 50]);
});

test("a refusal of history rejects, and says the gateway's sentence", async (t) => {
  const it = connected(t);
  const { answer } = listen(it, "orders.*", "all");
  it.socket.say({ ...refusal("no_history", 1, "orders.*"), reason: "no_stream" });
  const error = await outcome(answer);
  assert.deepEqual([error.code, error.message, error.reason], ["no_history", "no: no_history", "no_stream"]);
  it.tick(PACE);
  assert.equal(it.socket.sent.length, 1);
});

test("where the stream is gone after a reconnect, it goes on without, and the gap is told", (t) => {
  const it = following(t, "all");
  it.tick(1_000);
  reconnect(it);
  it.socket.say({ ...refusal("no_history", 2, "orders.*"), reason: "no_stream" });
  it.tick(PACE);
  assert.deepEqual(requests(it)[1], { subjects: ["orders.*"], action: "subscribe", history: "auto" });
  assert.deepEqual(it.ofType("gap"), [], "it goes on until the answer");
  it.socket.say(ack(3, "orders.*"), { subject: "orders.a", data: "x" });
  assert.deepEqual(it.ofType("gap").map(({ causes, patterns }) => [causes, patterns]), [[["no_history"], ["orders.*"]]]);
  assert.deepEqual(it.heard, ["x"]);
  reconnect(it);
  it.socket.say(ack(4, "orders.*"));
  assert.deepEqual(it.ofType("gap").at(-1).causes, ["disconnected"], "it is a plain one now");
});

test("whoever asks for as much as there is is refused in the end all the same", (t) => {
  const it = following(t);
  reconnect(it);
  it.socket.say(refusal("no_history", 2, "orders.*"));
  it.tick(PACE);
  it.socket.say(refusal("no_history", 3, "orders.*"));
  it.tick(PACE);
  assert.equal(it.socket.sent.length, 2);
  assert.equal(it.ofType("subscription").at(-1).state, "refused");
});

test("a stream that is deleted ends nothing: the pattern is asked for again", (t) => {
  const it = following(t, "all");
  it.socket.say(refusal("stream_gone", undefined, "orders.*"));
  it.tick(PACE);
  assert.deepEqual(requests(it).at(-1), { subjects: ["orders.*"], action: "subscribe", history: "auto" });
  it.socket.say(stored(2, "orders.*", 0, { epoch: "e2" }), message("orders.a", 1));
  assert.deepEqual(it.ofType("gap").map(({ causes }) => causes), [["stream_gone"]]);
  assert.deepEqual(it.heard, [1]);
});

const UNKNOWN = "'history' is no key of a request. Its keys are subjects, action, id, meta, max_rate.";
const unknownKey = (id) => ({ success: false, code: "bad_request", message: UNKNOWN, subjects: [], id });

test("with a gateway that knows of no history, \"auto\" goes on without, and others get its sentence", async (t) => {
  const it = connected(t);
  const [auto, all] = [listen(it, "a", "auto"), listen(it, "b", "all")];
  it.socket.say(unknownKey(1), unknownKey(2));
  it.tick(PACE);
  assert.deepEqual(requests(it).slice(2), [{ subjects: ["a"], action: "subscribe" }]);
  it.socket.say(ack(3, "a"), { subject: "a", data: 1 });
  assert.deepEqual([await outcome(auto.answer), auto.heard], ["resolved", [1]]);
  assert.equal((await outcome(all.answer)).message, UNKNOWN);
  listen(it, "c", "auto");
  assert.deepEqual(requests(it).at(-1), { subjects: ["c"], action: "subscribe" }, "it is asked once a connection");
  it.socket.say(ack(4, "c"));
  reconnect(it);
  assert.equal(requests(it)[0].history, "auto", "the next one may know of it");
});

test("a gateway that knows of no history after one that did goes on, with a gap", (t) => {
  const it = following(t, "auto");
  reconnect(it);
  it.socket.say(unknownKey(2));
  it.tick(PACE);
  it.socket.say(ack(3, "orders.*"));
  assert.deepEqual(requests(it)[1], { subjects: ["orders.*"], action: "subscribe" });
  assert.deepEqual(it.ofType("gap").map(({ causes }) => causes), [["no_history"]]);
});

test("\"auto\" is content with what is followed without history already, but not with a refusal of other options", async (t) => {
  const it = connected(t);
  const { answer } = listen(it, "a", "auto");
  it.socket.say(refusal("already_followed", 1, "a"));
  it.tick(PACE);
  it.socket.say(ack(2, "a"));
  assert.equal(await outcome(answer), "resolved");
  listen(it, "b", "auto");
  it.socket.say(ack(3, "b"));
  listen(it, "b", undefined, { meta: ["time"] });
  it.socket.say(refusal("bad_request", 4, "b"));
  it.tick(PACE);
  assert.deepEqual([it.socket.sent.length, it.ofType("subscription").at(-1).state], [4, "refused"]);
});

test("a request that is bad for another reason is not asked for again and again", async (t) => {
  const it = connected(t);
  const { answer } = listen(it, "a b", "auto");
  it.socket.say(refusal("bad_request", 1, "a b"));
  it.tick(PACE);
  it.socket.say(refusal("bad_request", 2, "a b"));
  it.tick(PACE);
  assert.equal((await outcome(answer)).code, "bad_request");
  assert.deepEqual(requests(it).map(({ history }) => history), ["auto", undefined]);
});

test("who listens first decides on the history, and who asks for the past later is refused", async (t) => {
  const it = following(t, { last: 5 });
  it.client.subscribe("plain");
  it.client.subscribe("auto", () => {}, { history: "auto" }).catch(() => {});
  for (const [pattern, history] of [["orders.*", { last: 5 }], ["orders.*", "all"], ["plain", "all"], ["plain", "new"], ["auto", "new"]]) {
    const { answer, heard } = listen(it, pattern, history);
    assert.equal((await outcome(answer)).code, "already_followed", `${pattern}, ${JSON.stringify(history)}`);
    it.socket.say(message("orders.a", 11));
    assert.deepEqual(heard, []);
  }
  assert.equal(await outcome(listen(it, "orders.*", "new").answer), "resolved");
  assert.equal(await outcome(listen(it, "orders.*", "auto").answer), "resolved");
  assert.equal(await outcome(listen(it, "orders.*").answer), "resolved");
  assert.deepEqual(requests(it).map(({ subjects, history }) => [subjects, history]), [[["orders.*"], { last: 5 }], [["plain"], undefined], [["auto"], "auto"]]);
});

test("who asks for the same past before it is asked for shares it", (t) => {
  const it = connected(t);
  const heard = [];
  for (const name of ["one", "two"]) it.client.subscribe("a", () => heard.push(name), { history: { last: 5 } });
  it.tick(1);
  it.socket.say(stored(1, "a", 0), replayed("a", 1));
  assert.deepEqual(heard, ["one", "two"]);
});

test("other options are asked for without history, and not before it has begun", async (t) => {
  const it = connected(t);
  const { listener } = listen(it, "a", "all");
  const { answer } = listen(it, "a", undefined, { meta: ["time"], maxRate: 2 });
  assert.equal(it.socket.sent.length, 1);
  it.socket.say(stored(1, "a", 0));
  assert.equal(await outcome(answer), "resolved");
  it.tick(PACE);
  assert.deepEqual(requests(it)[1], { subjects: ["a"], action: "subscribe", meta: ["time"] }, "all come, at no rate");
  it.socket.say(refusal("rate_limited", 2, "a"));
  it.tick(1_000);
  assert.deepEqual(requests(it)[2], requests(it)[1]);
  it.socket.say(ack(3, "a"), replayed("a", 1));
  it.client.unsubscribe("a", listener);
  it.tick(PACE);
  assert.equal(it.socket.sent.length, 3, "nor does a rate count once it is the only one");
  reconnect(it);
  assert.deepEqual(requests(it)[0].history, { after: "ORDERS.e1.1" }, "and it is still in its stream");
});

test("who asks for a rate has no cursor: asks as at first, and has a gap unless it gets the latest of each", (t) => {
  for (const [history, causes] of [["new", [["disconnected"]]], ["last_per_subject", []]]) {
    const it = connected(t);
    listen(it, "a", history, { maxRate: 2 });
    it.socket.say(stored(1, "a", 10), live(10, "a"));
    reconnect(it);
    assert.deepEqual(requests(it), [{ subjects: ["a"], action: "subscribe", max_rate: 2, history }]);
    it.socket.say(stored(2, "a", 12), live(12, "a"));
    assert.deepEqual(it.ofType("gap").map((gap) => gap.causes), causes);
  }
});

test("a pattern that is given up and asked for again with history is left first", (t) => {
  const it = connected(t, "a");
  it.socket.say(ack(1, "a"));
  it.client.unsubscribe("a");
  it.client.subscribe("a", () => {}, { history: "all" });
  it.tick(PACE);
  assert.deepEqual(requests(it).slice(1), [{ subjects: ["a"], action: "unsubscribe" }, { subjects: ["a"], action: "subscribe", history: "all" }]);
  it.socket.say({ success: true, action: "unsubscribe", subjects: ["a"], id: 2 }, stored(3, "a", 0));
  it.client.unsubscribe("a");
  it.client.subscribe("a", () => {});
  it.tick(PACE);
  assert.deepEqual(requests(it).slice(3), [{ subjects: ["a"], action: "unsubscribe" }, { subjects: ["a"], action: "subscribe" }]);
});

test("one with history that has got other options is left first, too", (t) => {
  const it = connected(t);
  listen(it, "a", "all");
  it.socket.say(stored(1, "a", 0));
  listen(it, "a", undefined, { meta: ["time"] });
  it.socket.say(ack(2, "a"));
  it.client.unsubscribe("a");
  it.client.subscribe("a", () => {});
  it.tick(PACE);
  assert.deepEqual(requests(it).slice(2).map(({ action }) => action), ["unsubscribe", "subscribe"]);
});

test("after too many requests history is asked for again, and nothing that was never followed is left", (t) => {
  const it = connected(t);
  listen(it, "a", "all");
  it.socket.say(refusal("rate_limited", 1, "a"));
  it.tick(1_000);
  assert.deepEqual(requests(it), Array(2).fill({ subjects: ["a"], action: "subscribe", history: "all" }));
});

test("a JetStream that does not answer is no outage of NATS, and no gap for those that need none", async (t) => {
  const it = connected(t, "plain");
  it.socket.say(ack(1, "plain"));
  const { answer, heard } = listen(it, "orders.*", "all");
  it.socket.say(refusal("nats_down", 2, "orders.*"));
  assert.deepEqual([it.client.natsDown, await outcome(answer)], [false, "pending"]);
  it.socket.say(stored(2, "orders.*", 0), replayed("orders.a", 1));
  assert.deepEqual([await outcome(answer), heard, it.ofType("gap")], ["resolved", [1], []]);
  it.socket.say({ status: "nats_down" }, refusal("nats_down", undefined, "orders.*"), { status: "nats_up", gap: true });
  assert.equal(it.ofType("gap").length, 1, "that of the plain one waits for no other");
});

test("what comes late says since when, and an answer from which stream it comes", (t) => {
  const it = following(t);
  assert.deepEqual(it.ofType("subscription"), [{ pattern: "orders.*", state: "active", code: "", message: "", stream: "ORDERS" }]);
  it.tick(1_000);
  it.socket.say(message("orders.1", 11));
  const lost = Date.now();
  it.tick(2_000);
  reconnect(it);
  it.socket.say(stored(2, "orders.*", 11, { resumed: true, messages: 1 }), replayed("orders.1", 12), live(12, "orders.*"));
  assert.deepEqual(it.ofType("progress").at(-1), { pattern: "orders.*", state: "live", messages: 1, from: lost, to: Date.now() });
});
