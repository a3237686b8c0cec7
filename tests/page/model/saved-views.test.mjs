import assert from "node:assert/strict";
import test from "node:test";
import { SavedViews } from "../../../page/js/model/saved-views.js";

function storageOf(text = null) {
  return { text, getItem() { return this.text; }, setItem(_, value) { this.text = value; } };
}

test("views are kept by name, newest first, and found again", () => {
  const storage = storageOf();
  const views = new SavedViews(storage);
  assert.equal(views.save("orders", "#s=orders.*"), true);
  views.save("errors", "#s=a&q=error");
  views.save("orders", "#s=orders.%3E");
  const again = new SavedViews(storage);
  assert.deepEqual(again.all, [{ name: "orders", fragment: "#s=orders.%3E" }, { name: "errors", fragment: "#s=a&q=error" }]);
  again.remove("orders");
  assert.deepEqual(new SavedViews(storage).all.map(({ name }) => name), ["errors"]);
});

test("fifty have room, none without a name, and none of any length", () => {
  const views = new SavedViews(storageOf());
  for (let number = 0; number < 60; number += 1) views.save(`view ${number}`, "#s=a");
  assert.equal(views.all.length, 50);
  assert.equal(views.all[0].name, "view 59");
  assert.equal(views.save("", "#s=a"), false);
  assert.equal(views.save("long", `#s=${"a".repeat(20_000)}`), false);
});

test("a storage that is missing, forbidden or full of something else does no harm", () => {
  const forbidden = { getItem() { throw new Error(); }, setItem() { throw new Error(); } };
  for (const storage of [undefined, forbidden, storageOf("nonsense"), storageOf("7"), storageOf('[{"name":1,"fragment":2},null]')]) {
    const views = new SavedViews(storage);
    assert.deepEqual(views.all, []);
    assert.equal(views.save("a", "#s=a"), true);
    assert.equal(views.all.length, 1);
  }
});
