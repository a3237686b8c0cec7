import { fault } from "./subjects.js";

const VERBS = new Map([
  ["subscribe", "subscribe"],
  ["sub", "subscribe"],
  ["unsubscribe", "unsubscribe"],
  ["unsub", "unsubscribe"],
]);
const SENDS = new Set(["pub", "publish", "req", "request", "reply"]);
const ACTIONS = ["subscribe", "unsubscribe"];

/**
 * What was typed: `{ action, subjects }`, or `{ error, start, end }` with the place of the mistake.
 * Takes subjects, a verb and subjects, a pasted `nats sub …`, or a request as JSON.
 */
export function parseEntry(text) {
  const typed = text.trim();
  if (!typed) return mistake("Type a subject, for example test.subject.", text, "");
  return /^[{[]/.test(typed) ? parseJson(typed, text) : parseWords(typed, text);
}

function parseWords(typed, text) {
  const words = typed.split(/[\s,]+/).filter(Boolean);
  const fromShell = isShellLine(words);
  if (fromShell) {
    const error = shellError(words, text);
    if (error) return error;
    words.shift();
  }
  const [first] = words;
  const verb = VERBS.get(first?.toLowerCase());
  if (verb) words.shift();
  // NATS allows a subject of that name; a person never means it, and JSON can still say it.
  if (verb && !words.length) {
    return mistake(`Add a subject: ${fromShell ? "nats " : ""}${first.toLowerCase()} orders.*`, text, first);
  }
  return checked(verb ?? "subscribe", words.map(unquoted), text);
}

function isShellLine([program, next = ""]) {
  return program?.toLowerCase() === "nats" && (isCommand(next) || next.startsWith("-"));
}

function isCommand(word) {
  return VERBS.has(word.toLowerCase()) || SENDS.has(word.toLowerCase());
}

function shellError(words, text) {
  if (SENDS.has(words.find(isCommand)?.toLowerCase())) {
    return mistake("This field only follows subjects: that line belongs into a terminal. Nothing was sent.", text, "");
  }
  const flag = words.find((word) => word.startsWith("-"));
  return flag && mistake(`Leave out “${flag}”: only subjects are read here.`, text, flag);
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
  return { action, subjects: [...new Set(subjects)] };
}

function isText(value) {
  return typeof value === "string" && value !== "";
}

function mistake(error, text, part) {
  const start = part ? text.indexOf(part) : -1;
  if (start === -1) return { error, start: text.length, end: text.length };
  return { error, start, end: start + part.length };
}
