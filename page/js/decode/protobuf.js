import { NotIt, Reader, hexText } from "./reader.js";

const MOST_BYTES = 10; // of a varint
const DEEPEST = 20;
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f]/;

/**
 * A whole payload in protobuf as JSON, without a schema: fields by number, `{"1":42,"2":"eu","3":{"1":7}}`, in their
 * order. Of what has a length, text is taken for text, else what reads as fields for fields. Throws NotIt.
 */
export function protobufToJson(bytes) {
  return fields(new Reader(bytes), 0);
}

function fields(reader, depth) {
  const members = [];
  while (!reader.isAtEnd) {
    const head = varint(reader);
    if (head >> 3n === 0n || head >> 32n) reader.fail("no field has this number");
    members.push(`"${head >> 3n}":${value(reader, Number(head & 7n), depth)}`);
  }
  return `{${members.join(",")}}`;
}

function value(reader, type, depth) {
  if (type === 0) return String(varint(reader));
  if (type === 1) return reader.float(8, true);
  if (type === 5) return reader.float(4, true);
  if (type !== 2) return reader.fail("no field has this kind");
  const bytes = reader.take(Number(varint(reader)));
  return text(bytes) ?? nested(bytes, depth + 1) ?? hexText(bytes);
}

function text(bytes) {
  return tried(() => {
    const json = new Reader(bytes).text(bytes.length);
    return UNSEEN.test(JSON.parse(json)) ? null : json;
  });
}

function nested(bytes, depth) {
  return depth > DEEPEST ? null : tried(() => fields(new Reader(bytes), depth));
}

function tried(read) {
  try {
    return read();
  } catch (error) {
    if (error instanceof NotIt) return null;
    throw error;
  }
}

function varint(reader) {
  let number = 0n;
  for (let place = 0; place < MOST_BYTES; place += 1) {
    const byte = reader.byte();
    number |= BigInt(byte & 0x7f) << BigInt(7 * place);
    if (byte < 0x80) return number;
  }
  return reader.fail("a number that is too long");
}
