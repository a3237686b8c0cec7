import assert from "node:assert/strict";
import test from "node:test";
import { Sent } from "../../../page/js/model/sent.js";

class Storage {
  items = new Map();
  getItem(name) { return this.items.get(name) ?? null; }
  setItem(name, value) { this.items.set(name, value); }
  removeItem(name) { this.items.delete(name); }
}

function entry(subject, payload = "1", headers = "") {
  return { subject, payload, headers };
}

test("the last 50 are there at the next visit, newest first", () => {
  const storage = new Storage();
  const sent = new Sent(storage);
  for (let number = 1; number <= 60; number += 1) sent.add(entry(`a.${number}`));
  const later = new Sent(storage);
  assert.equal(later.all.length, 50);
  assert.deepEqual(later.all[0], entry("a.60"));
  assert.deepEqual(later.all.at(-1), entry("a.11"));
});

test("the same again comes to the front, and each subject is named once", () => {
  const sent = new Sent(new Storage());
  for (const each of [entry("a"), entry("b"), entry("a", "2"), entry("a")]) sent.add(each);
  assert.deepEqual(sent.all, [entry("a"), entry("a", "2"), entry("b")]);
  assert.deepEqual(sent.subjects, ["a", "b"]);
});

test("what is long is not kept, and all of it can be forgotten", () => {
  const storage = new Storage();
  const sent = new Sent(storage);
  sent.add(entry("a"));
  sent.add(entry("b", "x".repeat(20_001)));
  assert.deepEqual(sent.subjects, ["a"]);
  sent.forget();
  assert.deepEqual(sent.all, []);
  assert.deepEqual(new Sent(storage).all, []);
  assert.equal(storage.items.size, 0);
});

test("without a storage, or with one that is full, they last until the page is closed", () => {
  const refuse = () => { throw new Error("QuotaExceededError"); };
  for (const storage of [undefined, { getItem: refuse, setItem: refuse, removeItem: refuse }]) {
    const sent = new Sent(storage);
    sent.add(entry("a"));
    assert.deepEqual(sent.subjects, ["a"]);
    sent.forget();
    assert.deepEqual(sent.subjects, []);
  }
});

for (const stored of ["", "{", "7", "null", '{"a":1}', '[null]', '[{"subject":"a"}]', '[{"subject":1,"payload":"","headers":""}]']) {
  test(`a storage that holds ${stored || "nothing"} remembers nothing`, () => {
    const storage = new Storage();
    storage.setItem("nats-live-sent", stored);
    assert.deepEqual(new Sent(storage).all, []);
  });
}
