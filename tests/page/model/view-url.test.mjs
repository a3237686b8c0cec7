import assert from "node:assert/strict";
import test from "node:test";
import { fromFragment, toFragment } from "../../../page/js/model/view-url.js";

const NOTHING = { patterns: [], filter: "", latest: false };

test("a view comes back from the fragment as it went in", () => {
  const view = {
    patterns: ["orders.*", "telemetry.>", "a,b", "$SYS.x", "50%", "ünï", "a&s=b", "#"],
    filter: 'error -debug & "two words" /a#b%/i',
    latest: true,
  };
  assert.deepEqual(fromFragment(toFragment(view)), view);
  assert.deepEqual(fromFragment(new URL(`http://host/${toFragment(view)}`).hash), view);
});

test("a link typed by hand is read", () => {
  assert.deepEqual(fromFragment("#s=orders.*,telemetry.>").patterns, ["orders.*", "telemetry.>"]);
  assert.deepEqual(fromFragment("#q=x&s=a,,b,a"), { ...NOTHING, patterns: ["a", "b"], filter: "x" });
});

test("nothing, or what cannot be read, is left out", () => {
  assert.equal(toFragment({ patterns: [] }), "");
  for (const fragment of ["", "#", "#s=", "#top", "#s=%E0%A4", "#s=&q=%E0%A4", "#v=log"]) {
    assert.deepEqual(fromFragment(fragment), NOTHING);
  }
});

test("a link cannot ask for more than a connection may follow", () => {
  const patterns = Array.from({ length: 1_000 }, (_, n) => `s.${n}`);
  assert.equal(fromFragment(toFragment({ patterns })).patterns.length, 128);
});
