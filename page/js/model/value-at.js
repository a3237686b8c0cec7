import { stringEnd } from "../client.js";
import { between } from "./json-brackets.js";

const SPACE = /\s*/y;
const WORD = /[^\s,\]}]*/y;

/**
 * The value at the end of `steps` (indexes and keys) in a JSON text, as it is written there; "" if they lead nowhere. Nothing is
 * parsed, so no digit changes.
 */
export function valueAt(json, steps) {
  let at = skip(SPACE, json, 0);
  for (const step of steps) {
    at = typeof step === "number" ? item(json, at, step) : member(json, at, step);
    if (at === -1) return "";
  }
  return json.slice(at, valueEnd(json, at));
}

function member(json, start, key) {
  if (json[start] !== "{") return -1;
  const written = JSON.stringify(key);
  for (let at = next(json, start); json[at] === '"'; ) {
    const end = stringEnd(json, at);
    const value = skip(SPACE, json, skip(SPACE, json, end) + 1); // behind the colon
    const name = json.slice(at, end);
    if (name === written || (name.includes("\\") && JSON.parse(name) === key)) return value;
    at = afterComma(json, value);
  }
  return -1;
}

function item(json, start, index) {
  if (json[start] !== "[") return -1;
  let at = next(json, start);
  for (let place = 0; place < index && at < json.length; place += 1) at = afterComma(json, at);
  return at >= json.length || json[at] === "]" ? -1 : at;
}

// Where the value behind the one at `at` begins; the end of the text if there is none.
function afterComma(json, at) {
  const comma = skip(SPACE, json, valueEnd(json, at));
  return json[comma] === "," ? next(json, comma) : json.length;
}

function valueEnd(json, at) {
  if (json[at] === '"') return stringEnd(json, at);
  return "{[".includes(json[at] ?? " ") ? between(json, at).close + 1 : skip(WORD, json, at);
}

function next(json, at) {
  return skip(SPACE, json, at + 1);
}

function skip(regex, text, at) {
  regex.lastIndex = at;
  return regex.test(text) ? regex.lastIndex : at;
}
