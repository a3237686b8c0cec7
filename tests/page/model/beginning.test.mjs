import assert from "node:assert/strict";
import test from "node:test";
import { Beginning } from "../../../page/js/model/beginning.js";
import { Matches } from "../../../page/js/model/matches.js";
import { Ring } from "../../../page/js/model/ring.js";

const texts = (source) => Array.from({ length: source.length }, (_, index) => source.at(index).text ?? source.at(index).raw);
const push = (ring, ...raws) => raws.forEach((raw) => ring.push({ kind: "message", raw, time: 7 }));

test("a note stands where the hole is: before the oldest that is kept, and only if there is one", () => {
  const ring = new Ring(2);
  const source = new Beginning(ring, ring);
  push(ring, "a", "b");
  assert.deepEqual(texts(source), ["a", "b"]);
  push(ring, "c");
  assert.deepEqual(texts(source), ["1 message before this was not kept", "b", "c"]);
  for (let n = 0; n < 1_200; n += 1) push(ring, "x");
  assert.deepEqual(texts(source), ["1,201 messages before this were not kept", "x", "x"]);
  assert.equal(source.at(3), undefined);
  ring.clear();
  push(ring, "d");
  assert.deepEqual(texts(source), ["d"]);
});

test("every entry is found at its place, also where they are filtered", () => {
  const ring = new Ring(3);
  push(ring, "a", "b", "c", "b");
  const matches = new Matches(ring, { matches: ({ raw }) => raw === "b" });
  matches.scan();
  const source = new Beginning(matches, ring);
  assert.equal(source.length, 3);
  for (let index = 0; index < source.length; index += 1) assert.equal(source.indexOf(source.at(index).seq), index);
  assert.equal(source.indexOf(2), -1);
  assert.equal(source.indexOf(-2), -1);
});
