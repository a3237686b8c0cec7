import assert from "node:assert/strict";
import test from "node:test";
import { Standing } from "../../../page/js/model/standing.js";

test("a held order keeps its rows, puts new ones at the end, and says how many would move", () => {
  const standing = new Standing();
  const take = (rows, held) => {
    standing.take([...rows], held);
    return [standing.rows.join(""), standing.moves];
  };
  assert.deepEqual(take("abc", false), ["abc", 0]);
  assert.deepEqual(take("cba", true), ["abc", 2]);
  assert.deepEqual(take("xcba", true), ["abcx", 4]);
  assert.deepEqual(take("xca", true), ["acx", 2]);
  assert.deepEqual(take("xca", false), ["xca", 0]);
});
