import assert from "node:assert/strict";
import test from "node:test";
import { LINE, hexLines } from "../../../page/js/model/hex.js";
import { payloadOf } from "../../../page/js/model/payload.js";
import { whole } from "../support/random.mjs";

test("a line has the offset, sixteen bytes and the ASCII among them", () => {
  const bytes = new TextEncoder().encode("Hello, 12345678\n\u00e9!");
  assert.deepEqual(hexLines(bytes), [
    "00000000  48 65 6c 6c 6f 2c 20 31  32 33 34 35 36 37 38 0a  Hello, 12345678.",
    "00000010  c3 a9 21                                          ..!",
  ]);
  assert.equal(hexLines(bytes)[0].length, LINE);
  assert.deepEqual(hexLines(bytes, 16, 24, 8), ["00000010  c3 a9 21                 ..!"]);
  assert.deepEqual(hexLines(new Uint8Array()), []);
});

test("the bytes can be read back, and slices are the same lines", () => {
  for (let round = 0; round < 100; round += 1) {
    const bytes = Uint8Array.from({ length: whole(200) }, () => whole(256));
    const lines = hexLines(bytes);
    const read = lines.flatMap((line) => line.slice(10, 58).trim().split(/ +/)).map((pair) => parseInt(pair, 16));
    assert.deepEqual(read, [...bytes]);
    assert.ok(lines.every((line) => line.length - line.indexOf("  ", 57) <= 18 && line[58] === " "));
    assert.deepEqual([...hexLines(bytes, 0, 64), ...hexLines(bytes, 64)], lines);
  }
});

test("the bytes of a payload are those that were sent", () => {
  const bytes = Uint8Array.from([255, 0, 10, 128]);
  const raw = JSON.stringify(Buffer.from(bytes).toString("base64"));
  assert.deepEqual(payloadOf({ raw, encoding: "base64" }), bytes);
  assert.deepEqual([...payloadOf({ raw: '"\\n\\u00e9"', encoding: "text" })], [10, 0xc3, 0xa9]);
  assert.deepEqual([...payloadOf({ raw: "1.0", encoding: "json" })], [49, 46, 48]);
});
