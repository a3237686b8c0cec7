import assert from "node:assert/strict";
import test from "node:test";
import { classify, closeReason, inRequests, mayReturn, request, splitFrame } from "../../page/js/model/protocol.js";

function message(subject, raw, encoding = "json") {
  return { kind: "message", subject, raw, encoding };
}

test("a frame is split into its lines", () => {
  assert.deepEqual(splitFrame('{"a":1}\n{"b":2}\n'), ['{"a":1}', '{"b":2}']);
});

test("a payload is cut out as the text it was", () => {
  for (const raw of ['{"id":9007199254740993, "x":1.0}', "0", "false", "null", '""', "[ ]", '"a\\"}"']) {
    assert.deepEqual(classify(`{"subject":"a.b","data":${raw}}`), message("a.b", raw));
  }
});

test("text and base64 are told from JSON by what stands after the payload", () => {
  assert.deepEqual(classify('{"subject":"a","data":"hi","encoding":"text"}'), message("a", '"hi"', "text"));
  assert.deepEqual(classify('{"subject":"a","data":"/w==","encoding":"base64"}'), message("a", '"/w=="', "base64"));
});

test("a JSON payload that looks like an encoding stays JSON", () => {
  for (const raw of ['{"a":1,"encoding":"text"}', JSON.stringify('x","encoding":"text"}'), '["encoding","text"]']) {
    assert.deepEqual(classify(`{"subject":"a","data":${raw}}`), message("a", raw));
  }
});

test("a subject with escapes is read as the subject it is", () => {
  const subject = 'odd"\\.näme';
  assert.deepEqual(classify(`{"subject":${JSON.stringify(subject)},"data":1}`), message(subject, "1"));
});

test("the other lines are classified by their keys", () => {
  assert.deepEqual(classify('{"dropped": 7}'), { kind: "dropped", count: 7 });
  assert.deepEqual(classify('{"status":"nats_up","gap":true}'), { kind: "status", status: "nats_up", gap: true });
  assert.deepEqual(classify('{"status":"nats_down"}'), { kind: "status", status: "nats_down", gap: false });
  assert.equal(classify('{"success": true, "data": "Successfully connected", "connection_id": "x"}').kind, "greeting");
});

test("a response carries what the page needs to know", () => {
  const line = '{"success":false,"message":"no","code":"denied","subjects":["a"],"id":3}';
  assert.deepEqual(classify(line), {
    kind: "response", success: false, action: undefined, subjects: ["a"], code: "denied", message: "no", id: 3,
  });
});

test("what cannot be read is unknown, never an exception", () => {
  for (const line of ["", "nonsense", "null", "7", "[]", "{}", '{"subject":"a', '{"subject":"a","x":1}']) {
    assert.equal(classify(line).kind, "unknown", line);
  }
});

test("a request is what the gateway reads", () => {
  assert.equal(request("subscribe", ["a"], 5), '{"subjects":["a"],"action":"subscribe","id":5}');
  assert.deepEqual(inRequests([]), []);
});

test("the page stays away after 4500 to 4999 only", () => {
  assert.deepEqual([1000, 1006, 1012, 4008, 4499, 4500, 4501, 4999, 5000].map(mayReturn),
    [true, true, true, true, true, false, false, false, true]);
});

test("a close is explained, and the gateway's own reason fills what is not known", () => {
  assert.equal(closeReason(4501, ""), "The gateway asks for a token.");
  assert.equal(closeReason(4501, "the token has expired"), "The gateway asks for a token: the token has expired.");
  assert.equal(closeReason(4777, "closed for tonight"), "closed for tonight");
  assert.equal(closeReason(1006, ""), "the connection was lost");
});
