import { stringEnd } from "../client.js";

const SYNTAX = /[\\^$.*+?()[\]{}|/]/g;
const PLAIN = /[^\s,\]}]+/y;
const BETWEEN = /[\s,]*/y;
const NAMED = /\s*:/y;

/**
 * A function `(json)` that says whether `accepts(text)` holds for a value of a key, in any depth, whatever the case:
 * of a text what is between its quotes, of a list each of its plain values. `path` are keys, each below the one
 * before, the last of which has the value; or one key with dots in it.
 * Nothing is parsed but what stands behind the key, so most texts cost a search.
 */
export function keyTest(path, accepts) {
  const last = path.at(-1);
  const above = path.slice(0, -1).map((key) => key.toLowerCase());
  const names = above.length ? `${named(last)}|(${named(path.join("."))})` : named(last);
  const regex = new RegExp(String.raw`"(?:${names})"\s*:\s*`, "giu");
  return (json) => {
    regex.lastIndex = 0;
    for (let found = regex.exec(json); found; found = regex.exec(json)) {
      const isBelow = !above.length || found[1] || endsWith(keysAbove(json, found.index), above);
      if (isBelow && someValue(json, regex.lastIndex, accepts)) return true;
    }
    return false;
  };
}

// As it is, and as those write it who keep to ASCII.
function named(key) {
  const ascii = key.replace(/[^\0-\x7f]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const names = ascii === key ? [key] : [key, ascii];
  return names.map((name) => name.replace(SYNTAX, String.raw`\$&`)).join("|");
}

function someValue(json, at, accepts) {
  const first = json[at];
  if (first === "{") return accepts("{}");
  return first === "[" ? someOfList(json, at + 1, accepts) : accepts(plain(json, at).text);
}

function someOfList(json, at, accepts) {
  for (let next = skip(BETWEEN, json, at); !"[{]".includes(json[next] ?? "]"); ) {
    const { text, end } = plain(json, next);
    if (accepts(text)) return true;
    next = skip(BETWEEN, json, end);
  }
  return false;
}

function plain(json, at) {
  if (json[at] !== '"') {
    const end = skip(PLAIN, json, at);
    return { text: json.slice(at, end), end };
  }
  const end = stringEnd(json, at);
  const inside = json.slice(at + 1, end - 1);
  return { text: inside.includes("\\") ? JSON.parse(`"${inside}"`) : inside, end };
}

// The keys that lead to the object in which a key stands at `until`, in lower case.
function keysAbove(json, until) {
  const open = [];
  let key = null;
  for (let at = 0; at < until; at += 1) {
    const sign = json[at];
    if (sign === '"') {
      const end = stringEnd(json, at);
      NAMED.lastIndex = end;
      key = NAMED.test(json) ? json.slice(at + 1, end - 1) : key;
      at = end - 1;
    } else if (sign === "{" || sign === "[") {
      open.push(key);
      key = null;
    } else if (sign === "}" || sign === "]") key = open.pop() ?? null;
  }
  return open.filter((name) => name !== null).map((name) => name.toLowerCase());
}

function endsWith(all, end) {
  return end.every((name, place) => all[all.length - end.length + place] === name);
}

function skip(regex, text, at) {
  regex.lastIndex = at;
  return regex.test(text) ? regex.lastIndex : at;
}
