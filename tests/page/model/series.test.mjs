import assert from "node:assert/strict";
import test from "node:test";
import { valuesOf } from "../../../page/js/model/json-view.js";
import { Ring } from "../../../page/js/model/ring.js";
import { Series, exactText } from "../../../page/js/model/series.js";

const message = (raw, subject = "a", time = 0) => ({ kind: "message", subject, raw, encoding: "json", time });
const placeOf = (raw, text) => [...valuesOf(raw)].find((token) => token.text === text).place;
const PRICE = placeOf('{"price":1}', "1");
const priced = (value) => message(`{"price":${value}}`);
const values = (series) => series.points.map(({ value }) => value);

function ring(messages, most = 100) {
  const full = new Ring(most);
  messages.forEach((each) => full.push(each));
  return full;
}

test("the numbers at a place come from the messages of one subject, oldest first", () => {
  const place = placeOf('{"items":[{"price":7}]}', "7");
  const source = ring([
    message('{"items":[{"price":1.5}]}'),
    message('{"items":[{"price":2}]}', "b"),
    { kind: "note", text: "gap", raw: "" },
    message('{"items":[]}'),
    message('{"items":[{"price":"3"}]}'),
    message('{"items":null}'),
    message('{"items":[{"price":1e999}]}'),
    { ...message('"text"'), encoding: "text" },
    message('{"items":[{"price":-4}]}'),
  ]);
  const series = new Series("a", place);
  assert.equal(series.scan(source), true);
  assert.deepEqual(values(series), [1.5, -4]);
});

test("a payload that is a number has a plot, and inherited names are no numbers", () => {
  const series = new Series("a", placeOf("5", "5"));
  series.scan(ring([message("5"), message("[]"), message("6")]));
  assert.deepEqual(values(series), [5, 6]);
  const length = new Series("a", placeOf('{"length":1}', "1"));
  length.scan(ring([message("[]"), message('{"length":2}')]));
  assert.deepEqual(values(length), [2]);
  const inherited = new Series("a", placeOf('{"toString":{"length":1}}', "1"));
  inherited.scan(ring([message("{}"), message('{"toString":{"length":2}}')]));
  assert.deepEqual(values(inherited), [2]);
});

test("what arrives is added, what leaves the source leaves the plot", () => {
  const source = ring([1, 2, 3].map(priced), 4);
  const series = new Series("a", PRICE);
  series.scan(source);
  for (const value of [4, 5, 6]) source.push(priced(value));
  series.scan(source);
  assert.deepEqual(values(series), [3, 4, 5, 6]);
});

test("only the newest are looked at, and it says so", () => {
  const source = ring([1, 2, 3, 4, 5].map(priced));
  const series = new Series("a", PRICE, 3);
  series.scan(source);
  assert.deepEqual([values(series), series.cut], [[3, 4, 5], true]);
  for (const value of [6, 7, 8, 9]) source.push(priced(value));
  series.scan(source);
  assert.deepEqual([values(series), series.cut], [[7, 8, 9], true]);
  const all = new Series("a", PRICE, 9);
  all.scan(source);
  assert.deepEqual([values(all), all.cut], [[1, 2, 3, 4, 5, 6, 7, 8, 9], false]);
});

test("messages without the number are looked at no more often than others", () => {
  const source = ring([priced(1), ...Array.from({ length: 10 }, () => message("{}"))]);
  const series = new Series("a", PRICE, 5);
  series.scan(source);
  assert.deepEqual([values(series), series.cut], [[], true]);
});

test("work that runs out of time is taken up again where it stopped", () => {
  const source = ring([1, 2, 3].map(priced));
  const series = new Series("a", PRICE);
  assert.equal(series.scan(source, performance.now()), false);
  assert.deepEqual(values(series), []);
  assert.equal(series.scan(source), true);
  source.push(priced(4));
  assert.equal(series.scan(source, performance.now()), false);
  assert.equal(series.scan(source), true);
  assert.deepEqual(values(series), [1, 2, 3, 4]);
});

test("another source is read from the beginning", () => {
  const source = ring([1, 2, 3].map(priced));
  const series = new Series("a", PRICE);
  series.scan(source);
  series.scan(ring([2, 3].map(priced)));
  assert.deepEqual(values(series), [2, 3]);
});

test("a number is said with every digit it came with", () => {
  const source = ring([priced("9007199254740993"), priced("1.50"), message('{"price":1,"price":2.0}')]);
  const series = new Series("a", PRICE);
  series.scan(source);
  assert.deepEqual(series.points.map((point) => exactText(point, PRICE)), ["9007199254740993", "1.50", "2.0"]);
});

test("a slow subject in a fast stream loses no point while nobody looked", () => {
  const source = ring([priced(1)]);
  const series = new Series("a", PRICE, 10);
  series.scan(source);
  for (let n = 2; n <= 6; n += 1) {
    for (let k = 0; k < 8; k += 1) source.push({ ...message("{}"), subject: "b" });
    source.push(message(`{"price":${n}}`));
  }
  series.scan(source);
  assert.deepEqual(values(series), [1, 2, 3, 4, 5, 6]);
  assert.equal(series.cut, false);
});

test("what is replayed after what is newer stands in the order of its times", () => {
  const source = ring([3, 4, 1, 2].map((time) => message(`{"price":${time}}`, "a", time)));
  const series = new Series("a", PRICE);
  series.scan(source);
  assert.deepEqual(values(series), [1, 2, 3, 4]);
  source.push(message('{"price":0}', "a", 0));
  series.scan(source);
  assert.deepEqual(values(series), [0, 1, 2, 3, 4]);
});
