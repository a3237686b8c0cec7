import { Reader, hexText, keyText, whole } from "./reader.js";

const TIMESTAMP = -1;
const UINTS = { 0xcc: 1, 0xcd: 2, 0xce: 4, 0xcf: 8 };
const INTS = { 0xd0: 1, 0xd1: 2, 0xd2: 4, 0xd3: 8 };
const FLOATS = { 0xca: 4, 0xcb: 8 };
const TEXTS = { 0xd9: 1, 0xda: 2, 0xdb: 4 };
const BINARIES = { 0xc4: 1, 0xc5: 2, 0xc6: 4 };
const LISTS = { 0xdc: 2, 0xdd: 4 };
const MAPS = { 0xde: 2, 0xdf: 4 };
const EXTENSIONS = { 0xc7: 1, 0xc8: 2, 0xc9: 4 };
const FIXED = { 0xd4: 1, 0xd5: 2, 0xd6: 4, 0xd7: 8, 0xd8: 16 };
const PLAIN = { 0xc0: "null", 0xc2: "false", 0xc3: "true" };

/** A whole payload in MessagePack as JSON, each number digit for digit. Throws NotIt. */
export function msgpackToJson(bytes) {
  return whole(bytes, value);
}

function value(reader, depth) {
  const head = reader.byte();
  if (head < 0x80) return String(head);
  if (head < 0x90) return map(reader, head & 0x0f, depth);
  if (head < 0xa0) return list(reader, head & 0x0f, depth);
  if (head < 0xc0) return reader.text(head & 0x1f);
  if (head >= 0xe0) return String(head - 0x100);
  if (PLAIN[head]) return PLAIN[head];
  if (UINTS[head]) return String(reader.uint(UINTS[head]));
  if (INTS[head]) return String(reader.int(INTS[head]));
  if (FLOATS[head]) return reader.float(FLOATS[head]);
  if (TEXTS[head]) return reader.text(reader.size(TEXTS[head]));
  if (BINARIES[head]) return hexText(reader.take(reader.size(BINARIES[head])));
  if (LISTS[head]) return list(reader, reader.size(LISTS[head]), depth);
  if (MAPS[head]) return map(reader, reader.size(MAPS[head]), depth);
  if (FIXED[head]) return extension(reader, FIXED[head]);
  if (EXTENSIONS[head]) return extension(reader, reader.size(EXTENSIONS[head]));
  return reader.fail("a byte c1, which means nothing");
}

function list(reader, length, depth) {
  const below = reader.descend(depth);
  const values = [];
  for (let place = 0; place < length; place += 1) values.push(value(reader, below));
  return `[${values.join(",")}]`;
}

function map(reader, length, depth) {
  const below = reader.descend(depth);
  const members = [];
  for (let place = 0; place < length; place += 1) members.push(`${keyText(value(reader, below))}:${value(reader, below)}`);
  return `{${members.join(",")}}`;
}

function extension(reader, length) {
  const type = reader.int(1);
  const data = reader.take(length);
  const time = type === TIMESTAMP ? timestamp(data) : "";
  return time || `{"ext":${type},"data":${hexText(data)}}`;
}

function timestamp(data) {
  const reader = new Reader(data);
  if (data.length === 4) return timeText(reader.uint(4), 0);
  if (data.length === 12) {
    const part = reader.uint(4);
    return timeText(Number(reader.int(8)), part);
  }
  if (data.length !== 8) return "";
  const both = reader.uint(8);
  return timeText(Number(both & 0x3ffffffffn), Number(both >> 34n));
}

function timeText(seconds, nanoseconds) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return "";
  const part = nanoseconds ? `.${String(nanoseconds).padStart(9, "0")}` : "";
  return `"${date.toISOString().slice(0, -5)}${part}Z"`;
}
