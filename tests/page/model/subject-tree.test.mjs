import assert from "node:assert/strict";
import test from "node:test";
import { SubjectTree, patternsOf } from "../../../page/js/model/subject-tree.js";

const row = (subject, count = 1, rate = null) => ({ subject, count, rate });
const found = (...names) => new Map(names.map((name) => [name, { messages: 10, stream: "S" }]));

function tree(rows, known = new Map()) {
  const made = new SubjectTree();
  made.build(rows, known);
  return made;
}

/** What is shown, one line each: how deep, its name, what is under it. */
const shown = (it) => it.lines.map(({ node, level, open, more }) => `${" ".repeat(level - 1)}${open ? "-" : "+"}${more ? `${more} more` : node.name}`);

test("subjects stand under their parts, by name, numbers by their size and NATS' own last", () => {
  const it = tree([row("orders.eu.new"), row("d10"), row("d2"), row("$SYS.a"), row("orders.us")], found("_INBOX.x", "orders.eu.paid"));
  assert.deepEqual(shown(it), ["+d2", "+d10", "+orders", "+_INBOX", "+$SYS"]);
  it.turn(it.get("orders"), true);
  assert.deepEqual(shown(it).slice(2, 5), ["-orders", " +eu", " +us"]);
  it.turn(it.get("orders.eu"), true);
  assert.deepEqual(shown(it).slice(3, 6), [" -eu", "  +new", "  +paid"]);
  it.turn(it.get("orders"), false);
  assert.deepEqual(shown(it), ["+d2", "+d10", "+orders", "+_INBOX", "+$SYS"]);
});

test("what stands alone is open, until the reader closes it", () => {
  const it = tree([row("a.b.c"), row("a.b.d")]);
  assert.deepEqual(shown(it), ["-a", " -b", "  +c", "  +d"]);
  it.turn(it.get("a"), false);
  assert.deepEqual(shown(it), ["+a"]);
  it.build([row("a.b.c"), row("x.y")], new Map());
  assert.deepEqual(shown(it), ["+a", "+x"]);
  it.turn(it.get("a"), true);
  it.build([row("a.b.c"), row("a.e"), row("x.y")], new Map());
  assert.deepEqual(shown(it), ["-a", " -b", "  +c", " +e", "+x"], "what is open does not close by itself");
});

test("each level has what is under it, and figures follow the rows", () => {
  const rows = [row("a.b", 3, 1.5), row("a.b.c", 4, null), row("a.d", 5, 2)];
  const it = tree(rows, found("a.b", "a.e"));
  const figures = (path) => {
    const { subjects, count, rate, stored } = it.get(path);
    return [subjects, count, rate, stored];
  };
  assert.deepEqual(figures("a"), [4, 12, 3.5, 20]);
  assert.deepEqual(figures("a.b"), [2, 7, 1.5, 10]);
  assert.deepEqual(figures("a.e"), [1, 0, 0, 10]);
  assert.deepEqual([it.whole.subjects, it.whole.count], [4, 12]);
  rows[0].count = 10;
  rows[0].rate = 0;
  it.refresh();
  it.refresh();
  assert.deepEqual(figures("a"), [4, 19, 2, 20]);
});

test("the sum of the levels is that of the table, whatever comes", () => {
  const rows = Array.from({ length: 500 }, (_, n) => row(`${n % 3}.${n % 7}.${n % 11}.${n}`, n, n / 10));
  const it = tree(rows);
  const sum = (nodes, name) => nodes.reduce((total, each) => total + each[name], 0);
  const check = (node) => {
    if (!node.children.size) return;
    for (const name of ["subjects", "count"]) assert.equal(node[name], sum([...node.children.values()], name) + (node.row ? 1 : 0));
    for (const child of node.children.values()) check(child);
  };
  check(it.whole);
  assert.equal(it.whole.count, sum(rows, "count"));
});

test("of very many children some are shown, and more on demand", () => {
  const it = tree(Array.from({ length: 5_000 }, (_, n) => row(`d.${n}`)));
  assert.equal(it.lines.length, 202);
  const { more, place, siblings, level, node, path } = it.lines.at(-1);
  assert.deepEqual([more, place, siblings, level, node.path], [4_800, 201, 201, 2, "d"]);
  assert.equal(it.get(path), undefined, "it is no subject");
  it.unfold(node);
  assert.deepEqual([it.lines.length, it.lines.at(-1).more], [1_002, 4_000]);
  assert.equal(tree(Array.from({ length: 201 }, (_, n) => row(`d.${n}`))).lines.length, 202, "one more is no fold");
});

test("places are those among siblings", () => {
  const it = tree([row("a.x"), row("b"), row("a.y")]);
  it.turn(it.get("a"), true);
  assert.deepEqual(it.lines.map(({ path, place, siblings }) => [path, place, siblings]), [["a", 1, 2], ["a.x", 1, 2], ["a.y", 2, 2], ["b", 2, 2]]);
});

test("a branch is followed by a pattern, and with it the subject of its own", () => {
  const it = tree([row("a.b.c"), row("a.b")], found("z"));
  assert.deepEqual(patternsOf(it.get("a")), ["a.>"]);
  assert.deepEqual(patternsOf(it.get("a.b")), ["a.b", "a.b.>"]);
  assert.deepEqual(patternsOf(it.get("a.b.c")), ["a.b.c"]);
  assert.deepEqual(patternsOf(it.get("z")), ["z"]);
});

test("a subject with hundreds of parts is no trouble", () => {
  const subject = Array.from({ length: 1_500 }, () => "a").join(".");
  assert.equal(tree([row(subject)]).lines.length, 1_500);
});
