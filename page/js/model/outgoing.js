import { bytes, utf8Length } from "./format.js";
import { fullText, payloadOf } from "./payload.js";

const LIKE_JSON = /^\s*[{["]/;
const MOST_EDITED = 1_000_000; // characters that a field bears
const UNTYPABLE = /[\u0000-\u0008\u000b-\u001f\u007f]/; // a field takes \r for \n
const OF_NATS = /^nats-/i;
const NAME_AND_VALUE = /^([^\s:]+):[ \t]*(.*?)[ \t]*$/;

/**
 * A message as what is to be published again: `{ values, note }`, the values as they stand in the fields, the note
 * saying what is left out. Headers of NATS itself are: with the same id a stream would take it for one that it has.
 */
export function publicationOf(message) {
  const { subject, headers = [], encoding } = message;
  const isBinary = encoding === "base64" || UNTYPABLE.test(fullText(message));
  const payload = isBinary ? base64Of(message) : fullText(message);
  const isTooLong = payload.length > MOST_EDITED;
  const kept = headers.filter(isTypable);
  const left = new Set(headers.filter((header) => !kept.includes(header)).map(([name]) => name));
  const values = {
    subject,
    payload: isTooLong ? "" : payload,
    headers: kept.map(([name, value]) => `${name}: ${value}`).join("\n"),
    encoding: isBinary ? "base64" : "",
  };
  const notes = [isTooLong && "The payload is too long to be edited here.", left.size && `Left out: ${[...left].join(", ")}.`];
  return { values, note: notes.filter(Boolean).join(" ") };
}

/** An answer to a message, of which only the subject is known. */
export function replyTo({ reply }) {
  return { values: { subject: reply, payload: "", headers: "", encoding: "" }, note: "" };
}

function base64Of(message) {
  if (message.encoding === "base64") return fullText(message);
  return btoa(Array.from(payloadOf(message), (byte) => String.fromCharCode(byte)).join(""));
}

// As one line that is read as the same header.
function isTypable([name, value, encoding]) {
  return !encoding && !OF_NATS.test(name) && !/[\r\n]/.test(value) && NAME_AND_VALUE.exec(`${name}: ${value}`)?.[2] === value;
}

/**
 * What a payload is that somebody types, in words: "JSON, 12 B". `wrong` says that it begins like JSON, and is none,
 * or that it is to be base64, and is none.
 */
export function describePayload(text, encoding = "") {
  if (encoding === "base64") return describeBase64(text);
  if (!text) return { text: "Empty", wrong: false };
  const size = bytes(utf8Length(text));
  try {
    JSON.parse(text);
    return { text: `JSON, ${size}`, wrong: false };
  } catch ({ message }) {
    if (!LIKE_JSON.test(text)) return { text: `Text, ${size}`, wrong: false };
    return { text: `Text, ${size}: it begins like JSON, and is none${placeIn(message)}`, wrong: true };
  }
}

function describeBase64(text) {
  try {
    return { text: `Binary, ${bytes(atob(text).length)}`, wrong: false };
  } catch {
    return { text: "This is no base64", wrong: true };
  }
}

/** Headers typed as lines `Name: value`: `{ headers }` as pairs in their order, or `{ error }` that names the line. */
export function parseHeaders(text) {
  const headers = [];
  for (const [place, line] of text.split("\n").entries()) {
    if (!line.trim()) continue;
    const found = NAME_AND_VALUE.exec(line.trim());
    if (!found) return { error: `Line ${place + 1} of the headers is not "Name: value".` };
    headers.push([found[1], found[2]]);
  }
  return { headers };
}

// Not every browser says where.
function placeIn(message) {
  const [, line, column] = /line (\d+) column (\d+)/.exec(message) ?? [];
  return line ? `: see line ${line}, column ${column}` : "";
}
