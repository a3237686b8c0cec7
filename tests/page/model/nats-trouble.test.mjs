import assert from "node:assert/strict";
import test from "node:test";
import { NatsTrouble } from "../../../page/js/model/nats-trouble.js";

const settled = () => new Promise(setImmediate);

/** One that is watched at times of the test's choice, and what /readyz says. */
function watched(t, answer) {
  let now = 0;
  let asked = 0;
  let changes = 0;
  const reply = () => (asked += 1, answer());
  t.mock.method(performance, "now", () => now);
  t.mock.method(globalThis, "fetch", async () => new Response(JSON.stringify(await reply()), { status: 503 }));
  const trouble = new NatsTrouble("http://host/readyz", () => (changes += 1));
  const at = async (time, down) => {
    now = time;
    trouble.watch(down);
    await settled();
    return [asked, trouble.refused, changes];
  };
  return at;
}

test("an outage that lasts is asked about, and again after a while", async (t) => {
  const at = watched(t, () => ({ status: "nats_auth" }));
  assert.deepEqual(await at(0, false), [0, false, 0]);
  assert.deepEqual(await at(500, true), [0, false, 0]);
  assert.deepEqual(await at(1_000, true), [0, false, 0]);
  assert.deepEqual(await at(1_500, true), [1, true, 1]);
  assert.deepEqual(await at(16_000, true), [1, true, 1]);
  assert.deepEqual(await at(16_500, true), [2, true, 1]);
  assert.deepEqual(await at(17_000, false), [2, false, 1], "whoever sees that it is up again knows that, too");
});

test("a short outage, and one of another kind, are no refusal", async (t) => {
  const short = watched(t, () => ({ status: "nats_auth" }));
  await short(0, true);
  assert.deepEqual(await short(900, false), [0, false, 0]);
  const other = watched(t, () => ({ status: "nats_down" }));
  await other(0, true);
  assert.deepEqual(await other(1_000, true), [1, false, 0]);
});

test("who cannot be asked says nothing", async (t) => {
  for (const answer of [() => Promise.reject(new TypeError("Failed to fetch")), () => null, () => "ok", () => ({})]) {
    const at = watched(t, answer);
    await at(0, true);
    assert.deepEqual(await at(1_000, true), [1, false, 0]);
  }
});

test("an answer that comes when NATS is back says nothing any more", async (t) => {
  let give;
  const at = watched(t, () => new Promise((resolve) => { give = resolve; }));
  await at(0, true);
  await at(1_000, true);
  await at(1_100, false);
  give({ status: "nats_auth" });
  await settled();
  await settled();
  assert.deepEqual(await at(1_200, false), [1, false, 0]);
});
