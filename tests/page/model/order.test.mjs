import assert from "node:assert/strict";
import test from "node:test";
import { Order } from "../../../page/js/model/order.js";

function row(subject, count = 0, rate = 0, raw = "1", time = 0) {
  return { subject, count, rate, last: { raw, encoding: "json", time } };
}

function inOrder(order, rows, version = 1) {
  return order.apply({ rows, version, time: 100_000 }).map(({ subject }) => subject).join(" ");
}

test("first it is by subject, with numbers in their order", () => {
  const rows = ["d10", "d2", "a.b", "D2", "a"].map((subject) => row(subject));
  assert.equal(inOrder(new Order(), rows), "a a.b d2 D2 d10");
});

test("counts and rates begin with the largest, the others with the smallest, and again turns it round", () => {
  const rows = [row("a", 1, 9, "3", 50_000), row("b", 3, 8, "1", 70_000), row("c", 2, 7, "2", 60_000)];
  const expected = { count: "b c a", rate: "a b c", last: "b c a", age: "b c a" };
  for (const [column, wanted] of Object.entries(expected)) {
    const order = new Order();
    order.choose(column);
    assert.equal(order.ascending, column === "last" || column === "age");
    assert.equal(inOrder(order, rows), wanted, column);
    order.choose(column);
    assert.equal(inOrder(order, rows), wanted.split(" ").reverse().join(" "), column);
  }
  const order = new Order();
  order.choose("subject");
  assert.equal(inOrder(order, rows), "c b a");
});

test("rows alike in a column stand by subject", () => {
  const order = new Order();
  order.choose("count");
  assert.equal(inOrder(order, [row("c", 1), row("a", 1), row("d", 2), row("b", 1)]), "d a b c");
});

test("rows that look alike do not move: what is shown counts, not what is behind it", () => {
  const order = new Order();
  order.choose("age");
  assert.equal(inOrder(order, [row("c", 1, 0, "1", 97_900), row("a", 1, 0, "1", 97_100), row("b", 1, 0, "1", 30_000)]), "a c b");
  order.choose("rate");
  assert.equal(inOrder(order, [row("c", 1, 9.84), row("a", 1, 9.83), row("d", 1, 0.21), row("b", 1, 0.204), row("e", 1, null)]), "a c d b e");
});

test("values that are numbers come before texts, by size", () => {
  const order = new Order();
  order.choose("last");
  const rows = Object.entries({ a: "10", b: '"x"', c: "9", d: "-1", e: '"a"' }).map(([name, raw]) => row(name, 0, 0, raw));
  assert.equal(inOrder(order, rows), "d c a e b");
});

test("a row that came or left is seen, and the table itself stays as it is", () => {
  const order = new Order();
  const rows = [row("b"), row("a")];
  assert.equal(inOrder(order, rows), "a b");
  rows.push(row("aa"));
  assert.equal(inOrder(order, rows, 2), "a aa b");
  rows[0] = row("z");
  assert.equal(inOrder(order, rows, 3), "a aa z");
  assert.deepEqual(rows.map(({ subject }) => subject), ["z", "a", "aa"]);
});
