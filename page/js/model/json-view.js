import { stringEnd } from "../client.js";

const MAX_LINES = 4_000;
const WORD = /[^\s{}[\],:"]+/y;
const SPACE = /\s*/y;

/**
 * Lines of tokens `{ depth, tokens: [{ kind, text }] }` of a JSON text, laid out for reading.
 * Every token is the text as it came: no number is read and written again, so none changes.
 * Kinds: key, string, number, literal, mark. Stops after `maxLines` with `complete: false`.
 */
export function layOut(text, maxLines = MAX_LINES) {
  const page = new Page(maxLines);
  const complete = everyToken(text, (token) => page.put(token));
  return { lines: page.lines, complete };
}

class Page {
  #depth = 0;
  #maxLines;
  #fresh = false; // just after an opening bracket: an empty pair stays on one line

  constructor(maxLines) {
    this.#maxLines = maxLines;
    this.lines = [{ depth: 0, tokens: [] }];
  }

  /** Takes one token; false when the page is full. */
  put({ kind, text }) {
    if (text === "}" || text === "]") {
      this.#depth -= 1;
      if (!this.#fresh) this.#newLine();
    } else if (this.#fresh) {
      this.#newLine();
    }
    this.#fresh = false;
    this.#write(kind, text);
    if (text === "{" || text === "[") {
      this.#depth += 1;
      this.#fresh = true;
    }
    if (text === ",") this.#newLine();
    return this.lines.length <= this.#maxLines;
  }

  #write(kind, text) {
    const { tokens } = this.lines.at(-1);
    tokens.push({ kind, text: text === ":" ? ": " : text });
  }

  #newLine() {
    this.lines.push({ depth: this.#depth, tokens: [] });
  }
}

function everyToken(text, take) {
  let at = skipSpace(text, 0);
  while (at < text.length) {
    const end = tokenEnd(text, at);
    const next = skipSpace(text, end);
    const token = { kind: kindOf(text, at, next), text: text.slice(at, end) };
    if (!take(token)) return false;
    at = next;
  }
  return true;
}

function tokenEnd(text, at) {
  if (text[at] === '"') {
    const end = stringEnd(text, at);
    return end === -1 ? text.length : end;
  }
  WORD.lastIndex = at;
  return WORD.test(text) ? WORD.lastIndex : at + 1;
}

function kindOf(text, at, next) {
  const first = text[at];
  if (first === '"') return text[next] === ":" ? "key" : "string";
  if ("{}[],:".includes(first)) return "mark";
  return first === "-" || (first >= "0" && first <= "9") ? "number" : "literal";
}

function skipSpace(text, at) {
  SPACE.lastIndex = at;
  SPACE.test(text);
  return SPACE.lastIndex;
}
