import assert from "node:assert/strict";
import test from "node:test";
import { filterIn, fromFragment, toFragment } from "../../page/js/model/view-url.js";

test("patterns come back from the fragment as they went in", () => {
  const patterns = ["orders.*", "telemetry.>", "a,b", "$SYS.x", "50%", "ünï", "a&s=b", "#"];
  assert.deepEqual(fromFragment(toFragment(patterns)), patterns);
  assert.deepEqual(fromFragment(new URL(`http://host/${toFragment(patterns)}`).hash), patterns);
});

test("a link typed by hand is read", () => {
  assert.deepEqual(fromFragment("#s=orders.*,telemetry.>"), ["orders.*", "telemetry.>"]);
  assert.deepEqual(fromFragment("#q=x&s=a,,b,a"), ["a", "b"]);
});

test("nothing, or what cannot be read, is no pattern", () => {
  assert.equal(toFragment([]), "");
  for (const fragment of ["", "#", "#s=", "#top", "#s=%E0%A4"]) assert.deepEqual(fromFragment(fragment), []);
});

test("a link cannot ask for more than a connection may follow", () => {
  const many = Array.from({ length: 1_000 }, (_, n) => `s.${n}`);
  assert.equal(fromFragment(toFragment(many)).length, 128);
});

test("a link can bring a filter", () => {
  assert.equal(filterIn("#s=orders.*&q=error%20-debug%20%26"), "error -debug &");
  for (const fragment of ["", "#s=q", "#q=", "#q=%E0%A4"]) assert.equal(filterIn(fragment), "");
});
