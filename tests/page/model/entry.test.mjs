import assert from "node:assert/strict";
import test from "node:test";
import { parseEntry } from "../../../page/js/model/entry.js";

const understood = [
  ["test.subject", "subscribe", ["test.subject"]],
  ["  orders.* telemetry.>  ", "subscribe", ["orders.*", "telemetry.>"]],
  ["a,b , c\nd", "subscribe", ["a", "b", "c", "d"]],
  ["a b a", "subscribe", ["a", "b"]],
  ["subscribe a", "subscribe", ["a"]],
  ["unsubscribe orders.*", "unsubscribe", ["orders.*"]],
  ["UNSUB a b", "unsubscribe", ["a", "b"]],
  ['nats sub "orders.>"', "subscribe", ["orders.>"]],
  ["nats sub 'orders.>'", "subscribe", ["orders.>"]],
  ['["sub"]', "subscribe", ["sub"]],
  ["nats sub pub", "subscribe", ["pub"]],
  ["nats orders.*", "subscribe", ["nats", "orders.*"]],
  ["nats", "subscribe", ["nats"]],
  ["$JS.API.>", "subscribe", ["$JS.API.>"]],
  ["path/to.file", "subscribe", ["path/to.file"]],
  ['{"subjects": ["test.subject"], "action": "subscribe"}', "subscribe", ["test.subject"]],
  ['{"subjects":["*.>"]}', "subscribe", ["*.>"]],
  ['{"subjects":["a"],"action":"unsubscribe"}', "unsubscribe", ["a"]],
  ['{"subjects":"a"}', "subscribe", ["a"]],
  ['["a","b"]', "subscribe", ["a", "b"]],
  ['{"subjects":["a,b","orders*"]}', "subscribe", ["a,b", "orders*"]],
];

for (const [text, action, subjects] of understood) {
  test(`understands ${JSON.stringify(text)}`, () => {
    assert.deepEqual(parseEntry(text), { action, subjects });
  });
}

const pasts = [
  ["nats sub --last 100 orders.>", { last: 100 }],
  ["nats sub orders.> --last=100", { last: 100 }],
  ["nats sub --last orders.>", { last: 1 }],
  ["nats sub --all orders.>", "all"],
  ["nats sub --new orders.>", "auto"],
  ["nats sub --since 5m orders.>", { since: "5m" }],
  ["nats sub --since=1h30m0s orders.>", { since: "5400s" }],
  ["nats sub --since 2w 'orders.>'", { since: "336h" }],
  ["nats sub --last-per-subject orders.>", "last_per_subject"],
  ["nats sub --start-sequence 7 orders.>", { seq: 7 }],
  ['{"subjects":["orders.>"],"history":{"last":100}}', { last: 100 }],
  ['{"subjects":["orders.>"],"history":"new"}', "auto"],
];

for (const [text, history] of pasts) {
  test(`reads what ${JSON.stringify(text)} asks for of the past`, () => {
    assert.deepEqual(parseEntry(text), { action: "subscribe", subjects: ["orders.>"], history });
  });
}

const mistakes = [
  ["", /Type a subject/],
  [" , ", /Type a subject/],
  ["a..b", /empty part/],
  [".a", /empty part/],
  ["a.", /empty part/],
  ["orders.>.x", /can only come last: “orders\.>”/],
  ["orders*", /“orders\*”: \* must stand alone.*“orders\.\*”/],
  ["ord>", /> must stand alone/],
  ["a.**", /\* must stand alone/],
  ["sensors/+/temp", /MQTT.*“sensors\.\*\.temp”/],
  ["sensors/#", /“sensors\.>”/],
  ["nats sub", /Add a subject: nats sub orders\.\*/],
  ["sub", /Add a subject: sub orders\.\*/],
  ["subscribe", /Add a subject: subscribe orders\.\*/],
  ["unsub", /Add a subject: unsub orders\.\*/],
  ["Unsubscribe ", /Add a subject: unsubscribe orders\.\*/],
  ["nats pub test.subject hi", /only follows.*terminal.*Nothing was sent/],
  ["nats pub test.subject '{\"hello\":\"world\"}'", /only follows/],
  ["nats -s demo.nats.io publish a.b hi", /only follows/],
  ["nats request help me", /only follows/],
  ["nats -s demo.nats.io sub a.b", /“-s”/],
  ["nats sub --count 5 orders", /Leave out “--count”/],
  ["nats sub --since orders.> x", /“--since” does not say how far back/],
  ["nats sub --start-sequence 0 orders.>", /“--start-sequence” does not say how far back/],
  ["nats sub --all --last 5 orders.>", /“--last” is one too many/],
  ["nats sub --all", /Add a subject/],
  ["nats sub --last 100 orders*", /must stand alone/],
  ['{"subjects":["a"],"history":"some"}', /"history" must be/],
  ['{"subject', /Not valid JSON/],
  ['{"subjects":["a"],"action":"x"}', /"action" is "x"/],
  ['{"subjects":[]}', /"subjects" must be a list/],
  ['{"subjects":[1]}', /"subjects" must be a list/],
  ['{"subjects":[""]}', /"subjects" must be a list/],
  ["{}", /"subjects" must be a list/],
  ["[]", /"subjects" must be a list/],
];

for (const [text, sentence] of mistakes) {
  test(`explains ${JSON.stringify(text)}`, () => {
    assert.match(parseEntry(text).error, sentence);
  });
}

test("one bad subject refuses the whole entry and says where it stands", () => {
  const { error, start, end, subjects } = parseEntry("good orders* fine");
  assert.match(error, /orders\*/);
  assert.equal("good orders* fine".slice(start, end), "orders*");
  assert.equal(subjects, undefined);
});
