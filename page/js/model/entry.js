import { pastOf } from "./past.js";
import { isShellLine, readShellLine } from "./shell.js";
import { fault } from "./subjects.js";

const VERBS = new Map([
  ["subscribe", "subscribe"],
  ["sub", "subscribe"],
  ["unsubscribe", "unsubscribe"],
  ["unsub", "unsubscribe"],
]);
const ACTIONS = ["subscribe", "unsubscribe"];

/**
 * What was typed: `{ action, subjects }`, with `history` where it asks for the past; or `{ error, start, end }` with the
 * place of the mistake.
 * Takes subjects, a verb and subjects, a pasted `nats sub …`, or a request as JSON.
 */
export function parseEntry(text) {
  const typed = text.trim();
  if (!typed) return mistake("Type a subject, for example test.subject.", text, "");
  return /^[{[]/.test(typed) ? parseJson(typed, text) : parseWords(typed, text);
}

function parseWords(typed, text) {
  const typedWords = typed.split(/[\s,]+/).filter(Boolean);
  const fromShell = isShellLine(typedWords);
  const { words, history, error, part } = fromShell ? readShellLine(typedWords) : { words: typedWords };
  if (error) return mistake(error, text, part);
  const [first] = words;
  const verb = VERBS.get(first?.toLowerCase());
  if (verb) words.shift();
  // NATS allows a subject of that name; a person never means it, and JSON can still say it.
  if (verb && !words.length) {
    return mistake(`Add a subject: ${fromShell ? "nats " : ""}${first.toLowerCase()} orders.*`, text, first);
  }
  const entry = checked(verb ?? "subscribe", words.map(unquoted), text);
  return history ? { ...entry, history } : entry;
}

function unquoted(word) {
  return /^(["'`]).+\1$/.test(word) ? word.slice(1, -1) : word;
}

function checked(action, subjects, text) {
  for (const subject of subjects) {
    const error = fault(subject);
    if (error) return mistake(error, text, subject);
  }
  if (!subjects.length) return mistake("Type a subject, for example test.subject.", text, "");
  return { action, subjects: [...new Set(subjects)] };
}

// JSON is the way past the check of wildcards: odd subjects go to the gateway as they are.
function parseJson(typed, text) {
  let value;
  try {
    value = JSON.parse(typed);
  } catch (error) {
    return mistake(`Not valid JSON: ${error.message}.`, text, "");
  }
  const request = Array.isArray(value) ? { subjects: value } : value;
  const action = request.action ?? "subscribe";
  if (!ACTIONS.includes(action)) {
    const said = JSON.stringify(action);
    return mistake(`"action" is ${said}; it must be "subscribe" or "unsubscribe".`, text, said);
  }
  const subjects = typeof request.subjects === "string" ? [request.subjects] : request.subjects;
  if (!Array.isArray(subjects) || !subjects.length || !subjects.every(isText)) {
    return mistake('"subjects" must be a list of subjects: {"subjects": ["test.subject"]}.', text, "");
  }
  const entry = { action, subjects: [...new Set(subjects)] };
  if (request.history === undefined) return entry;
  const history = pastOf(request.history);
  if (history) return { ...entry, history };
  return mistake('"history" must be "all", "last_per_subject", or like {"last": 100}, {"since": "5m"} or {"seq": 7}.', text, '"history"');
}

function isText(value) {
  return typeof value === "string" && value !== "";
}

function mistake(error, text, part) {
  const start = part ? text.indexOf(part) : -1;
  if (start === -1) return { error, start: text.length, end: text.length };
  return { error, start, end: start + part.length };
}
