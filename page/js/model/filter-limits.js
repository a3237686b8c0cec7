import { payloadBytes } from "./payload.js";
import { lastTime } from "./time.js";

const SIZE = /^(\d+(?:\.\d+)?)(b|kb?|mb?)?$/i;
const UNITS = { b: 1, k: 1e3, m: 1e6 };
const AGO = /^-?(\d+(?:\.\d+)?)(s|m|h|d)$/i;
const MS = { s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3 };
const TIME_OF_DAY = /^(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,3})?)?$/;
const SOON = 3600e3; // ms: who types the end of a span may be faster than the clock
const COMPARES = {
  ">": (size, [limit]) => size > limit,
  ">=": (size, [limit]) => size >= limit,
  "<": (size, [limit]) => size < limit,
  "<=": (size, [limit]) => size <= limit,
  ":": (size, [from, to = from]) => size >= from && size <= to,
};

/** `size>10k`, `size<=1.5M`, `size:100..2k`: `{ test(message) }`, or `{ error }`. */
export function sizeTest(op, value) {
  const limits = (op === ":" ? value.split("..") : [value]).map(sizeOf);
  if (limits.length > 2 || limits.includes(null)) return { error: `“${value}” is no size: write for example size>10k.` };
  return { test: (message) => COMPARES[op](payloadBytes(message), limits) };
}

/** `after:12:01`: `{ test(message) }`, or `{ error }`. See `momentOf`. */
export function afterTest(op, value) {
  return timeTest("after", value, 0, (time, limit) => time >= limit);
}

/** `before:12:05`, the same for what was earlier. */
export function beforeTest(op, value) {
  return timeTest("before", value, SOON, (time, limit) => time < limit);
}

function timeTest(name, value, ahead, holds) {
  const limit = momentOf(value, ahead);
  if (Number.isNaN(limit)) return { error: `“${value}” is no time: write for example ${name}:12:01, ${name}:5m or ${name}:2026-11-27T12:01.` };
  return { test: ({ time }) => holds(time, limit) };
}

function sizeOf(text) {
  const [, number, unit = "b"] = SIZE.exec(text) ?? [];
  return number === undefined ? null : Number(number) * UNITS[unit[0].toLowerCase()];
}

// A time of day is the last one that was, or comes within `ahead` ms; "5m" is five minutes ago; or it is a date.
function momentOf(text, ahead) {
  const [, number, unit] = AGO.exec(text) ?? [];
  if (number) return Date.now() - Number(number) * MS[unit.toLowerCase()];
  const [, hours, minutes, seconds = 0, part = 0] = TIME_OF_DAY.exec(text) ?? [];
  if (hours === undefined) return /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (hours > 23 || minutes > 59 || seconds > 59) return NaN;
  return lastTime([Number(hours), Number(minutes), Number(seconds), Math.round(part * 1000)], Date.now() + ahead);
}
