import { alternatives, someOf, termsIn } from "./filter-tree.js";
import { headerLine } from "./meta.js";
import { fault } from "./subjects.js";

const MOST_CHARS = 1_000; // a link must not bring a filter that takes seconds for each message
const NUMBER_ENDS = String.raw`(?![\w.])`;
const LINE_BREAKS = /[\r\n]\s*/g;
const SYNTAX = /[\\^$.*+?()[\]{}|/]/g;

/**
 * A filter text as a predicate: `{ matches(message), error, empty, hasRegex, marks }`, marks being regexes that find
 * what is looked for.
 * Words, "phrases" and /regexes/ are looked for in subject and payload; `level:error` and `price>100` ask for the value
 * of a key; `subject:` takes a NATS pattern, `header:` a part of a header's name or value, or both whole with `=`
 * between them; `is:request`, `size>10k`, `after:12:01` are of the message. `-` excludes, OR has it either way, brackets
 * hold together; else all must hold. `error` is a sentence that says what to mend, "" if there is nothing to.
 */
export function parseFilter(text) {
  const tooLong = text.length > MOST_CHARS;
  const options = tooLong ? [] : alternatives(text);
  const found = [...termsIn(options)];
  const error = tooLong
    ? `A filter has at most ${MOST_CHARS} characters; this one has ${text.length}.`
    : found.find((term) => term.error)?.error ?? "";
  const hasRegex = found.some(({ kind }) => kind === "regex");
  const marks = error ? [] : found.filter(({ not, find }) => find && !not).map(({ find }) => find);
  return { matches: error ? () => false : predicate(options), error, empty: !found.length, hasRegex, marks };
}

/** The filter text that shows only `subject` besides what it asked for before, or all but `subject`. */
export function withSubject(text, subject, excluded = false) {
  const name = fault(subject) || subject.startsWith('"') ? `"${subject}"` : subject;
  const inTheWay = ({ not, value, test }) => value === subject || (!excluded && (!not || test(subject)));
  const term = `${excluded ? "-" : ""}subject:${name}`;
  const options = alternatives(text);
  if (options.length > 1 || options.flat().some(({ kind }) => kind === "group")) return withTerm(text, term);
  const kept = options.flat().filter((each) => !each.error && !(each.kind === "subject" && inTheWay(each)));
  return [...kept.map(({ source }) => source), term].join(" ");
}

/**
 * The filter text that besides shows only what holds `value` in its payload, or all but that. `value` is
 * JSON as written, with its key if it has one: `"state":"error"`. What a phrase cannot say becomes a regex:
 * where a number ends, and quotes in a text.
 */
export function withValue(text, value, excluded = false) {
  const isText = value.endsWith('"');
  const isPhrase = isText && !/"\s|[\r\n]/.test(value);
  const regex = value.replace(SYNTAX, String.raw`\$&`).replace(LINE_BREAKS, String.raw`\s+`); // a field has one line
  const term = isPhrase ? `"${value}"` : `/${regex}${isText ? "" : NUMBER_ENDS}/`;
  return withTerm(text, `${excluded ? "-" : ""}${term}`);
}

/** The term for this header; "" if none can say it. */
export function headerTerm(header) {
  const line = headerLine(header);
  if (/^[^\s"]+$/.test(line)) return `header:${line}`;
  return /"\s|[\r\n]/.test(line) ? "" : `header:"${line}"`;
}

/** The filter text with `what` besides: one of `{ subject }`, `{ text }`, a value, and `{ term }`; or with all but that. */
export function narrowed(text, { subject, text: value, term }, excluded) {
  if (subject) return withSubject(text, subject, excluded);
  return term ? withTerm(text, `${excluded ? "-" : ""}${term}`) : withValue(text, value, excluded);
}

// What stands beside an OR belongs to one side of it.
function withTerm(text, term) {
  return `${alternatives(text).length > 1 ? `(${text.trim()})` : text} ${term}`.trim();
}

/** The payload as a reader sees it: parsed only where it has escapes, so that most texts cost nothing. */
export function readable({ raw, encoding }) {
  if (encoding === "json") return raw;
  return raw.includes("\\") ? JSON.parse(raw) : raw.slice(1, -1);
}

function predicate(options) {
  if (!options.length) return () => true;
  const holds = someOf(options);
  return (message) => holds(message, readable);
}
