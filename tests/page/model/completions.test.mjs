import assert from "node:assert/strict";
import test from "node:test";
import { complete, completeSubject } from "../../../page/js/model/completions.js";
import { cpuTime } from "../support/cpu.mjs";

const COUNTS = { "orders.paid": 30, "orders.created": 50, "telemetry.d7.state": 9, "reorder.all": 200, $SYS: 5, _INBOX: 4 };
const ROWS = Object.entries(COUNTS).map(([subject, count]) => ({ subject, count }));

function offer(text, { rows = ROWS, followed = [], earlier = [], cursor = text.indexOf("|"), asked = false } = {}) {
  const typed = text.replace("|", "");
  const found = complete(typed, cursor === -1 ? typed.length : cursor, { rows, followed, earlier }, asked);
  found.texts = found.options.map((option) => option.text);
  return found;
}

test("subjects and their parents are offered: what begins so first, then what has the most messages", () => {
  const { texts, options } = offer("ord");
  assert.deepEqual(texts, ["orders.*", "orders.created", "orders.paid", "reorder.all", "reorder.*"]);
  assert.deepEqual(options[0], { text: "orders.*", count: 80, note: "" });
});

test("parents of a deep subject are offered at each of its dots", () => {
  assert.deepEqual(offer("telem").texts, ["telemetry.d7.state", "telemetry.d7.*", "telemetry.>"]);
});

test("a pattern for what is deeper is offered where something deeper was seen", () => {
  const rows = ["a.b", "a.c", "a.c.d"].map((subject) => ({ subject, count: 1 }));
  assert.deepEqual(offer("a", { rows }).texts, ["a.>", "a.*", "a.b", "a.c", "a.c.d", "a.c.*"]);
});

test("upper and lower case find each other", () => {
  assert.equal(offer("ORDERS.P").texts[0], "orders.paid");
});

test("no more than eight are offered", () => {
  const rows = Array.from({ length: 100 }, (_, n) => ({ subject: `a${n}`, count: n }));
  assert.deepEqual(offer("a", { rows }).texts, ["a99", "a98", "a97", "a96", "a95", "a94", "a93", "a92"]);
});

test("the word at the cursor is completed, the others stay", () => {
  const cases = { "a.b, ord|": [5, 8], "ord| a.b": [0, 3], "a ord|ers b": [2, 8], "nats sub ord|": [9, 12] };
  for (const [text, range] of Object.entries(cases)) {
    const { start, end, texts } = offer(text);
    assert.deepEqual([start, end], range, text);
    assert.equal(texts[0], "orders.*", text);
  }
});

test("what is followed, stands there already or is typed to the end is not offered", () => {
  assert.ok(!offer("ord", { followed: ["orders.*"] }).texts.includes("orders.*"));
  assert.ok(!offer("orders.paid ord").texts.includes("orders.paid"));
  assert.ok(!offer("orders.paid").texts.includes("orders.paid"));
});

test("an empty word is left alone, unless something is asked for: then what was typed before comes first", () => {
  assert.deepEqual(offer("").texts, []);
  assert.deepEqual(offer("orders.* ").texts, []);
  const { texts } = offer("", { asked: true, earlier: ["new.one", "old.one"] });
  assert.deepEqual(texts.slice(0, 3), ["new.one", "old.one", "reorder.all"]);
  assert.ok(offer("", { asked: true, rows: [] }).texts.includes("test.subject"));
});

test("whoever unsubscribes is offered what is followed", () => {
  const followed = ["orders.*", "x.>"];
  for (const verb of ["unsubscribe", "UNSUB", "nats unsub"]) {
    assert.deepEqual(offer(`${verb} `, { followed }).texts, followed, verb);
    assert.deepEqual(offer(`${verb} x`, { followed }).texts, ["x.>"], verb);
    assert.deepEqual(offer(`${verb} x.> `, { followed }).texts, ["orders.*"], verb);
  }
  assert.deepEqual(offer("unsubscribe|", { followed }).texts, []);
});

test("subjects of the system are offered only to who begins to type them", () => {
  const all = offer("", { asked: true }).texts;
  assert.ok(!all.includes("$SYS") && !all.includes("_INBOX"));
  assert.deepEqual(offer("$").texts, ["$SYS"]);
  assert.deepEqual(offer("_in").texts, ["_INBOX"]);
  assert.deepEqual(offer("YS").texts, []);
});

test("a request as JSON and a word in quotes are left alone", () => {
  for (const text of ['{"subjects":["ord', '["ord', 'nats sub "ord']) assert.deepEqual(offer(text).texts, [], text);
});

test("a subject that the field would read as something else is not offered", () => {
  const odd = ["o,rders", "o rders", "o*", "sub", "unsub", "o\u0000", "{o}", "", "o/#"];
  const rows = [...odd, "ok"].map((subject) => ({ subject, count: 1 }));
  assert.deepEqual(offer("o", { rows }).texts, ["ok"]);
  assert.deepEqual(offer("s", { rows }).texts, ["test.subject"]);
});

test("a long text costs little", () => {
  const look = () => assert.equal(offer(`${"x".repeat(100_000)} ord`).texts[0], "orders.*");
  assert.ok(cpuTime(look) < 500);
});

test("a hostile subject of thousands of parts costs little", () => {
  const rows = Array.from({ length: 500 }, (_, n) => ({ subject: `a${n}${".x".repeat(2_000)}`, count: 1 }));
  assert.ok(cpuTime(() => assert.equal(offer("a", { rows }).texts.length, 8)) < 500);
});

test("for one subject those that were seen are offered, without patterns, and those sent before", () => {
  const known = { rows: ROWS, earlier: ["orders.new", "orders.paid"] };
  const look = (text, asked) => completeSubject(text, text.length, known, asked);
  assert.deepEqual(look("ord").options.map(({ text }) => text), ["orders.created", "orders.paid", "orders.new", "reorder.all"]);
  assert.deepEqual(look("ord").options[2], { text: "orders.new", count: 0, note: "sent before" });
  assert.deepEqual([look("ord").start, look("ord").end], [0, 3]);
  assert.deepEqual(look("").options, []);
  assert.deepEqual(look("", true).options.slice(0, 2).map(({ text }) => text), ["orders.new", "orders.paid"]);
});
