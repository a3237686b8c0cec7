import assert from "node:assert/strict";
import test from "node:test";
import { Rights, covers } from "../../../page/js/model/rights.js";

test("a grant covers a pattern if it covers each subject of it", () => {
  const yes = [[">", ">"], [">", "a.*"], ["a.>", "a.>"], ["a.>", "a.b.*"], ["a.*", "a.b"], ["a.*", "a.*"], ["*.b", "a.b"], ["a", "a"]];
  const no = [["a.>", "a"], ["a.>", ">"], ["a.>", "*.b"], ["a.*", "a.>"], ["a.*", "a.b.c"], ["*.>", ">"], ["*", ">"], ["a", "b"], ["a.b", "a.*"]];
  for (const [grant, pattern] of yes) assert.ok(covers(grant, pattern), `${grant} ${pattern}`);
  for (const [grant, pattern] of no) assert.ok(!covers(grant, pattern), `${grant} ${pattern}`);
});

test("what may be followed is told where it is not everything", () => {
  const rights = (allow, deny = []) => new Rights({ allow, deny });
  assert.deepEqual([rights([">"]).all, rights([">"]).sentence], [true, ""]);
  assert.equal(rights(["orders.>"]).sentence, "You may follow orders.>.");
  assert.equal(rights(["a", "b", "c", "d", "e"]).sentence, "You may follow a, b, c and 2 more.");
  assert.equal(rights([]).sentence, "You may follow nothing.");
  assert.ok(rights(["orders.>"], ["orders.secret"]).mayFollow("orders.*"));
  assert.ok(!rights(["orders.>"], ["orders.secret.>"]).mayFollow("orders.secret.x"));
  assert.ok(!rights(["orders.>"]).mayFollow("test.subject"));
});
