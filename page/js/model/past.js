import { count } from "./format.js";

const NAMED = { all: "all that is stored", last_per_subject: "the latest of each subject" };
const NUMBER = /^[1-9]\d{0,14}$/;
const AGO = /^(\d{1,6})([smhd])$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;
const UNITS = { s: "second", m: "minute", h: "hour", d: "day" };

/** What is asked for where nobody says otherwise: nothing of the past, and what is missed later on. */
export const AUTO = "auto";

/**
 * What a text asks for of the past, as the client takes it: "all", "last_per_subject", "last:100", "seq:7", "since:5m"
 * or "since:" and a time with its zone. undefined if it is none of these.
 */
export function readPast(text) {
  if (Object.hasOwn(NAMED, text)) return text;
  const [, name, value] = /^(last|seq|since):(.+)$/.exec(text) ?? [];
  if (name === "since") return isSince(value) ? { since: value } : undefined;
  return name && NUMBER.test(value) ? { [name]: Number(value) } : undefined;
}

/** The text that asks for it; "" for `AUTO`. */
export function pastText(history) {
  if (history === AUTO) return "";
  return typeof history === "string" ? history : Object.entries(history)[0].join(":");
}

/** What a JSON value asks for; undefined if it is nothing that this page knows. */
export function pastOf(value) {
  if (value === AUTO || value === "new") return AUTO;
  if (typeof value === "string") return Object.hasOwn(NAMED, value) ? value : undefined;
  const [[name, wanted] = [], ...others] = Object.entries(value ?? {});
  const fits = typeof wanted === (name === "since" ? "string" : "number");
  return fits && !others.length ? readPast(`${name}:${wanted}`) : undefined;
}

/** What is asked for, in words: "the last 100". */
export function pastWords(history) {
  if (typeof history === "string") return NAMED[history] ?? "only what is new";
  const { last, seq, since } = history;
  if (seq) return `all from sequence ${seq} on`;
  if (last) return last === 1 ? "the last one" : `the last ${count(last)}`;
  const [, number, unit] = AGO.exec(since) ?? [];
  if (!unit) return `all since ${since}`;
  return Number(number) === 1 ? `the last ${UNITS[unit]}` : `the last ${count(Number(number))} ${UNITS[unit]}s`;
}

/** Whether two ask for the same. */
export function isSamePast(one, other) {
  return pastText(one) === pastText(other);
}

function isSince(value) {
  return AGO.test(value) || (TIME.test(value) && !Number.isNaN(Date.parse(value)));
}
