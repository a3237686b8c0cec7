import assert from "node:assert/strict";
import test from "node:test";
import { Matches } from "../../../page/js/model/matches.js";
import { Ring } from "../../../page/js/model/ring.js";

const LATER = Infinity;
const AT_ONCE = 0; // a time long past: the scan stops as soon as it looks at the clock
const even = { matches: ({ number }) => number % 2 === 0 };
const message = (number) => ({ kind: "message", raw: "x", number });
const note = { kind: "note", raw: "" };
const list = (source) => Array.from({ length: source.length }, (_, index) => source.at(index));

function ringOf(size, ...entries) {
  const ring = new Ring(size);
  for (const entry of entries) ring.push({ ...entry });
  return ring;
}

test("it finds what was there and takes what comes, in order", () => {
  const ring = ringOf(10, ...[1, 2, 3, 4].map(message));
  const matches = new Matches(ring, even);
  for (const number of [5, 6]) {
    const entry = message(number);
    ring.push(entry);
    matches.push(entry);
  }
  assert.deepEqual(list(matches).map(({ number }) => number), [6]);
  assert.equal(matches.scan(LATER), true);
  assert.deepEqual(list(matches).map(({ number }) => number), [2, 4, 6]);
  assert.equal(matches.shown, 3);
  assert.deepEqual([matches.at(-1), matches.at(3)], [undefined, undefined]);
});

test("the newest of each subject is known, whatever came first, and forgotten with it", () => {
  const entry = (subject, number) => ({ ...message(number), subject });
  const ring = ringOf(5, entry("a", 2), entry("b", 4), entry("a", 6), entry("a", 7), entry("b", 9));
  const matches = new Matches(ring, even);
  const newest = () => Object.fromEntries([...matches.newest].map(([subject, { number }]) => [subject, number]));
  const add = (...made) => {
    ring.push(entry(...made));
    matches.push(ring.at(ring.length - 1));
    matches.trim(ring.firstSeq);
  };
  matches.scan(LATER);
  assert.deepEqual(newest(), { a: 6, b: 4 });
  add("b", 8);
  assert.deepEqual(newest(), { a: 6, b: 8 });
  add("c", 1);
  add("c", 1);
  assert.deepEqual(newest(), { b: 8 });
});

test("notes always match and are not counted", () => {
  const matches = new Matches(ringOf(10, message(1), note, message(2)), even);
  matches.scan(LATER);
  assert.deepEqual(list(matches).map(({ kind }) => kind), ["note", "message"]);
  assert.equal(matches.shown, 1);
  matches.push({ ...note, seq: 3 });
  assert.equal(matches.shown, 1);
  matches.trim(4);
  assert.deepEqual([matches.length, matches.shown], [0, 0]);
});

test("an empty source, and one that has lost everything meanwhile, has nothing to find", () => {
  const ring = ringOf(2);
  assert.equal(new Matches(ring, even).scan(AT_ONCE), true);
  ring.push(message(2));
  const matches = new Matches(ring, even);
  for (const number of [4, 6]) ring.push(message(number));
  assert.equal(matches.scan(LATER), true);
  assert.equal(matches.length, 0);
});

test("a scan stops in time and goes on where it stopped", () => {
  const matches = new Matches(ringOf(1_000, ...Array.from({ length: 1_000 }, (_, n) => message(n))), even);
  let slices = 1;
  while (!matches.scan(AT_ONCE)) slices += 1;
  assert.ok(slices > 50, `${slices} slices`);
  assert.equal(matches.shown, 500);
  assert.equal(matches.scan(AT_ONCE), true);
  assert.equal(matches.shown, 500);
});

test("the clock is looked at after each long payload", () => {
  const long = { ...message(2), raw: "x".repeat(70_000) };
  const matches = new Matches(ringOf(9, ...Array.from({ length: 9 }, () => long)), even);
  matches.scan(AT_ONCE);
  assert.equal(matches.shown, 1);
});

test("it always is what filtering all of the ring would give", () => {
  let state = 7;
  const chance = (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
  for (let round = 0; round < 40; round += 1) {
    const size = [1, 3, 50, 3_000][round % 4];
    const ring = new Ring(size);
    let matches = new Matches(ring, even);
    let done = true;
    for (let step = 0; step < 4 * size + 20; step += 1) {
      const entry = chance(9) ? message(chance(100)) : { ...note };
      ring.push(entry);
      matches.push(entry);
      matches.trim(ring.firstSeq);
      if (!chance(size)) [matches, done] = [new Matches(ring, even), false];
      if (!done && !chance(3)) done = matches.scan(chance(2) ? AT_ONCE : LATER);
      if (step % 97 === 0 && done) assertSame(matches, ring);
    }
    matches.scan(LATER);
    assertSame(matches, ring);
  }
});

function assertSame(matches, ring) {
  const wanted = list(ring).filter(({ kind, number }) => kind === "note" || number % 2 === 0);
  const seqs = wanted.map(({ seq }) => seq);
  assert.deepEqual(list(matches).map(({ seq }) => seq), seqs);
  assert.equal(matches.shown, wanted.filter(({ kind }) => kind === "message").length);
  seqs.forEach((seq, index) => assert.equal(matches.indexOf(seq), index));
  for (const seq of [-1, ring.firstSeq - 1, ring.firstSeq + ring.length]) assert.equal(matches.indexOf(seq), -1);
  for (const { seq } of list(ring)) if (!seqs.includes(seq)) assert.equal(matches.indexOf(seq), -1);
}
