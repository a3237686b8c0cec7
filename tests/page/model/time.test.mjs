import assert from "node:assert/strict";
import test from "node:test";
import { clock, clockExact, date, dayOf, isIn, longDate, moment, momentExact, span, useZone } from "../../../page/js/model/time.js";

const at = (...fields) => new Date(2026, ...fields).getTime();
const now = (t, time) => t.mock.method(Date, "now", () => time);

test("times are local and of fixed width", () => {
  assert.equal(clock(at(0, 2, 3, 4, 5, 6)), "03:04:05");
  assert.equal(clockExact(at(0, 2, 3, 4, 5, 6)), "03:04:05.006");
});

test("dates are written so that no country reads them in another way", () => {
  assert.equal(date(at(10, 27, 12)), "27 Nov 2026");
  assert.equal(longDate(at(10, 27, 12)), "Friday, 27 November 2026");
});

test("a moment of today is a time, one of another day has its date, of another year that, too", (t) => {
  now(t, at(10, 27, 12));
  assert.equal(moment(at(10, 27, 0, 0, 0)), "00:00:00");
  assert.equal(momentExact(at(10, 26, 23, 59, 59, 999)), "26 Nov, 23:59:59.999");
  assert.equal(moment(at(10, 28, 1, 2, 3)), "28 Nov, 01:02:03");
  assert.equal(moment(new Date(2025, 10, 27, 1, 2, 3).getTime()), "27 Nov 2025, 01:02:03");
});

test("what is written of today is written anew tomorrow", (t) => {
  const time = at(10, 27, 12, 0, 0);
  const clockOfDay = now(t, time);
  assert.equal(moment(time), "12:00:00");
  clockOfDay.mock.mockImplementation(() => at(10, 28, 0, 0, 0));
  assert.equal(moment(time), "27 Nov, 12:00:00");
});

test("a span says the day once if both ends are in it", (t) => {
  now(t, at(10, 27, 12));
  assert.equal(span(at(10, 27, 8, 0, 0), at(10, 27, 8, 0, 9)), "08:00:00 – 08:00:09");
  assert.equal(span(at(10, 26, 8, 0, 0), at(10, 26, 8, 0, 9)), "26 Nov, 08:00:00 – 08:00:09");
  assert.equal(span(at(10, 26, 23, 58, 1), at(10, 27, 0, 3, 10)), "26 Nov, 23:58:01 – 27 Nov, 00:03:10");
});

test("a day is one of the zone that the reader has chosen", (t) => {
  t.after(() => useZone("local"));
  useZone("utc");
  const time = Date.UTC(2026, 10, 27, 23, 30);
  const day = dayOf(time);
  assert.deepEqual([day.start, day.end], [Date.UTC(2026, 10, 27), Date.UTC(2026, 10, 28)]);
  assert.equal(longDate(time), "Friday, 27 November 2026 UTC");
  assert.deepEqual([isIn(day, day.start), isIn(day, day.end), isIn(day, day.start - 1)], [true, false, false]);
  useZone("local");
  assert.equal(isIn(day, time), false);
});
