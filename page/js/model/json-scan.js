const BACKSLASH = 92;

/**
 * Index just after the JSON string that opens with the quote at `start`; -1 if it does not end.
 * Jumps from quote to quote: a pattern would keep a place to return to for each character.
 */
export function stringEnd(text, start) {
  let quote = text.indexOf('"', start + 1);
  while (quote !== -1 && escaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote === -1 ? -1 : quote + 1;
}

function escaped(text, quote) {
  let slashes = 0;
  while (text.charCodeAt(quote - 1 - slashes) === BACKSLASH) slashes += 1;
  return slashes % 2 === 1;
}
