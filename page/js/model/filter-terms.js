import { afterTest, beforeTest, sizeTest } from "./filter-limits.js";
import { keyTerm } from "./filter-keys.js";
import { headerLine } from "./meta.js";
import { mark } from "./payload.js";
import { isReplayed, operationWord } from "./stored.js";
import { fault, matcher } from "./subjects.js";

const KINDS = {
  request: ({ reply }) => Boolean(reply),
  replayed: isReplayed,
  deleted: (message) => operationWord(message) !== "",
  json: ({ encoding }) => encoding === "json",
  text: ({ encoding }) => encoding === "text",
  binary: ({ encoding }) => encoding === "base64",
  empty: (message) => mark(message) === "empty",
};
const LIMITS = { size: sizeTest, after: afterTest, before: beforeTest };
const ACROSS_TESTS = /[dgy]/g; // flags that only matter to whoever goes from match to match
const SYNTAX = /[\\^$.*+?()[\]{}|/]/g;
const OUTSIDE = termRegex(String.raw`(?!\S)`, String.raw`\S*`, String.raw`\S+`);
const INSIDE = termRegex(String.raw`(?![^\s)])`, String.raw`\S*?(?=\)*(?!\S))`, String.raw`\S+?(?=\)*(?!\S))`);

// `end` comes after a term, `rest` is what may follow its beginning, `word` is a word: between brackets the last of
// these do not belong to it.
function termRegex(end, rest, word) {
  const parts = [
    String.raw`(?<not>-?)(?:`,
    String.raw`subject:(?:"(?<exact>.+?)"${end}|(?<pattern>${rest}))`,
    String.raw`|header:(?:"(?<line>.+?)"${end}|(?<header>${rest}))`,
    String.raw`|is:(?<is>${Object.keys(KINDS).join("|")})${end}`,
    String.raw`|(?<limit>size|after|before)(?<limitOp>[<>]=?|:)(?<limitValue>${rest})`,
    String.raw`|"(?<phrase>.*?)"${end}`, // a quote inside is text: "st":"error" is one phrase
    String.raw`|/(?<regex>(?:\\.|[^/\\])+)/(?<flags>[dgimsuvy]*)${end}`,
    String.raw`|(?<key>\.?[\p{L}_$@][\p{L}\p{N}_$@.-]*?)(?<op>[<>]=?|:)(?:"(?<quoted>.*?)"${end}|(?<value>${rest}))`,
    String.raw`|(?<word>${word}))`,
  ];
  return new RegExp(parts.join(""), "iusy");
}

/**
 * The term of a filter at `at`: `{ source, kind, not, value, error, test, find }`, without a `kind` where it has only
 * begun, such as `-` or `subject:`. `inside` brackets it ends before one that closes. What `test` asks for depends on
 * the kind: "subject" a subject, "meta" a message, "key" the JSON and the test of the term as a text, "word" and
 * "regex" a text.
 */
export function termAt(text, at, inside) {
  const regex = inside ? INSIDE : OUTSIDE;
  regex.lastIndex = at;
  const { 0: source, groups } = regex.exec(text);
  return { source, not: groups.not === "-", ...kindOf(groups, source) };
}

function kindOf(groups, source) {
  const { exact, pattern = exact, line, header = line, is, limit, phrase, regex, flags, key, op, word = phrase } = groups;
  if (pattern) return subjectTerm(pattern, exact !== undefined);
  if (header) return headerTest(header, line !== undefined);
  if (is) return { kind: "meta", value: is, error: "", test: KINDS[is.toLowerCase()] };
  if (limit) return limitTerm(groups);
  if (regex) return regexTerm(regex, flags);
  if (key) return keyTerm({ key, op, value: groups.value, quoted: groups.quoted }, wordTerm(source.replace(/^-/, ""), true));
  if (word && word !== "-") return wordTerm(word, phrase !== undefined);
  return {};
}

function limitTerm({ limit, limitOp, limitValue }) {
  if (!limitValue) return {};
  const { test, error = "" } = LIMITS[limit.toLowerCase()](limitOp, limitValue);
  return { kind: "meta", value: limitValue, error, test };
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
