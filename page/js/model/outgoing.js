import { bytes, utf8Length } from "./format.js";

const LIKE_JSON = /^\s*[{["]/;
const NAME_AND_VALUE = /^([^\s:]+):[ \t]*(.*?)[ \t]*$/;

/**
 * What a payload is that somebody types, in words: "JSON, 12 B". `wrong` says that it begins like JSON, and is none.
 */
export function describePayload(text) {
  if (!text) return { text: "Empty", wrong: false };
  const size = bytes(utf8Length(text));
  try {
    JSON.parse(text);
    return { text: `JSON, ${size}`, wrong: false };
  } catch ({ message }) {
    if (!LIKE_JSON.test(text)) return { text: `Text, ${size}`, wrong: false };
    return { text: `Text, ${size}: it begins like JSON, and is none${placeIn(message)}`, wrong: true };
  }
}

/** Headers typed as lines `Name: value`: `{ headers }` as pairs in their order, or `{ error }` that names the line. */
export function parseHeaders(text) {
  const headers = [];
  for (const [place, line] of text.split("\n").entries()) {
    if (!line.trim()) continue;
    const found = NAME_AND_VALUE.exec(line.trim());
    if (!found) return { error: `Line ${place + 1} of the headers is not "Name: value".` };
    headers.push([found[1], found[2]]);
  }
  return { headers };
}

// Not every browser says where.
function placeIn(message) {
  const [, line, column] = /line (\d+) column (\d+)/.exec(message) ?? [];
  return line ? `: see line ${line}, column ${column}` : "";
}
