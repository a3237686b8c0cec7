import assert from "node:assert/strict";
import test from "node:test";
import { parseFilter } from "../../../page/js/model/filter.js";
import { Ring } from "../../../page/js/model/ring.js";
import { isSystem, Shown } from "../../../page/js/model/shown.js";

const list = ({ source }) => Array.from({ length: source.length }, (_, index) => source.at(index).raw);
const numbers = (from, to) => Array.from({ length: to - from }, (_, n) => String(from + n));

/** A ring and what is shown of it; what is put off waits in `later` until `run`. */
function started(size = 10) {
  const it = { ring: new Ring(size), later: [], changes: 0 };
  it.shown = new Shown(it.ring, () => (it.changes += 1), (act) => it.later.push(act));
  it.arrive = (raw, subject = "s") => {
    const entry = { kind: "message", subject, raw, encoding: "json" };
    it.ring.push(entry);
    it.shown.arrived(entry);
  };
  it.filter = (text) => it.shown.filterBy(parseFilter(text));
  it.run = () => {
    while (it.later.length) it.later.shift()();
  };
  return it;
}

test("without a filter it is the ring itself", () => {
  const it = started();
  it.arrive("1");
  assert.equal(it.shown.source, it.ring);
  assert.deepEqual([it.shown.count, it.shown.total, it.shown.filtered], [1, 1, false]);
});

test("a filter holds for what is there and for what arrives, and ends without a trace", () => {
  const it = started(4);
  for (const raw of ["10", "20", "11"]) it.arrive(raw);
  it.filter("1");
  assert.deepEqual(list(it.shown), ["10", "11"]);
  for (const raw of ["12", "22"]) it.arrive(raw);
  assert.deepEqual(list(it.shown), ["11", "12"]); // 10 had to leave the ring
  assert.deepEqual([it.shown.count, it.shown.total, it.shown.filtered], [2, 4, true]);
  it.filter("");
  assert.equal(it.shown.source, it.ring);
  assert.equal(it.shown.count, 4);
});

test("a long search goes on in slices: the newest are seen first, and it says when it is done", (t) => {
  const it = started(1_000);
  for (const raw of numbers(0, 1_000)) it.arrive(raw);
  slowClock(t, 2);
  it.filter("9");
  assert.equal(it.shown.searching, true);
  const first = list(it.shown);
  assert.ok(first.length > 0 && first.length < 100, `${first.length}`);
  assert.equal(first.at(-1), "999");
  it.arrive("1009");
  it.run();
  assert.equal(it.shown.searching, false);
  assert.deepEqual(list(it.shown), [...numbers(0, 1_000), "1009"].filter((raw) => raw.includes("9")));
  assert.equal(it.shown.count, 272);
});

test("another filter ends the search for the one before", (t) => {
  const it = started(1_000);
  for (const raw of numbers(0, 1_000)) it.arrive(raw);
  slowClock(t, 2);
  it.filter("9");
  it.filter("8");
  const waiting = it.later.length;
  it.later.shift()();
  assert.equal(it.later.length, waiting - 1, "the first search does not go on");
  it.run();
  assert.equal(it.shown.count, 271);
});

test("a copy that stands still is filtered as well, and shows nothing by halves", (t) => {
  const it = started(1_000);
  for (const raw of numbers(0, 1_000)) it.arrive(raw);
  it.shown.show(it.ring.snapshot());
  slowClock(t, 2);
  it.filter("9");
  assert.equal(it.shown.source.length, 1_000, "the old stays until all is found");
  it.arrive("1009");
  it.run();
  assert.equal(it.shown.count, 271);
  it.arrive("1019");
  assert.equal(it.shown.count, 271);
  it.shown.show(it.ring);
  it.run();
  assert.deepEqual(list(it.shown).slice(-2), ["1009", "1019"]);
});

test("subjects of NATS itself are counted, and hidden on request, with a filter too", () => {
  const it = started();
  for (const subject of ["$SYS.x", "a", "_INBOX.x", "b$", "a._INBOX"]) it.arrive("1", subject);
  assert.deepEqual([it.shown.system, it.shown.count], [2, 5]);
  it.shown.hideSystem(true);
  assert.deepEqual([it.shown.system, it.shown.count, it.shown.total], [2, 3, 5]);
  it.arrive("2", "$JS.ack");
  it.arrive("2", "c");
  assert.deepEqual([it.shown.system, it.shown.count], [3, 4]);
  it.filter("2");
  assert.deepEqual(list(it.shown), ["2"]);
  it.filter("");
  it.shown.hideSystem(false);
  assert.equal(it.shown.source, it.ring);
});

test("system messages that leave the ring are no longer counted", () => {
  const it = started(2);
  for (const subject of ["$SYS.x", "$SYS.y", "a", "b"]) it.arrive("1", subject);
  assert.equal(it.shown.system, 0);
});

test("a subject of NATS itself begins with a dollar or as an inbox", () => {
  assert.deepEqual(["$SYS.a", "_INBOX.x", "_INBOX_mine.x", "a.$SYS", "_inbox.x", ""].map((subject) => isSystem({ subject })), [
    true, true, true, false, false, false,
  ]);
});

// Each look at the clock takes some milliseconds, as on a slow machine.
function slowClock(t, milliseconds) {
  let now = 0;
  t.mock.method(performance, "now", () => (now += milliseconds));
}
