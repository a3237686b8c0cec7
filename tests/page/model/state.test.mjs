import assert from "node:assert/strict";
import test from "node:test";
import { describe } from "../../../page/js/model/state.js";

const open = {
  link: "open", reason: "", tries: 0, retryIn: 0, natsDown: false, paused: false, following: ["a"], heard: true, waited: 0,
};
const name = (facts) => describe({ ...open, ...facts }).name;

test("each situation has its state", () => {
  assert.equal(name({ link: "connecting" }), "connecting");
  assert.equal(name({ following: [], heard: false }), "idle");
  assert.equal(name({ heard: false }), "waiting");
  assert.equal(name({}), "live");
  assert.equal(name({ paused: true }), "paused");
  assert.equal(name({ link: "waiting", tries: 1 }), "reconnecting");
  assert.equal(name({ link: "connecting", tries: 1 }), "reconnecting");
  assert.equal(name({ natsDown: true }), "reconnecting");
  assert.equal(name({ link: "stopped" }), "error");
});

test("trouble with the connection is said even while paused", () => {
  assert.equal(name({ paused: true, link: "waiting" }), "reconnecting");
  assert.equal(name({ paused: true, link: "stopped" }), "error");
});

test("whoever follows nothing is connected, also while the list stands still", () => {
  assert.equal(describe({ ...open, paused: true, following: [] }).word, "Connected");
});

test("the wait for the next try is counted in whole seconds and can be ended", () => {
  const state = describe({ ...open, link: "waiting", tries: 3, retryIn: 3_200, reason: "lost" });
  assert.deepEqual(state, { name: "reconnecting", word: "Reconnecting", hint: "in 4 s, try 3: lost", action: "Now", why: "lost" });
  assert.equal(describe({ ...open, link: "waiting", retryIn: -5, tries: 3, reason: "lost" }).hint, "in 1 s, try 3: lost");
});

test("why it reconnects stays in sight while it does", () => {
  const hint = (reason) => describe({ ...open, link: "connecting", tries: 3, reason }).hint;
  assert.deepEqual([hint("lost"), hint("")], ["try 3: lost", "try 3"]);
});

test("a connection that was refused says why and offers to try again", () => {
  const state = describe({ ...open, link: "stopped", reason: "Not allowed." });
  assert.deepEqual([state.hint, state.action], ["Not allowed.", "Try again"]);
});

test("where a token is wanted there is nothing to try again without one", () => {
  const state = describe({ ...open, link: "stopped", tokenWanted: true, reason: "The gateway asks for a token." });
  assert.deepEqual([state.name, state.action], ["error", ""]);
});

test("where NATS refuses the gateway itself, that is said", () => {
  const [out, refused] = [{ natsDown: true }, { natsDown: true, natsRefuses: true }].map((facts) => describe({ ...open, ...facts }));
  assert.equal(out.hint, "the gateway keeps trying; messages meanwhile are missed");
  assert.equal(refused.hint, `NATS refuses the gateway's credentials; ${out.hint}`);
  assert.notEqual(refused.why, out.why);
});

test("waiting names a few patterns, and after ten seconds what may be the matter", () => {
  const following = ["a", "b", "c", "d", "e"];
  assert.equal(describe({ ...open, heard: false, following }).hint, "Waiting for a message on a, b, c and 2 more");
  assert.match(describe({ ...open, heard: false, waited: 10_000 }).hint, /Is anyone publishing/);
});

test("while NATS is away, what streams store is not lost", () => {
  const hint = (stored) => describe({ ...open, natsDown: true, following: ["a", "b"], stored }).hint;
  assert.match(hint([]), /messages meanwhile are missed$/);
  assert.match(hint(["a"]), /what no stream stores meanwhile is missed$/);
  assert.match(hint(["a", "b"]), /what streams store meanwhile comes later$/);
});

test("who waits for a message of a stream is told of what came before", () => {
  const hint = (stored) => describe({ ...open, heard: false, waited: 10_000, stored }).hint;
  assert.match(hint(["a"]), /The clock beside a subject brings what came before/);
  assert.match(hint([]), /Is anyone publishing/);
});
