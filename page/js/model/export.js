import { readable } from "./filter.js";

const SLICE = 6; // ms of work at a time: a long export holds up nothing else
const SLICE_CHARS = 524_288; // the same for the copy into a blob, which begins when the lines are there
const LINE_BREAKS = /[\r\n]+/g;
const FORMULA = /^[=+\-@\t\r\n]/; // a spreadsheet would run the cell, or what it makes of it
const NUMBER = /^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$/; // it begins like a formula, and is none
const BOM = "\ufeff"; // or Excel takes UTF-8 for the code page of its system
const QUOTED = /[",\r\n]/;

/** The kinds of file: what comes first, a line for each message, the media type. */
export const FORMATS = {
  ndjson: { head: "", line: ndjsonLine, type: "application/x-ndjson" },
  csv: { head: `${BOM}time,subject,data,encoding,reply,headers,stream,seq,replay,operation\r\n`, line: csvLine, type: "text/csv" },
};

/** The messages of a source as they are now, without the notes among them. */
export function messagesOf(source) {
  const entries = Array.from({ length: source.length }, (_, index) => source.at(index));
  return entries.filter(({ kind }) => kind === "message");
}

/**
 * A file of these messages. Works in slices; `progress(part)` is told how far it is, from 0 to 1, and
 * ends it by returning false: then there is no file, but null.
 */
export async function exported(messages, format, progress = () => true) {
  const { head, line, type } = FORMATS[format];
  const parts = [head]; // of blobs, which need not be in the memory of the page
  for (let done = 0; done < messages.length;) {
    const lines = slice(messages, done, line);
    done += lines.length;
    parts.push(new Blob(lines));
    if (progress(done / messages.length) === false) return null;
    await new Promise((resolve) => setTimeout(resolve));
  }
  return new Blob(parts, { type });
}

// At least one line, and no more than there is time for.
function slice(messages, start, line) {
  const until = performance.now() + SLICE;
  const lines = [];
  let chars = 0;
  do {
    lines.push(line(messages[start + lines.length]));
    chars += lines.at(-1).length;
  } while (start + lines.length < messages.length && chars < SLICE_CHARS && performance.now() < until);
  return lines;
}

/** "nats-2026-01-31T12-01-09Z.csv": a name that every system takes. */
export function fileName(format, time) {
  const moment = new Date(time).toISOString().replace(/\.\d+/, "").replaceAll(":", "-");
  return `nats-${moment}.${format}`;
}

// As on the wire, with the time. Raw JSON is not written anew, so numbers keep their digits; in it a line
// break can only stand between two values, where a space is the same.
function ndjsonLine({ time, subject, reply, headers = [], raw, encoding, stored }) {
  const data = raw.replace(LINE_BREAKS, " ");
  const name = encoding === "json" ? "" : `,"encoding":"${encoding}"`;
  const answer = reply ? `,"reply":${JSON.stringify(reply)}` : "";
  const pairs = headers.length ? `,"headers":${JSON.stringify(headers)}` : "";
  const place = stored ? `,${JSON.stringify(placeOf(stored)).slice(1, -1)}` : "";
  return `{"time":"${iso(time)}","subject":${JSON.stringify(subject)}${place}${answer}${pairs},"data":${data}${name}}\n`;
}

function csvLine(message) {
  const { time, subject, encoding, reply = "", headers = [] } = message;
  const pairs = headers.length ? JSON.stringify(headers) : "";
  const { stream = "", seq = "", replay = "", operation = "" } = message.stored ? placeOf(message.stored) : {};
  const cells = [iso(time), subject, readable(message), encoding, reply, pairs, stream, String(seq), String(replay), operation];
  return `${cells.map(cell).join(",")}\r\n`;
}

// Where it is stored, without what does not hold.
function placeOf({ stream, seq, replay, operation }) {
  return { stream, seq, replay: replay || undefined, operation };
}

// RFC 4180, with a ' before whatever a spreadsheet would take for a formula.
function cell(text) {
  const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return QUOTED.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function iso(time) {
  return new Date(time).toISOString();
}
