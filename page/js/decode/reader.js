/** Says why bytes are not what they were taken for; `at` is the place of the byte where that showed. */
export class NotIt extends Error {
  constructor(sentence, at) {
    super(sentence);
    this.at = at;
  }
}

const DEEPEST = 100;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What `value` makes of bytes, from the first one to the last. Throws NotIt. */
export function whole(bytes, value) {
  const reader = new Reader(bytes);
  const made = value(reader, 0);
  if (!reader.isAtEnd) reader.fail("something follows");
  return made;
}

/** Bytes from which values are taken one after the other; none beyond the end. */
export class Reader {
  #bytes;
  #view;

  constructor(bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  get isAtEnd() {
    return this.at === this.#bytes.length;
  }

  fail(sentence) {
    throw new NotIt(sentence, this.at);
  }

  /** What holds others may be at most so deep. */
  descend(depth) {
    if (depth >= DEEPEST) this.fail(`more than ${DEEPEST} levels`);
    return depth + 1;
  }

  byte() {
    return this.take(1)[0];
  }

  peek() {
    return this.#bytes[this.at];
  }

  take(length) {
    if (length > this.#bytes.length - this.at) this.fail("it ends too early");
    const taken = this.#bytes.subarray(this.at, this.at + length);
    this.at += length;
    return taken;
  }

  /** An unsigned number of 1, 2, 4 or 8 bytes, exact: a BigInt if it has 8. */
  uint(length) {
    const at = this.#skip(length);
    if (length === 8) return this.#view.getBigUint64(at);
    return { 1: () => this.#view.getUint8(at), 2: () => this.#view.getUint16(at), 4: () => this.#view.getUint32(at) }[length]();
  }

  /** The same with a sign. */
  int(length) {
    return length === 8 ? BigInt.asIntN(64, this.uint(8)) : (this.uint(length) << (32 - 8 * length)) >> (32 - 8 * length);
  }

  /** A length, which may come as a BigInt: one that cannot be is too long for what is left anyway. */
  size(length) {
    return Number(this.uint(length));
  }

  /** A floating point number of 4 or 8 bytes, as JSON. */
  float(length, littleEndian = false) {
    const at = this.#skip(length);
    return floatText(length === 4 ? this.#view.getFloat32(at, littleEndian) : this.#view.getFloat64(at, littleEndian), length === 4);
  }

  /** So many bytes as text, in JSON. */
  text(length) {
    const at = this.at;
    try {
      return JSON.stringify(strict.decode(this.take(length)));
    } catch (error) {
      if (error instanceof NotIt) throw error;
      throw new NotIt("a text that is not UTF-8", at);
    }
  }

  #skip(length) {
    this.take(length);
    return this.at - length;
  }
}

/** Bytes as JSON: "h'00ff'". */
export function hexText(bytes) {
  return `"h'${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}'"`;
}

/** A name of an object in JSON: what is no text becomes one. */
export function keyText(json) {
  return json.startsWith('"') ? json : JSON.stringify(json);
}

/** A number as JSON, one of 32 bits no longer than it takes to tell it from its neighbours. */
export function floatText(number, isSingle = false) {
  if (!Number.isFinite(number)) return `"${number}"`;
  for (let digits = 6; isSingle && digits < 10; digits += 1) {
    const short = Number(number.toPrecision(digits));
    if (Math.fround(short) === number) return String(short);
  }
  return String(number);
}
