import { stringEnd } from "../client.js";

const QUOTE = 34;
const COMMA = 44;

/**
 * What is between a bracket of a JSON text and its other half: `{ close, count }`, `close` being where that stands, and
 * `count` how many values there are. `at` is the bracket, or the comma after which to count.
 */
export function between(text, at) {
  let depth = 1;
  let count = 0;
  let isEmpty = true; // so far
  for (let here = at + 1; here < text.length; here += 1) {
    const code = text.charCodeAt(here);
    if (code <= 32) continue;
    if (isClosing(code)) {
      depth -= 1;
      if (!depth) return { close: here, count: count + Number(!isEmpty) };
      continue;
    }
    isEmpty = false;
    if (code === QUOTE) here = stringEnd(text, here) - 1;
    else if (isOpening(code)) depth += 1;
    else if (code === COMMA && depth === 1) count += 1;
  }
  return { close: text.length, count };
}

function isOpening(code) {
  return code === 123 || code === 91; // { [
}

function isClosing(code) {
  return code === 125 || code === 93; // } ]
}
