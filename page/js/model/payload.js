import { bytes, utf8Length } from "./format.js";
import { wholeCharacter } from "./json-view.js";
import { inOrder, oneLine } from "./signs.js";
import { operationWord } from "./stored.js";

const PREVIEW = 300;
const LOOKED_AT = 4 * PREVIEW; // of JSON that is laid out on many lines, most may be white space
const LONGEST_MARK = 20; // whoever publishes may name an operation
const INDENT = /[ \t]*[\r\n]\s*/g;
const ENDINGS = { json: "json", text: "txt", base64: "bin" };
const utf8 = new TextEncoder();

/** What there is to read and copy: the JSON text as it came, the text, or the base64. */
export function fullText({ raw, encoding }) {
  if (encoding === "json") return raw;
  return encoding === "base64" ? raw.slice(1, -1) : JSON.parse(raw);
}

/** One short line of it for the list; control characters become their visible signs, and so does that it is cut. */
export function preview(message) {
  message.preview ??= firstLine(message);
  return message.preview;
}

/** The same, begun at a character in the middle of it. */
export function previewFrom(message, start) {
  const text = fullText(message);
  return `…${firstLine(message, text.slice(wholeCharacter(text, start)))}`;
}

function firstLine(message, all = fullText(message)) {
  const some = all.slice(0, LOOKED_AT);
  // In JSON a line break stands between two values, where the white space around it says nothing.
  const line = message.encoding === "json" ? some.replace(INDENT, " ").trim() : some;
  const isWhole = line.length <= PREVIEW && some.length === all.length;
  const shown = oneLine(isWhole ? line : `${copied(line.slice(0, PREVIEW - 1))}…`);
  return message.encoding === "json" ? inOrder(shown) : shown;
}

// A slice may keep the whole text it was cut from in memory; what was joined does not.
function copied(text) {
  return Array.from(text).join("");
}

/** Size of the payload as it travels in NATS: "212 B". */
export function sizeText(message) {
  return bytes(payloadBytes(message));
}

/** The same as a number of bytes. */
export function payloadBytes(message) {
  message.size ??= message.encoding === "base64" ? payloadSize(message) : utf8Length(fullText(message));
  return message.size;
}

/** Bytes of the payload, exact for binary ones; of text its characters, since to encode each one would cost more. */
export function payloadSize({ raw, encoding }) {
  if (encoding === "json") return raw.length;
  const inside = raw.length - 2; // without the quotes
  if (encoding === "text") return inside;
  const padding = raw.endsWith('=="') ? 2 : Number(raw.endsWith('="'));
  return (inside / 4) * 3 - padding;
}

/** The payload as it travels in NATS, byte for byte. */
export function payloadOf(message) {
  const text = fullText(message);
  if (message.encoding !== "base64") return utf8.encode(text);
  const decoded = atob(text);
  const payload = new Uint8Array(decoded.length);
  for (let at = 0; at < decoded.length; at += 1) payload[at] = decoded.charCodeAt(at);
  return payload;
}

/** A name for a file with the payload: "orders.created-1234.json". */
export function fileName({ subject, seq, encoding }) {
  const name = subject.replace(/[^\p{L}\p{N}._-]/gu, "_").slice(0, 100);
  return `${name}-${seq + 1}.${ENDINGS[encoding]}`;
}

/** The word that marks a message whose sender waits for an answer: "request" or "". */
export function requestMark({ reply }) {
  return reply ? "request" : "";
}

/** The word that marks a payload which is not plain to see: "binary", "empty", "deleted" and its like, or "". */
export function mark(message) {
  const { raw, encoding } = message;
  const operation = operationWord(message);
  if (operation) return oneLine(operation.slice(0, LONGEST_MARK));
  if (encoding === "base64") return "binary";
  return encoding === "text" && raw === '""' ? "empty" : "";
}
