import { floatText, hexText, keyText, whole } from "./reader.js";

const LENGTHS = { 24: 1, 25: 2, 26: 4, 27: 8 };
const OPEN = 31; // as a length: until a break
const BREAK = 0xff;
const PLAIN = { 20: "false", 21: "true", 22: "null", 23: '"undefined"' };
const SELF_DESCRIBED = 55_799n;
const POSITIVE = 2n;
const NEGATIVE = 3n;

/** A whole payload in CBOR as JSON, each number digit for digit; a tag becomes `{"tag 1": …}`. Throws NotIt. */
export function cborToJson(bytes) {
  return whole(bytes, value);
}

function value(reader, depth) {
  const head = reader.byte();
  const type = head >> 5;
  const short = head & 0x1f;
  if (type === 7) return simple(reader, short);
  if (short > 27 && short !== OPEN) reader.fail("a length that means nothing");
  if (short === OPEN) return open(reader, type, depth);
  const argument = LENGTHS[short] ? BigInt(reader.uint(LENGTHS[short])) : BigInt(short);
  if (type === 0) return String(argument);
  if (type === 1) return String(-1n - argument);
  if (type === 6) return tagged(reader, argument, depth);
  return ofLength(reader, type, Number(argument), depth);
}

function ofLength(reader, type, length, depth) {
  if (type === 2) return hexText(reader.take(length));
  if (type === 3) return reader.text(length);
  let place = 0;
  return collected(reader, type, depth, () => place++ === length);
}

function open(reader, type, depth) {
  const isOver = () => reader.peek() === BREAK && reader.byte();
  if (type === 4 || type === 5) return collected(reader, type, depth, isOver);
  if (type !== 2 && type !== 3) reader.fail("a length that means nothing");
  const pieces = [];
  while (!isOver()) {
    if (reader.peek() >> 5 !== type || (reader.peek() & 0x1f) === OPEN) reader.fail("a piece of another kind");
    pieces.push(value(reader, depth));
  }
  if (type === 3) return JSON.stringify(pieces.map((piece) => JSON.parse(piece)).join(""));
  return `"h'${pieces.map((piece) => piece.slice(3, -2)).join("")}'"`;
}

function collected(reader, type, depth, isOver) {
  const below = reader.descend(depth);
  const parts = [];
  while (!isOver()) {
    if (type === 4) parts.push(value(reader, below));
    else parts.push(`${keyText(value(reader, below))}:${value(reader, below)}`);
  }
  return type === 4 ? `[${parts.join(",")}]` : `{${parts.join(",")}}`;
}

function tagged(reader, tag, depth) {
  const json = value(reader, reader.descend(depth));
  if (tag === SELF_DESCRIBED) return json;
  const digits = json.slice(3, -2); // of h'…'
  if ((tag === POSITIVE || tag === NEGATIVE) && /^"h'[0-9a-f]{1,256}'"$/.test(json)) {
    const number = BigInt(`0x${digits}`);
    return String(tag === POSITIVE ? number : -1n - number);
  }
  return `{"tag ${tag}":${json}}`;
}

function simple(reader, short) {
  if (PLAIN[short]) return PLAIN[short];
  if (short === 25) return floatText(half(reader.uint(2)));
  if (short === 26) return reader.float(4);
  if (short === 27) return reader.float(8);
  if (short > 24) return reader.fail("a byte that means nothing");
  return `"simple ${short === 24 ? reader.byte() : short}"`;
}

function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -14 * (fraction / 1024);
}
