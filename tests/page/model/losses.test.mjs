import assert from "node:assert/strict";
import test from "node:test";
import { Losses, backSentence, gapSentence } from "../../../page/js/model/losses.js";

const at = (...fields) => new Date(2026, 10, 27, ...fields).getTime();
const gap = { from: at(13, 8, 12), to: at(13, 8, 43), causes: ["nats_down"] };

test("gaps are counted, and the last one is told until the reader knows of it", (t) => {
  t.mock.method(Date, "now", () => at(14, 0));
  const losses = new Losses();
  const heard = (time, stored = null) => losses.concern({ time, stored });
  assert.deepEqual([losses.gapsText, losses.untold, heard(0)], ["", "", false]);
  losses.addGap(gap, 17);
  assert.equal(losses.gapsText, "1 · last 13:08:12, 31 s");
  assert.equal(losses.untold, "Missed 13:08:12 – 13:08:43, NATS was out of reach. Values may be older than they look.");
  assert.deepEqual([losses.seq, heard(gap.to), heard(gap.to - 1), heard(gap.to - 1, { seq: 1 })], [17, false, true, false]);
  losses.addGap({ from: at(13, 20), to: at(13, 21, 30), causes: ["disconnected", "nats_down"] }, 40);
  assert.equal(losses.gapsText, "2 · last 13:20:00, 1 min 30 s");
  assert.match(losses.untold, /^Missed 2 times, last 13:20:00 – 13:21:30, disconnected, then NATS was out of reach\./);
  losses.dismiss();
  assert.equal(losses.untold, "");
  assert.equal(losses.gapsText, "2 · last 13:20:00, 1 min 30 s");
});

test("what the gateway dropped was missed, too, and is no gap", (t) => {
  t.mock.method(Date, "now", () => at(14, 0));
  const losses = new Losses();
  losses.addDropped(7, at(13, 0), 3);
  assert.equal(losses.untold, "Missed at 13:00:00, 7 messages were dropped by the gateway. Values may be older than they look.");
  assert.deepEqual([losses.gaps, losses.gapsText, losses.seq], [0, "", undefined]);
  for (const stored of [null, { seq: 1 }]) assert.equal(losses.concern({ time: at(12, 59), stored }), true);
});

test("the line between the messages has both ends and the cause", (t) => {
  t.mock.method(Date, "now", () => at(14, 0));
  assert.equal(gapSentence(gap), "NATS was out of reach 13:08:12 – 13:08:43: messages in between were not received");
});

test("of what streams do not bring any more the line says why, in words for every cause", (t) => {
  t.mock.method(Date, "now", () => at(14, 0));
  const said = (cause) => gapSentence({ ...gap, causes: [cause], patterns: ["orders.*"] });
  assert.equal(said("expired"), "orders.* 13:08:12 – 13:08:43: not all came later, the stream no longer has all of it");
  for (const cause of ["too_many", "stream_new", "ahead", "unknown", "no_history", "stream_gone"]) {
    assert.match(said(cause), / came later, (the|no|more) [a-z ]+$/, cause);
  }
  assert.match(said("some_new_cause"), / came later, some new cause$/);
  assert.match(said("constructor"), / came later, constructor$/);
  const losses = new Losses();
  losses.addGap({ ...gap, causes: ["expired"], patterns: ["orders.*"] }, 1);
  assert.match(losses.untold, /^Missed 13:08:12 – 13:08:43, the stream no longer has all of it\. /);
  assert.deepEqual([null, { seq: 1 }].map((stored) => losses.concern({ time: gap.from, stored })), [false, true]);
});

test("where some patterns come from streams, the line names the others", (t) => {
  t.mock.method(Date, "now", () => at(14, 0));
  assert.match(gapSentence(gap, ["a", "b"]), /: messages of a, b in between were not received$/);
  assert.match(gapSentence(gap, ["a", "b", "c", "d", "e"]), /: messages of a, b, c and 2 more in between/);
  assert.equal(backSentence({ from: gap.from, to: gap.to }, ["orders.*"]), "NATS is back after 31 s: what streams stored of orders.* comes now");
});
