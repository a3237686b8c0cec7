import assert from "node:assert/strict";
import test from "node:test";
import { Subscriptions } from "../../../page/js/model/subscriptions.js";

test("the first eight patterns have eight colours, and the same ones each time", () => {
  const hues = () => {
    const subscriptions = new Subscriptions();
    for (let n = 0; n < 9; n += 1) subscriptions.add(`s.${n}`);
    return [...subscriptions].map(({ hue }) => hue);
  };
  assert.equal(new Set(hues().slice(0, 8)).size, 8);
  assert.deepEqual(hues(), hues());
});

test("more subjects than are remembered are still counted right", () => {
  const subscriptions = new Subscriptions();
  subscriptions.add("t.*");
  for (let n = 0; n < 12_000; n += 1) subscriptions.countMessage(`t.${n}`);
  assert.equal(subscriptions.get("t.*").count, 12_000);
});

test("a removed pattern no longer counts", () => {
  const subscriptions = new Subscriptions();
  subscriptions.add("a");
  subscriptions.countMessage("a");
  subscriptions.remove("a");
  assert.deepEqual(subscriptions.countMessage("a"), []);
});

test("a refused pattern stays, but is not followed", () => {
  const subscriptions = new Subscriptions();
  for (const pattern of ["a", "b"]) subscriptions.add(pattern);
  subscriptions.mark("b", "refused", "not yours");
  subscriptions.mark("gone", "active"); // its answer came after it was removed
  assert.deepEqual(subscriptions.patterns, ["a", "b"]);
  assert.deepEqual(subscriptions.followed, ["a"]);
});
