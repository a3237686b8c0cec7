import assert from "node:assert/strict";
import test from "node:test";
import { describePayload, parseHeaders } from "../../../page/js/model/outgoing.js";

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
