import assert from "node:assert/strict";
import test from "node:test";
import { payloadSize } from "../../../page/js/model/payload.js";
import { Rates, smoothed } from "../../../page/js/model/rates.js";

const NOON = 1_767_268_800_000;

function arrive(rates, number, second, raw = "12345") {
  for (let n = 0; n < number; n += 1) {
    rates.record({ kind: "message", raw, encoding: "json", time: NOON + second * 1000 + (n % 1000) });
  }
}

test("there are sixty whole seconds, oldest first, without the one that runs", () => {
  const rates = new Rates();
  arrive(rates, 7, 0);
  arrive(rates, 9, 1);
  const { counts, messages, bytes, peak } = rates.at(NOON + 1_500);
  assert.equal(counts.length, 60);
  assert.deepEqual(counts.slice(-2), [0, 7]);
  assert.deepEqual([messages, bytes, peak], [7, 35, 7]);
});

test("a burst of five seconds is a peak until it is a minute old", () => {
  const rates = new Rates();
  for (let second = 0; second < 30; second += 1) arrive(rates, second >= 10 && second < 15 ? 500 : 2, second);
  const soon = rates.at(NOON + 30_000);
  assert.deepEqual([soon.peak, soon.messages], [500, 2]);
  assert.equal(soon.counts.filter((number) => number === 500).length, 5);
  assert.equal(rates.at(NOON + 74_000).peak, 500);
  assert.equal(rates.at(NOON + 75_000).peak, 2);
  assert.deepEqual(rates.at(NOON + 200_000).counts, new Array(60).fill(0));
});

test("seconds are told apart by when messages came, not by when somebody looks", () => {
  const rates = new Rates();
  for (let second = 0; second < 50; second += 1) arrive(rates, second, second);
  assert.deepEqual(rates.at(NOON + 50_000).counts.slice(10), Array.from({ length: 50 }, (_, second) => second));
});

test("a clock that is set back or forward does no harm", () => {
  const rates = new Rates();
  arrive(rates, 5, 0);
  assert.deepEqual([rates.at(NOON - 3_600_000).peak, rates.at(NOON + 9e12).peak], [0, 0]);
  arrive(rates, 3, 0);
  assert.equal(rates.at(NOON + 1_000).messages, 3);
});

test("a message stamped a moment before the last look is not lost", () => {
  const rates = new Rates();
  rates.at(NOON + 1_000);
  arrive(rates, 4, 0);
  assert.equal(rates.at(NOON + 2_000).messages, 4);
});

test("messages that are late by seconds are no peak, and older ones than a minute are in no second", () => {
  const rates = new Rates();
  const now = NOON + 100_000;
  for (let second = 30; second < 100; second += 1) {
    rates.record({ kind: "message", raw: "1", encoding: "json", time: NOON + second * 1000 - 3_600_000, skew: 3_600_000 }, now);
  }
  const { counts, peak } = rates.at(now);
  assert.equal(peak, 1);
  assert.deepEqual(counts, new Array(60).fill(1));
});

test("bytes are exact for binary payloads, characters otherwise", () => {
  const sizes = [
    { raw: '{"a":1}', encoding: "json" },
    { raw: '"hello"', encoding: "text" },
    { raw: '""', encoding: "text" },
    ...["", "a", "ab", "abc", "abcd"].map((text) => ({ raw: JSON.stringify(btoa(text)), encoding: "base64" })),
  ].map(payloadSize);
  assert.deepEqual(sizes, [7, 5, 0, 0, 1, 2, 3, 4]);
});

test("a smoothed rate reaches what is measured, and nought", () => {
  let rate = 0;
  for (let n = 0; n < 20; n += 1) rate = smoothed(rate, 100);
  assert.ok(Math.abs(rate - 100) < 0.1);
  for (let n = 0; n < 20; n += 1) rate = smoothed(rate, 0);
  assert.equal(rate, 0);
});
