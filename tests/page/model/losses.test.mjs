import assert from "node:assert/strict";
import test from "node:test";
import { Losses, gapSentence } from "../../../page/js/model/losses.js";

const at = (...fields) => new Date(2026, 10, 27, ...fields).getTime();
const gap = { from: at(13, 8, 12), to: at(13, 8, 43), causes: ["nats_down"] };

test("gaps are counted, and the last one is told until the reader knows of it", (t) => {
  t.mock.method(Date, "now", () => at(14, 0));
  const losses = new Losses();
  assert.deepEqual([losses.gapsText, losses.untold, losses.endedAt], ["", "", -Infinity]);
  losses.addGap(gap, 17);
  assert.equal(losses.gapsText, "1 · last 13:08:12, 31 s");
  assert.equal(losses.untold, "Missed 13:08:12 – 13:08:43, NATS was out of reach. Values may be older than they look.");
  assert.deepEqual([losses.seq, losses.endedAt], [17, gap.to]);
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
  assert.deepEqual([losses.gaps, losses.gapsText, losses.seq, losses.endedAt], [0, "", undefined, at(13, 0)]);
});

test("the line between the messages has both ends and the cause", (t) => {
  t.mock.method(Date, "now", () => at(14, 0));
  assert.equal(gapSentence(gap), "NATS was out of reach 13:08:12 – 13:08:43: messages in between were not received");
});
