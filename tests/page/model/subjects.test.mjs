import assert from "node:assert/strict";
import test from "node:test";
import { fault, matcher } from "../../../page/js/model/subjects.js";

test("a pattern covers what NATS would deliver on it", () => {
  const cases = [
    ["a.b", ["a.b"], ["a", "a.b.c", "a.B"]],
    ["a.*", ["a.b"], ["a", "a.b.c", "b.a"]],
    ["*.b", ["a.b"], ["b", "a.c"]],
    ["a.>", ["a.b", "a.b.c"], ["a", "b.a"]],
    [">", ["a", "a.b.c"], []],
    ["*.>", ["a.b"], ["a"]],
    ["a.*.>", ["a.b.c", "a.b.c.d"], ["a.b"]],
    ["*", ["a", "*"], ["a.b"]],
  ];
  for (const [pattern, inside, outside] of cases) {
    const matches = matcher(pattern);
    for (const subject of inside) assert.equal(matches(subject), true, `${pattern} covers ${subject}`);
    for (const subject of outside) assert.equal(matches(subject), false, `${pattern} leaves ${subject}`);
  }
});

test("sound subjects have no fault", () => {
  for (const pattern of ["a", "a.b", "*", ">", "a.*.c", "a.>", "*.*.>", "$SYS.>", "ünï.cödé", "a-b_c:d", "a/b"]) {
    assert.equal(fault(pattern), "", pattern);
  }
});

test("each fault is a sentence that names the part", () => {
  assert.match(fault("a.b*"), /“b\*”/);
  assert.match(fault("a b"), /space/);
  assert.match(fault("a\u0000"), /control character/);
  assert.match(fault(""), /empty part/);
});
