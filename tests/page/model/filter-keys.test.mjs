import assert from "node:assert/strict";
import test from "node:test";
import { parseFilter, withSubject, withValue } from "../../../page/js/model/filter.js";
import { cpuTime } from "../support/cpu.mjs";

const json = (raw, more = {}) => ({ kind: "message", subject: "s", raw, encoding: "json", time: Date.now(), reply: "", headers: [], ...more });
const text = (payload) => ({ ...json(JSON.stringify(payload)), encoding: "text" });

/** Which of these messages a filter lets through, by their places. */
function through(filter, messages) {
  const { matches, error } = parseFilter(filter);
  assert.equal(error, "", filter);
  return messages.flatMap((message, place) => (matches(message) ? [place] : []));
}

const orders = [
  json('{"level":"error","price":99.5,"customer":{"id":7},"tags":["red","two words"],"id":1}'),
  json('{ "Level" : "ERROR",\n "price" : 100, "customer" : {"name":"x"}, "id" : 7 }'),
  json('{"level":"errors","price":"150.25","nested":[{"deep":{"level":"warn"}}],"id":9007199254740993}'),
  json('{"note":"the \\"level\\":\\"error\\" of it","price":null,"empty":"","ok":true}'),
  text("level:error at http://x:80/y, price>1"),
];

test("key:value is equal, in any depth, whatever the case; and what is no JSON has it as a text", () => {
  const cases = [
    ["level:error", [0, 1, 4]],
    ["-level:error", [2, 3]],
    ["level:warn", [2]],
    ["level:err", [4]],
    ["tags:red", [0]],
    ['tags:"two words"', [0]],
    ["tags:re", []],
    ["price:100", [1]],
    ["price:100.0", [1]],
    ["price:1e2", [1]],
    ["id:9007199254740993", [2]],
    ["id:9007199254740992", []],
    ["price:null", [3]],
    ["ok:TRUE", [3]],
    ['empty:""', [3]],
    ["note:x", []],
    ["level:", [0, 1, 2, 4]],
    ["customer:", [0, 1]],
    ["http://x:80/y", [4]],
    ['"level:error"', [4]],
  ];
  for (const [filter, expected] of cases) assert.deepEqual(through(filter, orders), expected, filter);
});

test("a number is compared, and lies in a range; texts that are numbers count", () => {
  const cases = [
    ["price>100", [2]],
    ["price>=100", [1, 2]],
    ["price<100", [0]],
    ["price<=99.5", [0]],
    ["price:99..101", [0, 1]],
    ["price:-1..1e3", [0, 1, 2]],
    ["-price>100", [0, 1, 3, 4]],
    ["price>1x", []],
    ["price>1", [0, 1, 2]],
    ["price>", [0, 1, 2, 3, 4]],
  ];
  for (const [filter, expected] of cases) assert.deepEqual(through(filter, orders), expected, filter);
});

test("a path asks for a key below others, or for one with dots in it", () => {
  const messages = [
    json('{"id":7,"customer":{"id":8}}'),
    json('{"id":8,"customer":[1,{"x":{"y":2},"id":7}]}'),
    json('{"customer.id":7}'),
    json('{"customer":{"a":{"id":7}},"id":1}'),
    json('{"a":{"customer":{}},"b":{"id":7}}'),
  ];
  assert.deepEqual(through("customer.id:7", messages), [1, 2]);
  assert.deepEqual(through("Customer.ID>=7", messages), [0, 1, 2]);
  assert.deepEqual(through(".id:7", messages), [0, 1, 3, 4]);
});

test("keys are found in whatever way they are written, and nothing else is taken for one", () => {
  assert.deepEqual(through("größe:5", [json('{"gr\\u00f6\\u00dfe":5}'), json('{"größe":5}'), json('{"grosse":5}')]), [0, 1]);
  assert.deepEqual(through("a:b", [json('{"x":"\\"a","y":"b"}'), json('["a","b"]'), json('{"a\\"":"b"}')]), []);
  assert.deepEqual(through("said:a\"b", [json('{"said":"a\\"b"}')]), [0]);
  assert.deepEqual(through("constructor:1", [json('{"a":1}'), json('{"constructor":1}')]), [1]);
});

test("OR has either side, what stands together belongs together, brackets make one of several", () => {
  const messages = [json('"a"'), json('"b"'), json('"a c"'), json('"c b"'), json('"d"')];
  const cases = [
    ["a OR b", [0, 1, 2, 3]],
    ["a c OR d", [2, 4]],
    ["(a OR b) -c", [0, 1]],
    ["-(a OR b)", [4]],
    ["c (a OR (b d) OR -(a OR d))", [2, 3]],
    ['("a" OR /^"d/)', [0, 2, 4]],
    ["OR a OR", [0, 2]],
    ["()", [0, 1, 2, 3, 4]],
    ["a (", []],
    ["or", []],
    ["(subject:s OR header:x) d", [4]],
  ];
  for (const [filter, expected] of cases) assert.deepEqual(through(filter, messages), expected, filter);
  for (const word of ["(a", "a)", ":)", "f(x)", "((", "-(x"]) assert.deepEqual(through(word, [json(`"${word.replace("-", "")}"`)]), word === "-(x" ? [] : [0], word);
});

test("size, age, time of day and kind are of the message", () => {
  const now = Date.now();
  const at = (ms) => json('"é"', { time: now - ms });
  const messages = [at(0), at(120_000), { ...json(`"${"x".repeat(1998)}"`), time: now - 86_500_000 }, { ...text(""), time: 0 }, { ...json('"AP8="'), encoding: "base64" }];
  const cases = [
    ["size>1k", [2]],
    ["size>=2kB", [2]],
    ["size>2K", []],
    ["size:4", [0, 1]],
    ["size:2..5B", [0, 1, 4]],
    ["size<0.001M", [0, 1, 3, 4]],
    ["after:1m", [0, 4]],
    ["before:1m", [1, 2, 3]],
    ["after:1d", [0, 1, 4]],
    ["before:1970-01-02", [3]],
    ["after:1970-01-02T00:00 -after:1m", [1, 2]],
    ["is:binary", [4]],
    ["is:json size<10", [0, 1]],
    ["is:text", [3]],
    ["is:empty OR is:binary", [3, 4]],
    ["after: size>", [0, 1, 2, 3, 4]],
  ];
  for (const [filter, expected] of cases) assert.deepEqual(through(filter, messages), expected, filter);
  for (const [filter, sentence] of [["size>big", /“big” is no size/], ["after:noon", /“noon” is no time/], ["before:25:00", /no time/], ["size:1..2..3", /no size/], ['a:"b', /no end/]]) {
    assert.match(parseFilter(filter).error, sentence, filter);
  }
});

test("a time of day is the last one that was, also after midnight, and the end of a span may be near", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: new Date(2026, 10, 28, 0, 10) });
  const messages = [[27, 23, 49], [27, 23, 51], [27, 23, 56], [28, 0, 9]].map(([day, ...time]) => json("1", { time: new Date(2026, 10, day, ...time).getTime() }));
  assert.deepEqual(through("after:23:50", messages), [1, 2, 3]);
  assert.deepEqual(through("after:23:50 before:23:55", messages), [1]);
  assert.deepEqual(through("after:23:55:59.5 before:0:12", messages), [2, 3]);
});

test("what narrows a filter stands beside all of it", () => {
  assert.equal(withValue("a OR b", '"x":"y"'), '(a OR b) ""x":"y""');
  assert.equal(withSubject("a OR b", "s"), "(a OR b) subject:s");
  assert.equal(withSubject("(a OR b) c", "s", true), "(a OR b) c -subject:s");
});

test("what was found is marked: a key with its value, each side of an OR, and not what is excluded", () => {
  const marked = (filter, payload) => parseFilter(filter).marks.flatMap((find) => [...payload.matchAll(find)].map(([part]) => part));
  assert.deepEqual(marked("level:error", '{"level": "error"} level:error'), ['"level": "error"', "level:error"]);
  assert.deepEqual(marked("price>1 -a OR b", '{"price":12,"a":"b"}'), ['"price":12', "b"]);
  assert.deepEqual(marked("-(a OR -b)", "ab"), ["b"]);
});

test("a filter by key takes a hundred thousand messages in less than 300 ms of CPU", () => {
  const make = (n) => `{"id":${n},"level":"${n % 4 ? "info" : "error"}","price":${n % 1000},"customer":{"id":${n % 500}},"note":"${"x".repeat(100)}"}`;
  const messages = Array.from({ length: 100_000 }, (_, n) => json(make(n), { time: n }));
  for (const [filter, count] of [["level:error", 25_000], ["price>900", 9_900], ["customer.id:7", 200], ["(level:error OR price<1) -nothing:1", 25_000]]) {
    let found = 0;
    const { matches } = parseFilter(filter);
    const taken = cpuTime(() => {
      for (const message of messages) found += Number(matches(message));
    });
    assert.equal(found, count, filter);
    assert.ok(taken < 300, `${filter}: ${taken} ms`);
  }
});
