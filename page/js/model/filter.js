import { headerLine } from "./meta.js";
import { isReplayed, operationWord } from "./stored.js";
import { fault, matcher } from "./subjects.js";

const MOST_CHARS = 1_000; // a link must not bring a filter that takes seconds for each message
const TERM = new RegExp(
  [
    String.raw`(?<not>-?)(?:`,
    String.raw`subject:(?:"(?<exact>.+?)"(?!\S)|(?<pattern>\S*))`,
    String.raw`|header:(?:"(?<line>.+?)"(?!\S)|(?<header>\S*))`,
    String.raw`|is:(?<is>request|replayed|deleted)(?!\S)`,
    String.raw`|"(?<phrase>.*?)"(?!\S)`, // a quote inside is text: "st":"error" is one phrase
    String.raw`|/(?<regex>(?:\\.|[^/\\])+)/(?<flags>[dgimsuvy]*)(?!\S)`,
    String.raw`|(?<word>\S+))`,
  ].join(""),
  "gis",
);
const KINDS = { request: ({ reply }) => Boolean(reply), replayed: isReplayed, deleted: (message) => operationWord(message) !== "" };
const ACROSS_TESTS = /[dgy]/g; // flags that only matter to whoever goes from match to match
const NUMBER_ENDS = String.raw`(?![\w.])`;
const LINE_BREAKS = /[\r\n]\s*/g;
const SYNTAX = /[\\^$.*+?()[\]{}|/]/g;

/**
 * A filter text as a predicate: `{ matches(message), error, empty, hasRegex, marks }`, marks being regexes that find
 * what is looked for.
 * Words, "phrases" and /regexes/ are looked for in subject and payload, `subject:` takes a NATS pattern,
 * `header:` a part of a header's name or value, or both whole with `=` between them, `is:request` has a reply subject,
 * `is:replayed` was stored before, `is:deleted` says of a key that it has no value any more,
 * `-` excludes; all must hold. `error` is a sentence that says what to mend, "" if there is nothing to.
 */
export function parseFilter(text) {
  const tooLong = text.length > MOST_CHARS;
  const found = tooLong ? [] : terms(text);
  const error = tooLong
    ? `A filter has at most ${MOST_CHARS} characters; this one has ${text.length}.`
    : found.find((term) => term.error)?.error ?? "";
  const hasRegex = found.some(({ kind }) => kind === "regex");
  const marks = error ? [] : found.filter(({ not, find }) => find && !not).map(({ find }) => find);
  return { matches: error ? () => false : predicate(found), error, empty: !found.length, hasRegex, marks };
}

/** The filter text that shows only `subject` besides what it asked for before, or all but `subject`. */
export function withSubject(text, subject, excluded = false) {
  const name = fault(subject) || subject.startsWith('"') ? `"${subject}"` : subject;
  const inTheWay = ({ not, value, test }) => value === subject || (!excluded && (!not || test(subject)));
  const kept = terms(text).filter((term) => !term.error && !(term.kind === "subject" && inTheWay(term)));
  return [...kept.map(({ source }) => source), `${excluded ? "-" : ""}subject:${name}`].join(" ");
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
  return `${text} ${excluded ? "-" : ""}${term}`.trim();
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
  return term ? `${text} ${excluded ? "-" : ""}${term}`.trim() : withValue(text, value, excluded);
}

/** The payload as a reader sees it: parsed only where it has escapes, so that most texts cost nothing. */
export function readable({ raw, encoding }) {
  if (encoding === "json") return raw;
  return raw.includes("\\") ? JSON.parse(raw) : raw.slice(1, -1);
}

function predicate(found) {
  const subjects = found.filter(({ kind }) => kind === "subject");
  const others = found.filter(({ kind }) => kind === "word" || kind === "regex");
  const beside = found.filter(({ kind }) => kind === "meta");
  return (message) => {
    if (!subjects.every(({ test, not }) => test(message.subject) !== not)) return false;
    if (!beside.every(({ test, not }) => test(message) !== not)) return false;
    if (!others.length) return true;
    const payload = readable(message);
    return others.every(({ test, not }) => (test(message.subject) || test(payload)) !== not);
  };
}

// What is only begun, such as `-` or `subject:`, is no term yet.
function terms(text) {
  return [...text.matchAll(TERM)].map(term).filter(Boolean);
}

function term({ 0: source, groups }) {
  const { not, exact, pattern = exact, line, header = line, is, phrase, regex, flags, word = phrase } = groups;
  const made = { source, not: not === "-" };
  if (pattern) return { ...made, ...subjectTerm(pattern, exact !== undefined) };
  if (header) return { ...made, ...headerTest(header, line !== undefined) };
  if (is) return { ...made, kind: "meta", value: is, error: "", test: KINDS[is.toLowerCase()] };
  if (regex) return { ...made, ...regexTerm(regex, flags) };
  if (word && word !== "-") return { ...made, ...wordTerm(word, phrase !== undefined) };
  return null;
}

function subjectTerm(value, quoted) {
  const error = quoted ? "" : unfinished(value) || fault(value); // quotes are the way past the check, for odd names
  return { kind: "subject", value, error, test: matcher(value) };
}

function headerTest(value, quoted) {
  const error = quoted ? "" : unfinished(value);
  const wanted = value.toLowerCase();
  const isIn = (text) => text.toLowerCase().includes(wanted);
  const isWhole = value.includes("=");
  const has = (header) => (isWhole ? headerLine(header).toLowerCase() === wanted : isIn(header[0]) || isIn(header[1]));
  return { kind: "meta", value, error, test: ({ headers = [] }) => headers.some(has) };
}

function regexTerm(value, flags) {
  try {
    const regex = new RegExp(value, flags.replace(ACROSS_TESTS, ""));
    return { kind: "regex", value, error: "", test: (text) => regex.test(text), find: new RegExp(regex, `${regex.flags}g`) };
  } catch (error) {
    const reason = error.message.split(": ").at(-1);
    return { kind: "regex", value, error: `/${value}/${flags} is not a regular expression: ${reason}.` };
  }
}

// A pattern that ignores case needs no copy of the text in lower case.
function wordTerm(value, quoted) {
  const regex = new RegExp(value.replace(SYNTAX, String.raw`\$&`), "iu");
  const error = quoted ? "" : unfinished(value) || unfinishedRegex(value);
  return { kind: "word", value, error, test: (text) => regex.test(text), find: new RegExp(regex, "giu") };
}

function unfinished(word) {
  return word.startsWith('"') ? `The quote ${word} has no end: put a " after its last word.` : "";
}

function unfinishedRegex(word) {
  if (!/^\/[^/]*$/.test(word)) return ""; // a path has more of them and is a word
  return `The regex ${word} has no end: put a / after it, or write "${word}" if / is part of the text.`;
}
