import assert from "node:assert/strict";
import test from "node:test";
import { oneLine, partsWithSigns, withSigns } from "../../../page/js/model/signs.js";

test("whatever is seen by nobody, or turns what is seen, becomes a sign", () => {
  for (const code of [0, 7, 0x1b, 0x7f, 0x80, 0x9f, 0x200b, 0x200c, 0x200d, 0x200f, 0x202a, 0x202e, 0x2060, 0x2066, 0x2069, 0x206f, 0xfeff]) {
    const sign = `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`;
    assert.equal(withSigns(`a${String.fromCharCode(code)}b`), `a${sign}b`);
  }
});

test("what is seen stays, and so do line breaks and tabs", () => {
  for (const text of ["a b\tc\nd\r\n", "é ü ß 中 דוד", "\u00a0", "👨‍👩‍👧 👍🏽 ❤️‍🔥", ""]) assert.equal(withSigns(text), text);
});

test("on one line also line breaks, tabs and spaces at the ends are seen", () => {
  assert.equal(oneLine("  a\r\nb\rc\n\td "), "··a↵b↵c↵⇥d·");
});

test("the parts make up the text, and say which are signs", () => {
  assert.deepEqual(partsWithSigns("a\u202eb\u0000"), [
    { text: "a", isSign: false }, { text: "⟨U+202E⟩", isSign: true },
    { text: "b", isSign: false }, { text: "⟨U+0000⟩", isSign: true },
  ]);
  assert.deepEqual(partsWithSigns(""), []);
});
