import { diff, fold, paired } from "../model/diff.js";
import { duration } from "../model/duration.js";
import { count } from "../model/format.js";
import { hexLines } from "../model/hex.js";
import { START, layOut, linesText, wholeCharacter } from "../model/json-view.js";
import { fullText, payloadOf } from "../model/payload.js";
import { withSigns } from "../model/signs.js";
import { signed } from "./signed.js";

const SLICE = 8 * 1024;
const MOST_COMPARED = 512 * 1024;

/** The JSON text of a message laid out, without what `folds` hides; `nodes(lines)` draws lines of tokens. */
export function* prettySlices(message, nodes, folds = null) {
  const text = fullText(message);
  for (let from = START; from; ) {
    const here = from;
    const { lines, next } = layOut(text, { from: here, folds });
    const size = (next?.at ?? text.length) - here.at;
    yield { text: linesText(lines), size, draw: () => nodes(layOut(text, { from: here, folds }).lines) };
    from = next;
  }
}

/** The payload as it came: JSON, text, or base64. */
export function* rawSlices(message) {
  const text = fullText(message);
  for (let at = 0, end; at < text.length; at = end) {
    end = at + SLICE < text.length ? wholeCharacter(text, at + SLICE) : text.length;
    const part = text.slice(at, end);
    yield { text: part, size: part.length, draw: () => signed(part) };
  }
}

/** What was found in the bytes of a message, `{ text, isJson }`; `nodes(lines)` draws lines of tokens. */
export function decodedSlices({ text, isJson }, nodes) {
  const message = { raw: text, encoding: "json" }; // a text as it is
  return isJson ? prettySlices(message, nodes) : rawSlices(message);
}

/** The bytes of the payload, as many `across` a line. */
export function hexSlices(message, across) {
  return bytesSlices(payloadOf(message), across);
}

/** The same of any bytes. */
export function* bytesSlices(payload, across) {
  for (let at = 0; at < payload.length; at += SLICE) {
    const end = Math.min(at + SLICE, payload.length);
    const text = hexLines(payload, at, end, across).join("\n");
    yield { text, size: end - at, draw: () => [text] };
  }
}

/** What differs from another message: `{ note, slices }`, the note being a sentence. */
export function comparison(older, message) {
  const name = older.subject === message.subject ? "" : `${withSigns(older.subject)} `;
  const after = older.time - message.time;
  const since = `${name}#${count(older.seq + 1)}, ${duration(Math.abs(after))} ${after > 0 ? "after" : "before"}`;
  const steps = changes(older, message);
  if (!steps) return { note: `Too much to compare with ${since}.`, slices: [].values() };
  const changed = steps.filter(({ sign }) => sign !== " ");
  const note = changed.length ? `Compared with ${since}` : `Nothing differs from ${since}`;
  return { note, slices: diffSlices(fold(paired(steps))) };
}

function changes(older, message) {
  if (Math.max(older.raw.length, message.raw.length) > MOST_COMPARED) return null;
  return diff(linesOf(older), linesOf(message));
}

function linesOf(message) {
  if (message.encoding === "text") return fullText(message).split("\n");
  const slices = message.encoding === "json" ? prettySlices(message) : hexSlices(message);
  return Array.from(slices, ({ text }) => text.split("\n")).flat();
}

const DIFF_LINES = 500;
const CLASSES = { "+": "diff-new", "-": "diff-old", " ": "diff-same", "…": "diff-fold" };

function* diffSlices(steps) {
  for (let at = 0; at < steps.length; at += DIFF_LINES) {
    const some = steps.slice(at, at + DIFF_LINES);
    const text = some.map(({ sign, text: line = "" }) => `${sign} ${line}`).join("\n");
    yield { text, size: text.length, draw: () => some.map(diffLine) };
  }
}

function diffLine({ sign, text, count: folded, part }) {
  const line = document.createElement("div");
  line.className = `diff-line ${CLASSES[sign]}`;
  if (folded) line.append(`… ${count(folded)} ${folded === 1 ? "line" : "lines"} alike`);
  else if (part) line.append(`${sign} `, ...signed(text.slice(0, part[0])), marked(text.slice(...part)), ...signed(text.slice(part[1])));
  else line.append(`${sign} `, ...signed(text));
  return line;
}

function marked(text) {
  const element = document.createElement("span");
  element.className = "diff-part";
  element.append(...signed(text));
  return element;
}
