import { AUTO, readPast } from "./past.js";

const FOLLOWS = new Set(["subscribe", "sub", "unsubscribe", "unsub"]);
const SENDS = new Set(["pub", "publish", "req", "request", "reply"]);
const PASTS = new Map([
  ["--all", () => "all"],
  ["--new", () => AUTO],
  ["--last-per-subject", () => "last_per_subject"],
  ["--last", (value) => readPast(`last:${value}`)],
  ["--start-sequence", (value) => readPast(`seq:${value}`)],
  ["--since", (value) => readPast(`since:${ago(value)}`)],
]);
const VALUED = new Set(["--last", "--start-sequence", "--since"]);
const PARTS_OF_TIME = /(\d+(?:\.\d+)?)([smhdw])/g;
const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };
const MOST_SECONDS = 999_999; // that the gateway reads; hours reach further

/** Whether the words of a line come from a terminal: `nats sub …`. */
export function isShellLine([program, next = ""]) {
  return program?.toLowerCase() === "nats" && (isCommand(next) || next.startsWith("-"));
}

/**
 * What such a line asks for: `{ words, history }`, without `nats` and without what it says of the past, which is
 * undefined where it says nothing; or `{ error, part }` with the word that is wrong.
 */
export function readShellLine([, ...line]) {
  if (SENDS.has(line.find(isCommand)?.toLowerCase())) {
    return { error: "This field only follows subjects: that line belongs into a terminal. Nothing was sent.", part: "" };
  }
  const words = [];
  let history;
  for (let rest = line; rest.length; ) {
    const [word] = rest;
    const { past, error, length } = word.startsWith("-") ? flag(rest) : { length: 1 };
    if (error) return { error, part: word };
    if (past && history) return { error: `“${word}” is one too many: leave out all but one that asks for the past.`, part: word };
    if (past) history = past;
    else words.push(word);
    rest = rest.slice(length);
  }
  return { words, history };
}

// `nats sub --last a` takes the last one, `--last 100 a` here the last hundred.
function flag([word, next = ""]) {
  const [name, ...values] = word.split("=");
  const read = PASTS.get(name);
  if (!read) return { error: `Leave out “${word}”: only subjects are read here, and what asks for the past.` };
  const isAlone = !VALUED.has(name) || values.length || (name === "--last" && !/^\d+$/.test(next));
  const value = values.length ? values.join("=") : isAlone ? "1" : next;
  const past = read(value);
  return past ? { past, length: isAlone ? 1 : 2 } : { error: `“${word}” does not say how far back: --last 100, --since 5m, --start-sequence 7.` };
}

// Go writes 1h30m0s, and the gateway knows one unit at a time.
function ago(text) {
  const parts = [...text.matchAll(PARTS_OF_TIME)];
  if (parts.map(([part]) => part).join("") !== text || (parts.length === 1 && /^\d+[smhd]$/.test(text))) return text;
  const seconds = Math.ceil(parts.reduce((sum, [, number, unit]) => sum + number * SECONDS[unit], 0));
  return seconds > MOST_SECONDS ? `${Math.ceil(seconds / SECONDS.h)}h` : `${seconds}s`;
}

function isCommand(word) {
  return FOLLOWS.has(word.toLowerCase()) || SENDS.has(word.toLowerCase());
}
