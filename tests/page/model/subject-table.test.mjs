import assert from "node:assert/strict";
import test from "node:test";
import v8 from "node:v8";
import vm from "node:vm";
import { Client } from "../../../page/js/client.js";
import { FakeWebSocket } from "../support/fake-websocket.mjs";
import { SubjectTable } from "../../../page/js/model/subject-table.js";

function message(subject, raw = "1", time = 0) {
  return { kind: "message", subject, raw, encoding: "json", time, hue: 3, seq: 0 };
}

function subjects(table) {
  return table.rows.map(({ subject }) => subject).sort();
}

function counted(table) {
  return table.rows.reduce((sum, { count }) => sum + count, table.others.count);
}

test("each subject has one row, with its count, colour and newest message", () => {
  const table = new SubjectTable();
  const messages = ["a", "b", "a"].map((subject, n) => message(subject, String(n)));
  for (const each of messages) table.record(each);
  assert.deepEqual(subjects(table), ["a", "b"]);
  const [{ count, hue, last }] = table.rows;
  assert.deepEqual([count, hue, last], [2, 3, messages[2]]);
  assert.deepEqual(table.others, { count: 0, subjects: 0 });
});

test("rows have numbers that no other row ever has", () => {
  const table = new SubjectTable(2);
  const seen = new Set();
  for (const subject of ["a", "b", "c", "a", "d"]) {
    table.record(message(subject));
    seen.add(table.rows.find((row) => row.subject === subject).seq);
  }
  assert.equal(seen.size, 5);
});

test("5,001 subjects leave 5,000 rows, and the count of the other is kept", () => {
  const table = new SubjectTable();
  for (let n = 0; n < 5_001; n += 1) table.record(message(`s.${n}`));
  assert.equal(table.rows.length, 5_000);
  assert.deepEqual(table.others, { count: 1, subjects: 1 });
});

test("however many subjects come, no message is left uncounted", () => {
  const table = new SubjectTable(50);
  for (let n = 0; n < 10_000; n += 1) table.record(message(`s.${(n * 7919) % 311}`));
  assert.equal(table.rows.length, 50);
  assert.equal(new Set(subjects(table)).size, 50);
  assert.equal(counted(table), 10_000);
});

test("subjects seen once do not drive out those that come again and again", () => {
  const table = new SubjectTable(10);
  for (let n = 0; n < 1_000; n += 1) {
    table.record(message("steady"));
    table.record(message(`once.${n}`));
  }
  assert.equal(table.rows.find(({ subject }) => subject === "steady").count, 1_000);
});

test("a subject that comes back after it left is counted anew", () => {
  const table = new SubjectTable(1);
  for (const subject of ["a", "a", "b", "a"]) table.record(message(subject));
  assert.equal(table.rows[0].count, 1);
  assert.deepEqual(table.others, { count: 3, subjects: 2 });
});

test("last messages together have a limit, and the newest one always stays", () => {
  const table = new SubjectTable(100, 1_000);
  for (let n = 0; n < 20; n += 1) table.record(message(`s.${n}`, "x".repeat(100)));
  assert.equal(table.rows.length, 10);
  table.record(message("big", "x".repeat(2_000)));
  assert.deepEqual(subjects(table), ["big"]);
  table.record(message("small", "x"));
  assert.deepEqual(subjects(table), ["small"]);
  assert.equal(counted(table), 22);
});

test("a row whose messages grow is not the one to leave", () => {
  const table = new SubjectTable(100, 1_000);
  for (const subject of ["a", "b", "c"]) table.record(message(subject, "x".repeat(300)));
  table.record(message("a", "x".repeat(900)));
  assert.deepEqual(subjects(table), ["a"]);
});

test("a rate follows what comes and falls when nothing does", () => {
  const table = new SubjectTable();
  const rates = [];
  for (let second = 0; second < 40; second += 1) {
    for (let n = 0; n < 12 && second < 20; n += 1) table.record(message("a"));
    table.tick();
    rates.push(table.rows[0].rate);
  }
  assert.ok(Math.abs(rates[19] - 12) < 0.1, rates[19]);
  assert.ok(rates[21] < rates[19] && rates[21] > 0);
  assert.ok(rates[39] < 0.01, rates[39]);
});

test("a rate is per second also when a tick is late", () => {
  const table = new SubjectTable();
  for (let tick = 0; tick < 5; tick += 1) {
    for (let n = 0; n < 600; n += 1) table.record(message("a"));
    table.tick(60);
  }
  assert.ok(Math.abs(table.rows[0].rate - 10) < 0.1);
});

test("a snapshot stands still", () => {
  const table = new SubjectTable(2);
  table.record(message("a"));
  const copy = table.snapshot(1234);
  for (const subject of ["a", "b", "c"]) table.record(message(subject));
  assert.deepEqual(copy.rows.map(({ subject, count }) => [subject, count]), [["a", 1]]);
  assert.deepEqual([copy.others, copy.time], [{ count: 0, subjects: 0 }, 1234]);
});

test("cleared, it begins anew", () => {
  const table = new SubjectTable(2, 500);
  for (let n = 0; n < 5; n += 1) table.record(message(`s.${n}`, "x".repeat(200)));
  table.clear();
  assert.deepEqual([table.rows, table.others], [[], { count: 0, subjects: 0 }]);
  table.record(message("a", "x".repeat(200)));
  table.record(message("b", "x".repeat(200)));
  assert.deepEqual(subjects(table), ["a", "b"]);
});

test("what a row keeps does not hold on to the frame it came in", (t) => {
  v8.setFlagsFromString("--expose-gc");
  const collect = vm.runInNewContext("gc");
  const table = new SubjectTable();
  const client = new Client({ url: "ws://host/stream", WebSocket: FakeWebSocket });
  t.after(() => client.close());
  const socket = FakeWebSocket.made.at(-1);
  let place = 0;
  client.addEventListener("messages", ({ detail }) => {
    const { subject, raw, encoding } = detail[place];
    table.record({ kind: "message", subject, raw, encoding, time: 0, hue: null });
  });
  socket.begin();
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; n < 1_000; n += 1) {
    const lines = Array.from({ length: 200 }, (_, k) => `{"subject":"telemetry.${n}.${k}","data":"${"x".repeat(300)}"}`);
    place = n % 200;
    socket.frame(Buffer.from(lines.join("\x1e")).toString());
  }
  table.tick(); // these have just come
  table.tick();
  collect();
  const grown = process.memoryUsage().heapUsed - before;
  assert.equal(table.rows.length, 1_000);
  assert.ok(grown < 10e6, `${(grown / 1e6).toFixed(1)} MB`); // 1,000 frames of 70 kB would be 70
});

test("what was cleared comes back, with what has come since added to it", () => {
  const table = new SubjectTable();
  for (const subject of ["a", "a", "b"]) table.record(message(subject));
  const undo = table.clear();
  assert.deepEqual([table.rows, table.others], [[], { count: 0, subjects: 0 }]);
  table.record(message("a", "new"));
  table.record(message("c"));
  undo();
  const figures = Object.fromEntries(table.rows.map(({ subject, count }) => [subject, count]));
  assert.deepEqual(figures, { a: 3, b: 1, c: 1 });
  assert.equal(table.rows.find(({ subject }) => subject === "a").last.raw, "new");
});

test("what is replayed counts, is no news, and does not take the place of what is newer", () => {
  const table = new SubjectTable();
  const at = (seq, replay) => ({ ...message("a", String(seq), seq), stored: { seq, stream: "S", epoch: "e", replay } });
  table.record(at(9, false));
  for (const seq of [7, 9, 8]) table.record(at(seq, true));
  const [row] = table.rows;
  assert.deepEqual([row.count, row.replayed, row.last.raw], [4, 3, "9"]);
  table.tick();
  assert.equal(row.rate, null, "one message that is new is no rate");
  table.clear()();
  const [back] = table.rows;
  assert.deepEqual([back.count, back.replayed, back.last.raw, back.arrived], [4, 3, "9", 0]);
});
