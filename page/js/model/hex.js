const HALF = 8;

const pairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Characters of a line of 16 bytes. */
export const LINE = 76;

/** The bytes from `start` up to `end` as lines of 16, or 8: offset, bytes, and the ASCII among them. */
export function hexLines(bytes, start = 0, end = bytes.length, across = 2 * HALF) {
  const lines = [];
  for (let at = start; at < Math.min(end, bytes.length); at += across) lines.push(hexLine(bytes, at, across));
  return lines;
}

function hexLine(bytes, at, across) {
  const some = bytes.subarray(at, at + across);
  const words = Array.from(some, (byte) => pairs[byte]);
  const left = words.slice(0, HALF).join(" ");
  const hex = words.length > HALF ? `${left}  ${words.slice(HALF).join(" ")}` : left;
  const ascii = Array.from(some, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".")).join("");
  return `${at.toString(16).padStart(8, "0")}  ${hex.padEnd(across > HALF ? 3 * across : 3 * across - 1)}  ${ascii}`;
}
