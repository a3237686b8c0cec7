import assert from "node:assert/strict";
import test from "node:test";
import { age, duration } from "../../../page/js/model/duration.js";
import { axisText, extremes, inWords, nearest, scale, thin, ticks } from "../../../page/js/model/plot.js";
import { whole } from "../support/random.mjs";

const box = { left: 10, right: 110, top: 0, bottom: 50 };
const points = (...values) => values.map((value, index) => ({ time: index * 1_000, value }));

test("few points stay as they are, of many the peaks survive in their order", () => {
  const few = points(1, 2, 3);
  assert.equal(thin(few, 10), few);
  const many = points(...Array.from({ length: 5_000 }, () => whole(1_000)));
  many[777].value = 1e6;
  many[3_210].value = -1e6;
  const thinned = thin(many, 600);
  assert.ok(thinned.length <= 600 && thinned.length > 400);
  assert.ok(thinned.includes(many[777]) && thinned.includes(many[3_210]));
  assert.deepEqual(thinned, thinned.toSorted((one, other) => one.time - other.time));
});

test("the extremes are the first of them", () => {
  const [a, b, c, d] = points(2, 5, 2, 5);
  assert.deepEqual(extremes([a, b, c, d]), { low: a, high: b });
});

test("ticks are round, lie between the ends, and are a few", () => {
  assert.deepEqual(ticks(0, 100), [0, 50, 100]);
  assert.deepEqual(ticks(18.2, 24), [20, 22, 24]);
  assert.deepEqual(ticks(-0.3, 0.3), [-0.2, 0, 0.2]);
  assert.deepEqual(ticks(5, 5), [5]);
  assert.deepEqual(ticks(9007199254740992, 9007199254740994), [9007199254740992, 9007199254740994]);
  for (let round = 0; round < 1_000; round += 1) {
    const low = (whole(2_000) - 1_000) / 7;
    const high = low + (1 + whole(10_000)) / 10 ** whole(5);
    const found = ticks(low, high);
    assert.ok(found.length >= 1 && found.length <= 5, `${low} ${high}: ${found}`);
    assert.ok(found.every((tick) => tick >= low - 1e-6 && tick <= high + 1e-6));
  }
});

test("numbers on an axis are short", () => {
  const texts = [0, 1234.5, -0.5, 2.5e12, 1e-7, 1e300].map(axisText);
  assert.deepEqual(texts, ["0", "1,234.5", "-0.5", "2.5e+12", "1e-7", "1e+300"]);
});

test("a point goes where its time and value say", () => {
  const some = points(0, 10, 5);
  const { x, y } = scale(some, box);
  assert.deepEqual(some.map(x), [10, 60, 110]);
  assert.deepEqual(some.map(({ value }) => y(value)), [50, 0, 25]);
});

test("one point, one value, one moment and the largest numbers have places too", () => {
  const one = points(3);
  assert.deepEqual([scale(one, box).x(one[0], 0), scale(one, box).y(3)], [60, 25]);
  const flat = points(7, 7);
  assert.deepEqual(flat.map(({ value }) => scale(flat, box).y(value)), [25, 25]);
  const burst = points(1, 2, 3).map((point) => ({ ...point, time: 5 }));
  assert.deepEqual(burst.map(scale(burst, box).x), [10, 60, 110]);
  const huge = points(-Number.MAX_VALUE, Number.MAX_VALUE);
  assert.deepEqual(huge.map(({ value }) => scale(huge, box).y(value)), [50, 0]);
});

test("no point leaves the picture if the clock was put back", () => {
  for (const times of [[100, 200, 50, 110], [100, 50, 40, 30]]) {
    const some = times.map((time) => ({ time, value: 1 }));
    assert.deepEqual(some.map(scale(some, { ...box, left: 0, right: 90 }).x), [0, 30, 60, 90]);
  }
});

test("the nearest point is found by its place, those of one moment by their height", () => {
  const some = points(0, 10, 5);
  const { x, y } = scale(some, box);
  const at = (point, index) => [x(point, index), y(point.value)];
  assert.deepEqual([0, 30, 40, 84, 86, 500].map((left) => nearest(some, [left, 12], at)), [0, 0, 1, 1, 2, 2]);
  const burst = [3, 4, 5].map((value) => ({ time: 0, value }));
  assert.deepEqual([0, 38, 50].map((top) => nearest(burst, [7, top], ({ value }) => [7, 10 * value])), [0, 1, 2]);
});

test("a plot can be said in words", () => {
  const text = ({ value }) => value.toFixed(1);
  const some = points(18.2, 24, 21.4).map((point, index) => ({ ...point, time: index * 21_000 }));
  assert.equal(inWords("celsius", some, text), "celsius over 42 s: 18.2 to 24.0, last 21.4, 3 messages");
  assert.equal(inWords("x", points(1), text), "x over 0 ms: 1.0 to 1.0, last 1.0, 1 message");
  assert.match(inWords("x", some, text, true), /the newest 3 messages/);
  assert.equal(inWords("x", [], text), "x: no number yet");
});

test("a length of time has one unit or two, an age one", () => {
  const lengths = [-3_600_000, 0, 320, 1_500, 9_940, 9_960, 42_000, 59_999, 65_000, 120_000, 3_605_000, 7_260_000, 90_000_000];
  assert.deepEqual(lengths.map(duration), [
    "0 ms", "0 ms", "320 ms", "1.5 s", "9.9 s", "10 s", "42 s", "1 min", "1 min 5 s", "2 min", "1 h", "2 h 1 min", "1 d 1 h",
  ]);
  assert.deepEqual([-5, 999, 1_000, 59_999, 61_000, 3_599_000, 1e8].map(age), [
    "now", "now", "1 s", "59 s", "1 min", "59 min", "1 d",
  ]);
});
