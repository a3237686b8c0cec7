import assert from "node:assert/strict";
import test from "node:test";
import { exported } from "../../../page/js/model/export.js";
import { entryOf, readFile } from "../../../page/js/model/exported-file.js";

const TIME = Date.parse("2026-11-27T12:00:00.123Z");
const message = (facts) => ({ kind: "message", subject: "a.b", encoding: "json", time: TIME, reply: "", headers: [], stored: null, ...facts });

const MESSAGES = [
  message({ raw: '{"id":9007199254740993,"x":1.50}' }),
  message({ raw: '"a \\",\\"data\\": b"', encoding: "text", reply: "_INBOX.x" }),
  message({ raw: '"AP8B"', encoding: "base64" }),
  message({ raw: '{"encoding":"text"}', subject: 'od"d', headers: [["A", ',"data":1'], ["B", "AA==", "base64"]] }),
  message({ raw: '"json"', stored: { stream: "ORDERS", seq: 7, epoch: undefined, replay: true, operation: "DEL" } }),
  message({ raw: '{"n":[1,2]}', time: TIME + 86_400_000 }),
];

async function fileOf(messages, more = "") {
  return new Blob([await exported(messages, "ndjson"), more]);
}

test("what was exported is read again, digit for digit, with all that came beside it", async () => {
  const { source, messages, bad, from, to, table } = await readFile(await fileOf(MESSAGES));
  const entries = Array.from({ length: source.length }, (_, index) => source.at(index));
  const read = entries.filter(({ kind }) => kind === "message");
  const facts = ({ subject, raw, encoding, time, reply, headers }) => ({ subject, raw, encoding, time, reply, headers });
  assert.deepEqual(read.map(facts), MESSAGES.map(facts));
  const { stream, seq, replay, operation } = read[4].stored;
  assert.deepEqual([stream, seq, replay, operation], ["ORDERS", 7, true, "DEL"]);
  assert.equal(read[0].stored, null);
  assert.deepEqual([messages, bad, from, to], [6, 0, TIME, TIME + 86_400_000]);
  assert.equal(entries.filter(({ about }) => about === "day").length, 1);
  assert.deepEqual(table.rows.map(({ subject, count }) => [subject, count]), [["a.b", 5], ['od"d', 1]]);
});

test("lines that are no messages are counted and do no harm", async () => {
  const lines = ['{"subject":"a"}', "nonsense", '{"time":"x","subject":"a","data":1}', '{"time":"2026-11-27T12:00:00Z","subject":7,"data":1}',
    '{"time":"2026-11-27T12:00:00Z","subject":"a","data":{"a":}}', '{"time":"2026-11-27T12:00:00Z","subject":"a","data":1,"encoding":"text"}'];
  for (const line of lines) assert.equal(entryOf(line), null, line);
  const { messages, bad } = await readFile(await fileOf(MESSAGES, `${lines.join("\r\n")}\n\n`));
  assert.deepEqual([messages, bad], [6, 6]);
  const empty = await readFile(new Blob([""]));
  assert.deepEqual([empty.messages, empty.bad], [0, 0]);
});

test("characters stay whole where the file comes in parts", async () => {
  const raw = JSON.stringify("é😀".repeat(60_000));
  const { source } = await readFile(await fileOf([message({ raw }), message({ raw: "1" })]));
  assert.equal(source.at(0).raw, raw);
  assert.equal(source.at(1).raw, "1");
});
