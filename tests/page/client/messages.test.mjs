import assert from "node:assert/strict";
import test from "node:test";
import { connected } from "../support/fake-websocket.mjs";

function read(t, line) {
  const it = connected(t);
  it.socket.frame(line);
  const [[message] = []] = it.ofType("messages");
  return message && { subject: message.subject, raw: message.raw, encoding: message.encoding };
}

function message(subject, raw, encoding = "json") {
  return { subject, raw, encoding };
}

test("the messages of a frame come together", (t) => {
  const it = connected(t);
  it.socket.frame('{"subject":"a","data":1}\x1e{"subject":"b","data":2}\x1e');
  const batches = it.ofType("messages").map((batch) => batch.map(({ subject }) => subject));
  assert.deepEqual(batches, [["a", "b"]]);
});

test("a time alone is read like a time among others", (t) => {
  const time = "2026-03-01T12:00:00.123Z";
  const cases = [
    [`"time":"${time}"`, time, undefined],
    [`"time":"${time}","reply":"r"`, time, "r"],
    ['"time":"12","reply":"0123456789a"', "12", "0123456789a"], // as long as a time alone
  ];
  for (const [keys, told, reply] of cases) {
    const it = connected(t);
    it.socket.frame(`{"subject":"a",${keys},"data":1}`);
    const [[message]] = it.ofType("messages");
    assert.deepEqual([message.time, message.reply, message.raw], [told, reply, "1"]);
  }
  assert.equal(cases[2][0].length, cases[0][0].length);
});

test("a notice stands between what came before it and after it", (t) => {
  const it = connected(t);
  it.socket.say({ subject: "a", data: 1 }, { dropped: 7 }, { subject: "a", data: 2 });
  const order = it.told.filter(([type]) => type !== "state").map(([type, detail]) => [type, detail.count ?? detail[0].raw]);
  assert.deepEqual(order, [["messages", "1"], ["dropped", 7], ["messages", "2"]]);
});

test("a payload is cut out as the text it was", (t) => {
  for (const raw of ['{"id":9007199254740993, "x":1.0}', "0", "false", "null", '""', "[ ]", '"a\\"}"']) {
    assert.deepEqual(read(t, `{"subject":"a.b","data":${raw}}`), message("a.b", raw));
  }
});

test("text and base64 are told from JSON by what stands after the payload", (t) => {
  assert.deepEqual(read(t, '{"subject":"a","data":"hi","encoding":"text"}'), message("a", '"hi"', "text"));
  assert.deepEqual(read(t, '{"subject":"a","data":"/w==","encoding":"base64"}'), message("a", '"/w=="', "base64"));
});

test("a JSON payload that looks like an encoding stays JSON", (t) => {
  for (const raw of ['{"a":1,"encoding":"text"}', JSON.stringify('x","encoding":"text"}'), '["encoding","text"]']) {
    assert.deepEqual(read(t, `{"subject":"a","data":${raw}}`), message("a", raw));
  }
});

test("a subject with escapes is read as the subject it is", (t) => {
  const subject = 'odd"\\.näme';
  assert.deepEqual(read(t, `{"subject":${JSON.stringify(subject)},"data":1}`), message(subject, "1"));
});

test("a message that somebody's own callback wrote in another way is read, too", (t) => {
  assert.deepEqual(read(t, '{"subject": "a", "data": {"x": 1}}'), message("a", '{"x":1}'));
  assert.deepEqual(read(t, '{"data": "hi", "encoding": "text", "subject": "a"}'), message("a", '"hi"', "text"));
});

test("the data is the JSON value, the text, or the bytes", (t) => {
  const it = connected(t);
  it.socket.frame([
    '{"subject":"a","data":{"x":[1,null]}}',
    '{"subject":"a","data":null}',
    '{"subject":"a","data":"two\\nlines","encoding":"text"}',
    '{"subject":"a","data":"/wAB","encoding":"base64"}',
    '{"subject":"a","data":"","encoding":"text"}',
  ].join("\x1e"));
  const [received] = it.ofType("messages");
  const data = received.map((each) => each.data);
  assert.deepEqual(data, [{ x: [1, null] }, null, "two\nlines", new Uint8Array([255, 0, 1]), ""]);
  assert.equal(received[0].data, data[0]); // parsed once
});

test("nothing is parsed before it is asked for", (t) => {
  const it = connected(t, "a");
  t.mock.method(JSON, "parse");
  for (let n = 0; n < 100; n += 1) it.socket.frame(`{"subject":"a","data":{"n":${n}}}`);
  assert.equal(it.ofType("messages").length, 100);
  assert.equal(JSON.parse.mock.callCount(), 0);
});

test("time, reply and headers come with a message that has them", (t) => {
  const it = connected(t);
  const [time, headers] = ["2026-03-01T12:00:00.123Z", [["a", ',"data":'], ["A", ""], ["x", "/w==", "base64"]]];
  it.socket.frame([
    JSON.stringify({ subject: "a", time, reply: 'r"\\', headers, data: 0 }).replace(/0}$/, '{"x":1.0,"data":2}}'),
    JSON.stringify({ subject: "b", headers, data: "t", encoding: "text" }),
    '{"subject":"c","data":[1,{"time":2,"data":3}]}',
  ].join("\x1e"));
  const [received] = it.ofType("messages");
  assert.deepEqual(received.map((each) => [each.subject, each.raw, each.encoding, each.time, each.reply, each.headers]), [
    ["a", '{"x":1.0,"data":2}', "json", time, 'r"\\', headers],
    ["b", '"t"', "text", undefined, undefined, headers],
    ["c", '[1,{"time":2,"data":3}]', "json", undefined, undefined, []],
  ]);
});

test("where the same text stands in what somebody's own callback wrote, the line is read as JSON", (t) => {
  assert.deepEqual(read(t, '{"subject":"a","x":{"y":1,"data":2},"data":3}'), message("a", "3"));
  assert.deepEqual(read(t, '{"subject":"a","x":[{"y":1,"data":2}],"data":3}'), message("a", "3"));
});

test("what cannot be read is told, never an exception, and the next line is still taken", (t) => {
  for (const line of ["nonsense", "null", "7", "[]", "{}", '{"subject":"a', '{"subject":"a","x":1}']) {
    const it = connected(t);
    it.socket.frame(`${line}\x1e{"subject":"a","data":1}`);
    assert.deepEqual(it.ofType("error").map(({ code }) => code), ["unreadable"], line);
    assert.equal(it.ofType("messages").length, 1, line);
  }
});

test("a greeting, an empty frame and a fresh token are nothing to tell", (t) => {
  const it = connected(t);
  const before = it.told.length;
  it.socket.say({ success: true, data: "Successfully connected", connection_id: "x" });
  it.socket.say({ success: true, message: "Successfully signed in", action: "token", subjects: [] });
  it.socket.frame("");
  assert.equal(it.told.length, before);
});
