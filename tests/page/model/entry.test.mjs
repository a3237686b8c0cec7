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
  ["nats sub --all orders", /“--all”/],
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
