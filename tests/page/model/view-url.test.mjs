import assert from "node:assert/strict";
import test from "node:test";
import { fromFragment, toFragment } from "../../../page/js/model/view-url.js";

const NOTHING = { wanted: [], filter: "", view: "log", wall: false, columns: [] };
const auto = (...patterns) => patterns.map((pattern) => ({ pattern, history: "auto" }));

test("a view comes back from the fragment as it went in", () => {
  const view = {
    wanted: [
      ...auto("orders.*", "telemetry.>", "a,b", "$SYS.x", "50%", "ünï", "a&s=b", "#", "user@example", "odd@last:5", "@all"),
      { pattern: "o.*", history: { last: 100 } },
      { pattern: "user@x", history: "all" },
      { pattern: "k.>", history: "last_per_subject" },
      { pattern: "t", history: { since: "2026-03-01T12:00:00+01:00" } },
      { pattern: "u", history: { seq: 7 } },
    ],
    filter: 'error -debug & "two words" /a#b%/i',
    view: "latest",
    wall: true,
    columns: ["price", "customer.id", 'items[0]["odd, key"]'],
  };
  assert.deepEqual(fromFragment(toFragment(view)), view);
  assert.deepEqual(fromFragment(new URL(`http://host/${toFragment(view)}`).hash), view);
});

test("a link typed by hand is read", () => {
  assert.deepEqual(fromFragment("#s=orders.*,telemetry.>").wanted, auto("orders.*", "telemetry.>"));
  assert.deepEqual(fromFragment("#q=x&s=a,,b,a"), { ...NOTHING, wanted: auto("a", "b"), filter: "x" });
  assert.deepEqual(fromFragment("#s=orders.*@last:100").wanted, [{ pattern: "orders.*", history: { last: 100 } }]);
  assert.deepEqual(fromFragment("#s=orders.*@since%3a5m").wanted, [{ pattern: "orders.*", history: { since: "5m" } }]);
  assert.deepEqual(fromFragment("#s=user@example,a@last:x,@all").wanted, auto("user@example", "a@last:x"));
});

test("nothing, or what cannot be read, is left out", () => {
  assert.equal(toFragment({ wanted: [] }), "");
  assert.equal(toFragment({ wanted: [{ pattern: "orders.*", history: { last: 100 } }] }), "#s=orders.*@last:100");
  for (const fragment of ["", "#", "#s=", "#top", "#s=%E0%A4", "#s=&q=%E0%A4", "#v=log", "#v=other"]) {
    assert.deepEqual(fromFragment(fragment), NOTHING);
  }
});

test("a link cannot ask for more than a connection may follow", () => {
  const wanted = auto(...Array.from({ length: 1_000 }, (_, n) => `s.${n}`));
  assert.equal(fromFragment(toFragment({ wanted })).wanted.length, 128);
});
