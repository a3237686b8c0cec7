import assert from "node:assert/strict";
import test from "node:test";
import zlib from "node:zlib";
import { decode } from "../../../page/js/decode/decode.js";
import { cborToJson } from "../../../page/js/decode/cbor.js";
import { inflate } from "../../../page/js/decode/inflate.js";
import { msgpackToJson } from "../../../page/js/decode/msgpack.js";
import { protobufToJson } from "../../../page/js/decode/protobuf.js";
import { whole } from "../support/random.mjs";

const hex = (text) => Uint8Array.from(text.replaceAll(" ", "").match(/../g) ?? [], (pair) => parseInt(pair, 16));
const ALL = { MessagePack: msgpackToJson, CBOR: cborToJson, protobuf: protobufToJson };

test("MessagePack becomes JSON, each number digit for digit", () => {
  const cases = [
    ["82 a1 61 01 a1 62 c3", '{"a":1,"b":true}'],
    ["93 c0 c2 e0", "[null,false,-32]"],
    ["cf ff ff ff ff ff ff ff ff", "18446744073709551615"],
    ["d3 80 00 00 00 00 00 00 00", "-9223372036854775808"],
    ["93 cc ff cd ff ff ce ff ff ff ff", "[255,65535,4294967295]"],
    ["93 d0 80 d1 80 00 d2 80 00 00 00", "[-128,-32768,-2147483648]"],
    ["92 ca 3d cc cc cd cb 3f b9 99 99 99 99 99 9a", "[0.1,0.1]"],
    ["92 ca 7f 80 00 00 cb 7f f8 00 00 00 00 00 00", '["Infinity","NaN"]'],
    ["92 d9 02 c3 a9 a0", '["é",""]'],
    ["c4 02 00 ff", `"h'00ff'"`],
    ["81 01 81 c0 02", '{"1":{"null":2}}'],
    ["dc 00 01 de 00 01 a1 61 dd 00 00 00 00", '[{"a":[]}]'],
    ["d4 05 2a", `{"ext":5,"data":"h'2a'"}`],
    ["d6 ff 00 00 00 01", '"1970-01-01T00:00:01Z"'],
    ["d7 ff 00 00 00 04 00 00 00 02", '"1970-01-01T00:00:02.000000001Z"'],
    ["c7 0c ff 00 00 00 05 ff ff ff ff ff ff ff ff", '"1969-12-31T23:59:59.000000005Z"'],
  ];
  for (const [bytes, json] of cases) assert.equal(msgpackToJson(hex(bytes)), json, bytes);
});

test("CBOR becomes JSON, as the examples of its standard say", () => {
  const cases = [
    ["1b ff ff ff ff ff ff ff ff", "18446744073709551615"],
    ["3b ff ff ff ff ff ff ff ff", "-18446744073709551616"],
    ["c2 49 01 00 00 00 00 00 00 00 00", "18446744073709551616"],
    ["c3 49 01 00 00 00 00 00 00 00 00", "-18446744073709551617"],
    ["f9 3e 00", "1.5"],
    ["f9 7b ff", "65504"],
    ["f9 00 01", "5.960464477539063e-8"],
    ["f9 fc 00", '"-Infinity"'],
    ["fa 47 c3 50 00", "100000"],
    ["fb 3f f1 99 99 99 99 99 9a", "1.1"],
    ["84 f4 f5 f6 f7", '[false,true,null,"undefined"]'],
    ["f8 ff", '"simple 255"'],
    ["c1 1a 51 4b 67 b0", '{"tag 1":1363896240}'],
    ["44 01 02 03 04", `"h'01020304'"`],
    ["62 c3 bc 61", null],
    ["82 62 c3 bc 61 61", '["ü","a"]'],
    ["a2 61 61 01 02 82 02 03", '{"a":1,"2":[2,3]}'],
    ["5f 42 01 02 43 03 04 05 ff", `"h'0102030405'"`],
    ["7f 65 73 74 72 65 61 64 6d 69 6e 67 ff", '"streaming"'],
    ["9f 01 82 02 03 9f 04 05 ff ff", "[1,[2,3],[4,5]]"],
    ["bf 61 61 01 61 62 9f 02 03 ff ff", '{"a":1,"b":[2,3]}'],
    ["d9 d9 f7 a0", "{}"],
  ];
  for (const [bytes, json] of cases) {
    if (json === null) assert.throws(() => cborToJson(hex(bytes)), /something follows/);
    else assert.equal(cborToJson(hex(bytes)), json, bytes);
  }
});

test("protobuf is read without a schema: fields by number, text, what is within, bytes", () => {
  const cases = [
    ["08 96 01", '{"1":150}'],
    ["12 02 65 75 1a 02 08 07", '{"2":"eu","3":{"1":7}}'],
    ["08 01 08 02", '{"1":1,"1":2}'],
    ["0d 00 00 80 3f 11 00 00 00 00 00 00 f8 3f", '{"1":1,"2":1.5}'],
    ["0a 02 ff 00", `{"1":"h'ff00'"}`],
    ["08 ff ff ff ff ff ff ff ff ff 01", '{"1":18446744073709551615}'],
  ];
  for (const [bytes, json] of cases) assert.equal(protobufToJson(hex(bytes)), json, bytes);
  for (const bytes of ["00", "0b", "08", "12 05 61"]) assert.throws(() => protobufToJson(hex(bytes)), { name: "Error" }, bytes);
});

test("what it is not is told, with the place", () => {
  assert.throws(() => msgpackToJson(hex("92 01")), ({ message, at }) => message === "it ends too early" && at === 2);
  assert.throws(() => msgpackToJson(hex("01 02")), ({ message, at }) => message === "something follows" && at === 1);
  assert.throws(() => msgpackToJson(hex("a1 ff")), ({ message, at }) => message === "a text that is not UTF-8" && at === 1);
  assert.throws(() => cborToJson(hex("5f 61 61 ff")), /a piece of another kind/);
  assert.throws(() => cborToJson(hex("1c")), /means nothing/);
});

test("neither depth nor a length that is only claimed costs anything", () => {
  const deep = new Uint8Array(1_000_000);
  assert.throws(() => msgpackToJson(deep.fill(0x91)), /more than 100 levels/);
  assert.throws(() => cborToJson(deep.fill(0x81)), /more than 100 levels/);
  assert.throws(() => cborToJson(deep.fill(0xc1)), /more than 100 levels/);
  assert.throws(() => cborToJson(deep.fill(0x9f)), /more than 100 levels/);
  for (const bytes of ["dd ff ff ff ff", "df ff ff ff ff", "db ff ff ff ff", "c6 ff ff ff ff"]) assert.throws(() => msgpackToJson(hex(bytes)), /too early/);
  for (const bytes of ["9b ff ff ff ff ff ff ff ff", "5b ff ff ff ff ff ff ff ff", "bf"]) assert.throws(() => cborToJson(hex(bytes)), /too early/);
});

test("whatever bytes come, the end is JSON or a reason", () => {
  for (let round = 0; round < 20_000; round += 1) {
    const bytes = Uint8Array.from({ length: 1 + whole(12) }, () => whole(256));
    for (const read of Object.values(ALL)) {
      let json;
      try {
        json = read(bytes);
      } catch ({ at }) {
        assert.ok(Number.isInteger(at), String(bytes));
        continue;
      }
      JSON.parse(json);
    }
  }
});

test("what is compressed is recognised and read, one in the other", async () => {
  const json = '{"a": 1.50}';
  const cases = [
    [zlib.gzipSync(json), ["gzip", "JSON"], json],
    [zlib.deflateSync("plain words"), ["zlib", "text"], "plain words"],
    [zlib.gzipSync(zlib.deflateSync(json)), ["gzip", "zlib", "JSON"], json],
    [zlib.gzipSync(hex("81 a1 61 cf ff ff ff ff ff ff ff ff")), ["gzip", "MessagePack"], '{"a":18446744073709551615}'],
    [hex("a1 61 61 01"), ["CBOR"], '{"a":1}'],
    [hex("92 01 02"), ["MessagePack"], "[1,2]"],
    [hex("d9 d9 f7 01"), ["CBOR"], "1"],
    [zlib.gzipSync(hex("ff fe 00")), ["gzip", "binary"], null],
  ];
  for (const [bytes, names, text] of cases) {
    const found = await decode(new Uint8Array(bytes));
    assert.deepEqual([found.names, found.text], [names, text]);
  }
  for (const bytes of ["ff 00", "00", "91", "89 50 4e 47 0d 0a", "c3 28"]) assert.equal(await decode(hex(bytes)), null, bytes);
});

test("what the reader or the content type says counts", async () => {
  assert.deepEqual((await decode(hex("82 01 02"), { as: "CBOR" })).text, "[1,2]");
  assert.equal((await decode(hex("08 96 01"), { as: "protobuf" })).text, '{"1":150}');
  assert.equal((await decode(hex("08 96 01"), { type: "application/x-protobuf" })).text, '{"1":150}');
  assert.deepEqual((await decode(hex("82 01 02"), { type: "application/cbor" })).names, ["CBOR"]);
  assert.deepEqual((await decode(hex("81 01 02"), { type: "application/cbor" })).names, ["MessagePack"], "whoever says it may be wrong");
  await assert.rejects(decode(hex("ff"), { as: "gzip" }), /damaged/);
  await assert.rejects(decode(hex("c1"), { as: "MessagePack" }), /means nothing/);
});

test("what would become very much is cut, and never there as a whole", async () => {
  const bomb = new Uint8Array(zlib.gzipSync(new Uint8Array(300_000_000)));
  const before = process.memoryUsage().arrayBuffers;
  const { bytes, isCut } = await inflate(bomb, "gzip", 1_000_000);
  assert.deepEqual([bytes.length, isCut], [1_000_000, true]);
  assert.ok(process.memoryUsage().arrayBuffers - before < 50_000_000);
  const found = await decode(bomb);
  assert.deepEqual([found.size, found.note], [8 * 1024 * 1024, "Stopped at 8 MB of it."]);
});

test("of what is damaged at its end the rest is shown", async () => {
  const whole = zlib.gzipSync("some text that is long enough ".repeat(20));
  const found = await decode(new Uint8Array(whole.subarray(0, whole.length - 4)));
  assert.equal(found.note, "Damaged: this is what could be read.");
  assert.match(found.text, /^some text/);
});

test("layers beyond the third, and more than is quickly read, stay what they are", async () => {
  let nested = zlib.gzipSync("1");
  for (let layer = 0; layer < 3; layer += 1) nested = zlib.gzipSync(nested);
  const found = await decode(new Uint8Array(nested));
  assert.deepEqual([found.names, found.text], [["gzip", "gzip", "gzip", "binary"], null]);
  await assert.rejects(decode(new Uint8Array(5_000_000), { as: "MessagePack" }), /more than 4 MB are not read/);
  assert.equal(await decode(new Uint8Array(5_000_000).fill(0x90)), null);
});

test("a browser is handed compressed bytes in small pieces, and no more than are needed", async (t) => {
  const sizes = [];
  const real = globalThis.DecompressionStream;
  t.after(() => (globalThis.DecompressionStream = real));
  globalThis.DecompressionStream = class {
    constructor() {
      const transform = (piece, controller) => {
        sizes.push(piece.length);
        controller.enqueue(new Uint8Array(1_000 * piece.length));
      };
      return new TransformStream({ transform });
    }
  };
  const { isCut } = await inflate(new Uint8Array(1_000_000), "gzip", 8_000_000);
  assert.ok(isCut);
  assert.ok(Math.max(...sizes) <= 4_096, `${sizes}`);
  assert.ok(sizes.length <= 5, `${sizes}`);
});
