import assert from "node:assert/strict";
import test from "node:test";
import { describePayload, parseHeaders, publicationOf } from "../../../page/js/model/outgoing.js";

for (const [payload, text] of [
  ["", "Empty"],
  ['{"a": 1.50}', "JSON, 11 B"],
  ["7", "JSON, 1 B"],
  ["hello", "Text, 5 B"],
  ["für", "Text, 4 B"],
]) {
  test(`${JSON.stringify(payload)} is: ${text}`, () => {
    assert.deepEqual(describePayload(payload), { text, wrong: false });
  });
}

test("what begins like JSON and is none is said, with the place where the browser knows it", () => {
  const { text, wrong } = describePayload('{"a": 1,\n "b" 2}');
  assert.ok(wrong);
  assert.match(text, /^Text, 16 B: it begins like JSON, and is none(: see line 2, column 6)?$/);
});

test("headers are lines, in their order and with repeats", () => {
  const text = "X-Trace: 7\n\n  X-Trace:8  \nX-Empty:\nX-Url: http://a:1/\r\n";
  assert.deepEqual(parseHeaders(text), {
    headers: [["X-Trace", "7"], ["X-Trace", "8"], ["X-Empty", ""], ["X-Url", "http://a:1/"]],
  });
  assert.deepEqual(parseHeaders(""), { headers: [] });
});

for (const line of ["X-Trace 7", ": 7", "X Trace: 7"]) {
  test(`${line} is no header`, () => {
    assert.deepEqual(parseHeaders(`A: 1\n${line}`), { error: 'Line 2 of the headers is not "Name: value".' });
  });
}

test("a message is published again with what can be typed; the rest is named", () => {
  const headers = [["X-A", "1"], ["X-A", ""], ["Nats-Msg-Id", "a"], ["nats-rollup", "all"], ["X-B", "AP8=", "base64"], ["X-C", " x "], ["X-D", "a: b"]];
  const message = { subject: "a.b", raw: '{"n": 1.50}', encoding: "json", headers };
  assert.deepEqual(publicationOf(message), {
    values: { subject: "a.b", payload: '{"n": 1.50}', headers: "X-A: 1\nX-A: \nX-D: a: b", encoding: "" },
    note: "Left out: Nats-Msg-Id, nats-rollup, X-B, X-C.",
  });
  const { values } = publicationOf(message);
  assert.deepEqual(parseHeaders(values.headers).headers, [["X-A", "1"], ["X-A", ""], ["X-D", "a: b"]]);
  const text = (raw) => publicationOf({ subject: "a", raw, encoding: "text" }).values;
  assert.deepEqual([text('"é\\n\\tx"').payload, text('"é\\n\\tx"').encoding], ["é\n\tx", ""]);
  assert.deepEqual([text('"é\\r\\n"').payload, text('"é\\r\\n"').encoding], ["w6kNCg==", "base64"], "a field would make one line break of two signs");
  assert.equal(publicationOf({ subject: "a", raw: '"AP8="', encoding: "base64" }).values.encoding, "base64");
  const long = publicationOf({ subject: "a", raw: JSON.stringify("x".repeat(1_000_001)), encoding: "text" });
  assert.deepEqual([long.values.payload, long.note], ["", "The payload is too long to be edited here."]);
});

test("base64 is described by its bytes", () => {
  assert.deepEqual(describePayload("AP8B", "base64"), { text: "Binary, 3 B", wrong: false });
  assert.deepEqual(describePayload("A", "base64"), { text: "This is no base64", wrong: true });
});
