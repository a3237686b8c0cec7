import assert from "node:assert/strict";
import test from "node:test";
import { headerTerm, narrowed, parseFilter, readable, withSubject, withValue } from "../../../page/js/model/filter.js";

const json = (subject, raw) => ({ kind: "message", subject, raw, encoding: "json" });
const text = (subject, payload) => ({ kind: "message", subject, raw: JSON.stringify(payload), encoding: "text" });
const error = json("orders.created", '{"st":"ERROR","path":"/api/users/7","n":-5}');
const debug = json("orders.debug", '{"st":"error"}');
const lines = text("deploy.log", 'two words\nrolled out "web-1"');

/** Whether each of the three is let through. */
function passes(filter) {
  const { matches, error: fault } = parseFilter(filter);
  assert.equal(fault, "", filter);
  return [error, debug, lines].map(matches);
}

test("all terms must hold, in subject or payload, whatever the case", () => {
  const cases = [
    ["", [true, true, true]],
    ["error", [true, true, false]],
    ["Error -debug", [true, false, false]],
    ["ORDERS created", [true, false, false]],
    ["-error", [false, false, true]],
    ['"two words"', [false, false, true]],
    ['-"two words"', [true, true, false]],
    ['"st":"error"', [true, true, false]],
    ["/api/users", [true, false, false]],
    ["/api/users/7", [true, false, false]],
    ["subject:orders.*", [true, true, false]],
    ["-subject:orders.*", [false, false, true]],
    ["subject:orders", [false, false, false]],
    ["SUBJECT:> -SUBJECT:orders.debug", [true, false, true]],
    ["/ERR.R/", [true, false, false]],
    ["/err.r/i", [true, true, false]],
    ["-/err.r/gi", [false, false, true]],
    ["/api\\/users\\/\\d/", [true, false, false]],
    ["/two words|created/", [true, false, true]],
    ["/^rolled/m", [false, false, true]],
    ['"-5"', [true, false, false]],
    ["  error\t-debug ", [true, false, false]],
  ];
  for (const [filter, expected] of cases) assert.deepEqual(passes(filter), expected, filter);
});

test("a regex is asked anew for each message, also with the flags g and y", () => {
  const { matches } = parseFilter("/error/giy");
  assert.deepEqual([1, 2, 3].map(() => matches(json("error", "1"))), [true, true, true]);
});

test("signs that mean something to a regex mean nothing in a word", () => {
  for (const word of ["a.b", "a+b", "(a", "[x]", "a|b", "^a$", "a\\b", "{1}", "a*", "?", "a-b"]) {
    const { matches } = parseFilter(word);
    assert.equal(matches(json("s", `"…${word}…"`)), true, word);
    assert.equal(matches(json("s", '"ab"')), false, word);
  }
});

test("letters beyond ASCII are found in either case", () => {
  const { matches } = parseFilter("ÜNÏ");
  assert.equal(matches(text("s", "ein ünïcode")), true);
});

test("a text is searched as a reader sees it, without quotes and escapes", () => {
  assert.equal(readable(lines), 'two words\nrolled out "web-1"');
  assert.equal(readable(text("s", "plain")), "plain");
  assert.equal(parseFilter('out "web-1"').matches(lines), true);
  assert.equal(parseFilter("\\n").matches(lines), false);
  assert.equal(parseFilter("/^plain$/").matches(text("s", "plain")), true);
  assert.equal(parseFilter("AQID").matches({ ...text("s", "AQID"), encoding: "base64" }), true);
});

test("what cannot be meant is explained in a sentence", () => {
  const cases = [
    ['error "two words', /^The quote "two has no end/],
    ['-"two', /no end/],
    ['subject:"a', /no end/],
    ["/err", /^The regex \/err has no end/],
    ["/(/i", /^\/\(\/i is not a regular expression: .*\.$/],
    ["/[a/", /not a regular expression/],
    ["subject:orders*", /must stand alone/],
    ["-subject:a..b", /empty part/],
    ["x".repeat(1_001), /at most 1000 characters/],
  ];
  for (const [filter, sentence] of cases) {
    assert.match(parseFilter(filter).error, sentence);
    assert.equal(parseFilter(filter).matches(error), false);
  }
});

test("what is only begun filters nothing", () => {
  for (const filter of ["", " ", "-", "subject:", "-subject:", '""', "error -"]) {
    assert.equal(parseFilter(filter).error, "", filter);
    assert.equal(parseFilter(filter).empty, filter !== "error -", filter);
  }
});

test("it tells whether there is a regex in it", () => {
  assert.equal(parseFilter("a /b/ c").hasRegex, true);
  for (const filter of ["a", "/api/users", '"/b/"', "/("]) assert.equal(parseFilter(filter).hasRegex, false, filter);
});

test("a subject is added to a filter, and what stood in its way is gone", () => {
  const cases = [
    ["", "a.b", false, "subject:a.b"],
    ["", "a.b", true, "-subject:a.b"],
    ['x -"y z" /r/i', "a.b", true, 'x -"y z" /r/i -subject:a.b'],
    ["subject:a.b x", "a.b", true, "x -subject:a.b"],
    ["-subject:a.b x", "a.b", false, "x subject:a.b"],
    ["-subject:a.* x", "a.b", false, "x subject:a.b"],
    ["-subject:a.* subject:b", "a.b", true, "-subject:a.* subject:b -subject:a.b"],
    ["subject:a.* -subject:a.c", "a.b", false, "-subject:a.c subject:a.b"],
    ['x "unfinished', "a.b", false, "x subject:a.b"],
  ];
  for (const [before, subject, excluded, after] of cases) {
    assert.equal(withSubject(before, subject, excluded), after);
    assert.equal(withSubject(after, subject, excluded), after, "twice is once");
  }
});

test("whatever a subject looks like, adding it shows it, and excluding it hides it", () => {
  const others = ["other", "a.b", "x"];
  for (const subject of ["a", "$SYS.x", '"a"', '"', "a*b", "a>", "sensors/+/x", "/r/", "-x", "a\u00a0b", "subject:x", "ünï", "."]) {
    for (const before of ["", "-subject:zzz", 'subject:x "']) {
      const only = parseFilter(withSubject(before, subject));
      const without = parseFilter(withSubject("", subject, true));
      assert.deepEqual([only.error, without.error], ["", ""], subject);
      assert.equal(only.matches(json(subject, "1")), true, subject);
      assert.equal(without.matches(json(subject, "1")), false, subject);
      for (const other of others.filter((name) => name !== subject)) {
        assert.equal(only.matches(json(other, "1")), false, `${subject} is not ${other}`);
        assert.equal(without.matches(json(other, "1")), true);
      }
    }
  }
});

test("a value becomes a phrase, or a regex for what a phrase cannot say", () => {
  const terms = [
    ['"customer":"Linus"', '""customer":"Linus""'],
    ['"total":78.15', String.raw`/"total":78\.15(?![\w.])/`],
    ['"note":""', '""note":"""'],
    ['"path": "a/b"', '""path": "a/b""'],
    ['"said":"\\"yes\\" twice"', String.raw`/"said":"\\"yes\\" twice"/`],
  ];
  for (const [value, term] of terms) {
    assert.equal(withValue("error", value, true), `error -${term}`);
    const { matches, error } = parseFilter(withValue("", value));
    assert.equal(error, "");
    assert.equal(matches({ subject: "a", raw: `{${value},"x":1}`, encoding: "json" }), true);
    assert.equal(matches({ subject: "a", raw: `{${value.slice(0, -1)}1"}`, encoding: "json" }), false);
  }
});

test("a value with a line break before it is found by a filter of one line", () => {
  const raw = '{"a":\n  "x y",\n"n":\r\n  1}';
  for (const value of ['"a":\n  "x y"', '"n":\r\n  1']) {
    const text = withValue("", value);
    assert.doesNotMatch(text, /[\r\n]/);
    assert.ok(parseFilter(text).matches(json("s", raw)), text);
  }
});

const request = { ...json("rpc.price", "1"), reply: "_INBOX.x", headers: [["Nats-Msg-Id", "A1"], ["X-Note", "two words=3"]] };
const event = { ...json("event", '"is:request nats-msg-id a1"'), reply: "", headers: [["Nats-Msg-Id", "A10"]] };

test("header: finds a part of a name or a value, or with = both whole, whatever the case; is:request what has a reply subject", () => {
  const cases = [
    ["header:msg-id", [true, true, false]],
    ["header:a1", [true, true, false]],
    ["header:A10", [false, true, false]],
    ["header:nats-msg-id=a1", [true, false, false]],
    ["-header:nats-msg-id=a1", [false, true, true]],
    ["header:nats-msg-id=", [false, false, false]],
    ['header:"two words"', [true, false, false]],
    ['header:"x-note=two words=3"', [true, false, false]],
    ["header:price", [false, false, false]],
    ["is:request", [true, false, false]],
    ["-is:request", [false, true, true]],
    ["IS:request header:a1 price", [true, false, false]],
    ['"is:request"', [false, true, false]],
    ["is:requests", [false, false, false]],
    ["is:", [false, true, false]],
    ["header:", [true, true, true]],
  ];
  for (const [filter, expected] of cases) {
    const { matches, error: fault } = parseFilter(filter);
    assert.equal(fault, "", filter);
    assert.deepEqual([request, event, error].map(matches), expected, filter);
  }
  assert.match(parseFilter('header:"two').error, /^The quote "two has no end/);
});

test("a header becomes a term that finds it, and no other; where none can, there is none", () => {
  const headers = [["A", "1"], ["A", ""], ["A", "b c"], ["A", '"'], ["A", '"x"'], ["A=B", "c=d"], ["A", " x "], ["-A", "/x/"], ["A", "é😀"]];
  for (const header of headers) {
    const { matches, error: fault } = parseFilter(narrowed("", { term: headerTerm(header) }, false));
    assert.equal(fault, "", headerTerm(header));
    assert.deepEqual(headers.map((each) => matches({ ...error, headers: [each] })), headers.map((each) => each === header), headerTerm(header));
  }
  for (const value of ['a" b', "a\rb", "a\nb"]) assert.equal(headerTerm(["A", value]), "");
  assert.equal(narrowed("x", { term: "header:A=1" }, true), "x -header:A=1");
});

test("a filter that is too long is refused before it is read", () => {
  assert.match(parseFilter('"a '.repeat(300_000)).error, /at most 1000 characters; this one has 900000/);
});
