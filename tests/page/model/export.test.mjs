import assert from "node:assert/strict";
import test from "node:test";
import { exported, fileName, FORMATS, messagesOf } from "../../../page/js/model/export.js";

const TIME = Date.UTC(2026, 0, 31, 12, 1, 9, 2);
const json = (raw, subject = "s") => ({ kind: "message", subject, raw, encoding: "json", time: TIME });
const text = (payload, subject = "s") => ({ ...json(JSON.stringify(payload), subject), encoding: "text" });
const ODD = [
  "", " ", ",", '"', '""', '","', "\n", "\r\n", "\r", "a\r\nb,\"c\"", "=1+1", "+1", "-1", "-x", "@SUM(A1)", "\t=1", "'x", "\\n",
  "\u2028", "\u0000", "日本語", "😀", "</script>", "ünï", "x".repeat(70_000), '{"time":"x"}', "a=b", "null",
];

const ndjson = async (...messages) => (await exported(messages, "ndjson")).text();
const csv = async (...messages) => (await exported(messages, "csv")).text(); // without the byte order mark

test("a line of NDJSON is the message as on the wire, with its time and its digits", async () => {
  const raw = '{"id":9007199254740993,"x":1.0,"e":1E+2}';
  assert.equal(await ndjson(json(raw)), `{"time":"2026-01-31T12:01:09.002Z","subject":"s","data":${raw}}\n`);
  const binary = { ...json('"AQID"'), encoding: "base64" };
  assert.equal(await ndjson(binary), '{"time":"2026-01-31T12:01:09.002Z","subject":"s","data":"AQID","encoding":"base64"}\n');
});

test("reply subject and headers are exported as on the wire, in CSV as two columns", async () => {
  const headers = [["A", "1"], ["a", "=2"], ["A", "/w==", "base64"]];
  const request = { ...json("1"), reply: "_INBOX.x", headers };
  assert.equal(await ndjson(request),
    `{"time":"2026-01-31T12:01:09.002Z","subject":"s","reply":"_INBOX.x","headers":${JSON.stringify(headers)},"data":1}\n`);
  const [, [, , , , reply, written]] = parseCsv(await csv(request));
  assert.equal(reply, "_INBOX.x");
  assert.deepEqual(JSON.parse(written), headers);
  assert.deepEqual(parseCsv(await csv(json("1")))[1].slice(4), ["", "", "", "", "", ""]);
  const [, row] = parseCsv(await csv({ ...request, reply: "=1+1" }));
  assert.equal(row[4], "'=1+1");
});

test("what a stream knows of a message is exported", async () => {
  const stored = { seq: 7, stream: "ORDERS", epoch: "e1", replay: true, operation: "DEL" };
  const [message, live] = [{ ...json("1"), stored }, { ...json("1"), stored: { ...stored, replay: false, operation: undefined } }];
  assert.match(await ndjson(message), /"subject":"s","stream":"ORDERS","seq":7,"replay":true,"operation":"DEL","data":1}/);
  assert.match(await ndjson(live), /"subject":"s","stream":"ORDERS","seq":7,"data":1}/);
  assert.deepEqual(parseCsv(await csv(message, live)).slice(1).map((row) => row.slice(6)), [["ORDERS", "7", "true", "DEL"], ["ORDERS", "7", "", ""]]);
});

test("odd payloads and subjects come back from NDJSON, one line each", async () => {
  const messages = ODD.flatMap((odd) => [text(odd), json(JSON.stringify({ [odd]: odd }, null, 2).replaceAll("\n", "\r\n")), json("1", odd)]);
  const lines = (await ndjson(...messages)).split("\n");
  assert.equal(lines.pop(), "");
  assert.equal(lines.length, messages.length);
  lines.forEach((line, place) => {
    const { time, subject, data, encoding } = JSON.parse(line);
    assert.equal(line.includes("\r"), false);
    assert.equal(Date.parse(time), TIME);
    assert.equal(subject, messages[place].subject);
    assert.deepEqual(data, JSON.parse(messages[place].raw));
    assert.equal(encoding, messages[place].encoding === "text" ? "text" : undefined);
  });
});

test("odd payloads and subjects come back from CSV", async () => {
  const messages = ODD.flatMap((odd) => [text(odd), json(JSON.stringify(odd)), json("1", odd)]);
  const [head, ...rows] = parseCsv(await csv(...messages));
  assert.deepEqual(head, ["time", "subject", "data", "encoding", "reply", "headers", "stream", "seq", "replay", "operation"]);
  assert.equal(rows.length, messages.length);
  rows.forEach(([time, subject, data, encoding], place) => {
    const message = messages[place];
    assert.equal(Date.parse(time), TIME);
    assert.equal(encoding, message.encoding);
    assert.equal(withoutMark(subject), message.subject);
    assert.equal(withoutMark(data), encoding === "text" ? JSON.parse(message.raw) : message.raw);
  });
});

test("no cell of a CSV begins like a formula", async () => {
  const starts = [
    "=1+1", "+1+1", "-5+cmd|' /C calc'!A0", "-1-1", "--1", "-", "+", "-x", "@x", "\tx", "\rx", "\n=x", '=HYPERLINK("http://x","y")',
    "-1\n=1+1", "-1 ", "-1e", "-.5", "-1,5", "-1.5.2", "-0x10",
  ];
  const rows = parseCsv(await csv(...starts.flatMap((start) => [text(start), json("1", start)])));
  for (const cell of rows.flat()) assert.doesNotMatch(cell, /^[=+\-@\t\r\n]/);
});

test("a number in a CSV is the number it was", async () => {
  const numbers = ["-21.5", "-0", "-5", "21.5", "1E+2", "-1.5e-7", "-12345678901234567890"];
  const rows = parseCsv(await csv(...numbers.map((number) => json(number)), text("-21.5"), text("+1")));
  assert.deepEqual(rows.slice(1).map(([, , data]) => data), [...numbers, "-21.5", "+1"]);
});

test("a CSV begins with a byte order mark, by which Excel knows UTF-8; NDJSON does not", async () => {
  const start = async (format) => new Uint8Array(await (await exported([json('"Zürich"')], format)).slice(0, 3).arrayBuffer());
  assert.deepEqual([...(await start("csv"))], [0xef, 0xbb, 0xbf]);
  assert.equal((await start("ndjson"))[0], "{".charCodeAt(0));
});

test("a CSV quotes as RFC 4180 says, and only where it has to", async () => {
  const [, line] = (await csv(text('say "hi", twice'))).split("\r\n");
  assert.equal(line, '2026-01-31T12:01:09.002Z,s,"say ""hi"", twice",text,,,,,,');
  const [, plain] = (await csv(text("plain"))).split("\r\n");
  assert.equal(plain, "2026-01-31T12:01:09.002Z,s,plain,text,,,,,,");
});

test("nothing to export is a file with no messages in it", async () => {
  assert.equal(await ndjson(), "");
  assert.equal(`\ufeff${await csv()}`, FORMATS.csv.head);
});

test("a long export lets others work meanwhile, tells how far it is, and can be ended", async () => {
  const messages = Array.from({ length: 60_000 }, (_, n) => json(`{"number":${n},"text":"${"x".repeat(200)}"}`));
  const parts = [];
  let turns = 0;
  const timer = setInterval(() => (turns += 1));
  const blob = await exported(messages, "csv", (part) => Boolean(parts.push(part)));
  clearInterval(timer);
  assert.equal((await blob.text()).split("\r\n").length, messages.length + 2);
  assert.ok(parts.length > 3 && turns > 1, `${parts.length} parts, ${turns} turns`);
  assert.deepEqual(parts, [...parts].sort((a, b) => a - b));
  assert.equal(parts.at(-1), 1);
  assert.equal(await exported(messages, "csv", () => false), null);
});

test("the messages of a source are taken without its notes", () => {
  const entries = [json("1"), { kind: "note", raw: "", text: "gap" }, json("2")];
  assert.deepEqual(messagesOf(entries).map(({ raw }) => raw), ["1", "2"]);
});

test("the file has a name that every system takes", () => {
  assert.equal(fileName("ndjson", TIME), "nats-2026-01-31T12-01-09Z.ndjson");
});

const withoutMark = (cell) => cell.replace(/^'(?=[=+\-@\t\r\n])/, "");

// RFC 4180, read sign by sign.
function parseCsv(file) {
  const rows = [];
  let row = [];
  let at = 0;
  while (at < file.length) {
    let cell = "";
    if (file[at] === '"') {
      for (at += 1; file[at] !== '"' || file[at + 1] === '"'; at += 1) {
        if (file[at] === '"') at += 1;
        cell += file[at];
      }
      at += 1;
    } else {
      const start = at;
      while (file[at] !== "," && file[at] !== "\r") at += 1;
      cell = file.slice(start, at);
    }
    row.push(cell);
    if (file.startsWith("\r\n", at)) {
      rows.push(row);
      row = [];
      at += 2;
    } else {
      assert.equal(file[at], ",");
      at += 1;
    }
  }
  return rows;
}
