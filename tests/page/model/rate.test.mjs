import assert from "node:assert/strict";
import test from "node:test";
import { Rate, rateText, roundRate } from "../../../page/js/model/rate.js";

/** The rate after each second in which so many messages came. */
function over(...seconds) {
  const rate = new Rate();
  let [total, time] = [0, 0];
  return seconds.map((arrived, second) => {
    const now = (second + 1) * 1_000;
    total += arrived;
    if (arrived) time = now - 500;
    rate.beat(arrived, 1, { time, total, now });
    return rate.value;
  });
}
const every = (apart, seconds) => Array.from({ length: seconds }, (_, second) => Number(second % apart === 0));

test("one message is no rate", () => {
  assert.deepEqual(over(0, 1, 0, 0), [null, null, null, null]);
  assert.equal(rateText(null), "–");
});

test("a steady rate is right from its first full second on", () => {
  assert.equal(over(400, 1_000)[1], 1_000);
  assert.deepEqual(over(1, 1, 1, 1).slice(1), [1, 1, 1]);
});

test("of slow subjects the time between messages counts, not which second it is", () => {
  for (const apart of [5, 30, 600]) {
    const rates = over(...every(apart, apart * 6 + 1)).slice(apart * 2);
    for (const rate of rates) assert.ok(Math.abs(rate * apart - 1) < 0.01, `${apart} s: ${rate}`);
  }
});

test("who falls silent gets slower, and never faster", () => {
  const rates = over(100, 100, 100, ...Array(120).fill(0)).slice(2);
  for (let at = 1; at < rates.length; at += 1) assert.ok(rates[at] <= rates[at - 1]);
  assert.equal(rateText(rates.at(-1)), "30/h");
});

test("a rate is written in the unit that says most", () => {
  assert.deepEqual([9858.2, 12.4, 9.96, 9.94, 1.54, 1, 0.2, 1 / 60, 1 / 1_200, 1 / 8_000].map(rateText),
    ["9,858/s", "12/s", "10/s", "9.9/s", "1.5/s", "1/s", "12/min", "1/min", "3/h", "<1/h"]);
});

test("what is written alike is alike", () => {
  assert.equal(roundRate(12.4), roundRate(12.1));
  assert.equal(roundRate(0.201), roundRate(0.199));
  assert.ok(roundRate(0.2) < roundRate(1) && roundRate(null) < roundRate(0));
});
