import { cborToJson } from "./cbor.js";
import { inflate } from "./inflate.js";
import { msgpackToJson } from "./msgpack.js";
import { protobufToJson } from "./protobuf.js";
import { NotIt } from "./reader.js";

const MOST = 8 * 1024 * 1024; // bytes that anything is inflated to
const MOST_READ = 4 * 1024 * 1024; // bytes of what is read value by value
const LAYERS = 3; // one in the other
const COMPRESSED = { gzip: "gzip", zlib: "deflate" };
const READ = { MessagePack: msgpackToJson, CBOR: cborToJson, protobuf: protobufToJson };
const TYPES = [[/msgpack/i, "MessagePack"], [/\bcbor\b/i, "CBOR"], [/protobuf|\bgrpc\b/i, "protobuf"]];
const strict = new TextDecoder("utf-8", { fatal: true });

/**
 * What is in bytes that are no text: `{ names, text, isJson, size, note }`, `names` being what it was, from the outside
 * in, as ["gzip", "JSON"], and `size` the bytes inside; null if nothing is recognised. `as` says what it is, "" to find
 * out; `type` is its content type, if one is told. Throws NotIt if it is not what `as` says.
 */
export async function decode(bytes, { as = "", type = "" } = {}) {
  const names = [];
  let inside = bytes;
  let note = "";
  for (let layer = 0; layer < LAYERS; layer += 1) {
    const name = layer === 0 && as ? as : recognised(inside, layer === 0 ? type : "");
    if (READ[name]) return { names: [...names, name], text: read(inside, name), isJson: true, size: inside.length, note };
    if (!COMPRESSED[name]) break;
    const inflated = await inflate(inside, COMPRESSED[name], MOST);
    if (inflated.isDamaged && !inflated.bytes.length) throw new NotIt("it is damaged", 0);
    names.push(name);
    inside = inflated.bytes;
    if (inflated.isCut) note = "Stopped at 8 MB of it.";
    if (inflated.isDamaged) note = "Damaged: this is what could be read.";
    const text = textOf(inside);
    if (text) return { names: [...names, text.name], ...text, size: inside.length, note };
  }
  return names.length ? { names: [...names, "binary"], text: null, isJson: false, size: inside.length, note, bytes: inside } : null;
}

function read(bytes, name) {
  if (bytes.length > MOST_READ) throw new NotIt("more than 4 MB are not read", MOST_READ);
  return READ[name](bytes);
}

// Bytes of a number or a short text could be anything: only a whole list or object is recognised.
function recognised(bytes, type) {
  const told = TYPES.find(([pattern]) => pattern.test(type))?.[1];
  if (told && reads(bytes, told)) return told;
  const [first, second, third] = bytes;
  if (first === 0x1f && second === 0x8b) return "gzip";
  if ((first & 0x0f) === 8 && first <= 0x78 && ((first << 8) | second) % 31 === 0) return "zlib";
  const isMsgpack = (first >= 0x80 && first < 0xa0) || (first >= 0xdc && first <= 0xdf);
  if (isMsgpack && bytes.length > 1 && reads(bytes, "MessagePack")) return "MessagePack";
  const isCbor = (first >= 0x80 && first < 0xc0) || (first === 0xd9 && second === 0xd9 && third === 0xf7);
  return isCbor && bytes.length > 1 && reads(bytes, "CBOR") ? "CBOR" : "";
}

function reads(bytes, name) {
  try {
    return read(bytes, name) !== null;
  } catch (error) {
    if (error instanceof NotIt) return false;
    throw error;
  }
}

function textOf(bytes) {
  let text;
  try {
    text = strict.decode(bytes);
  } catch {
    return null;
  }
  try {
    JSON.parse(text);
    return { name: "JSON", text, isJson: true };
  } catch {
    return { name: "text", text, isJson: false };
  }
}
