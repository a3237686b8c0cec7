import { stringEnd } from "../client.js";
import { LONG } from "./folds.js";
import { count } from "./format.js";
import { between } from "./json-brackets.js";

const MOST_LINES = 500;
const MOST_CHARS = 8 * 1024;
const WORD = /[^\s{}[\],:"]+/y;
const SPACE = /\s*/y;
const HIGH_HALVES = [0xd800, 0xdbff];

/** Where the layout of a text begins. */
export const START = { at: 0, depth: 0, due: false, fresh: false, scope: null, inside: null };

/**
 * The next lines `{ depth, tokens: [{ kind, text, … }] }` of a JSON text, laid out for reading, and where to
 * go on: `{ lines, next }`, next being a `from`, or null at the end.
 * Every token is the text as it came: no number is read and written again, so none changes.
 * Kinds: key, string, number, literal, mark. All but marks know the `place` of their value (see json-path.js),
 * and `start` and `end` of the whole token: one too long for a slice comes in pieces.
 * With `folds` (see folds.js) a line that opens something has its place as `opens`, and there are two more kinds, which
 * stand for what is not shown and have its place: "fold", and "rest" of a list.
 */
export function layOut(text, { from = START, mostLines = MOST_LINES, mostChars = MOST_CHARS, folds = null } = {}) {
  const slice = new Slice(text, from, mostChars, folds);
  const end = from.at + mostChars;
  while (slice.at < text.length) {
    const full = slice.at >= end || slice.lines.length >= mostLines;
    const over = slice.inside || (full && slice.breaksHere);
    if (over && slice.lines.length) return { lines: slice.lines, next: slice.state };
    slice.take();
  }
  return { lines: slice.lines, next: null };
}

/** Every token of a whole text that is a value, in order. */
export function* valuesOf(text) {
  for (let from = START; from; ) {
    const { lines, next } = layOut(text, { from });
    for (const { tokens } of lines) yield* tokens.filter(({ kind }) => kind !== "mark" && kind !== "key");
    from = next;
  }
}

/** The text of lines as they are read. */
export function linesText(lines) {
  return lines.map(({ depth, tokens }) => indent(depth) + tokens.map(({ text }) => text).join("")).join("\n");
}

const DEEPEST = 40; // deeper levels are not moved further to the right

/** The space before a line. */
export function indent(depth) {
  return "  ".repeat(Math.min(depth, DEEPEST));
}

class Slice {
  #text;
  #depth;
  #due; // a line break comes before the next token
  #fresh; // just after an opening bracket: an empty pair stays on one line
  #scope; // the container that is open: { up, place, step }, replaced and never changed
  #mostChars;
  #folds;

  constructor(text, { at, depth, due, fresh, scope, inside }, mostChars, folds) {
    this.#text = text;
    this.#folds = folds;
    this.#depth = depth;
    this.#due = due;
    this.#fresh = fresh;
    this.#scope = scope;
    this.#mostChars = mostChars;
    this.at = skipSpace(text, at);
    this.inside = inside; // the token that goes on here
    this.lines = [];
  }

  get state() {
    const { at, inside } = this;
    return { at, depth: this.#depth, due: this.#due, fresh: this.#fresh, scope: this.#scope, inside };
  }

  get breaksHere() {
    return closes(this.#text[this.at]) ? !this.#fresh : this.#fresh || this.#due;
  }

  /** Takes one token, or as much of it as fits. */
  take() {
    if (this.inside) {
      this.lines.push({ depth: 0, tokens: [] });
      this.#piece(this.inside);
      return;
    }
    const end = tokenEnd(this.#text, this.at);
    const next = skipSpace(this.#text, end);
    const kind = kindOf(this.#text, this.at, next);
    if (closes(this.#text[this.at])) this.#depth -= 1;
    if (!this.lines.length || this.breaksHere) this.lines.push({ depth: Math.max(0, this.#depth), tokens: [] });
    this.#due = false;
    this.#fresh = false;
    if (kind === "mark") this.#mark(next);
    else this.#value({ kind, start: this.at, end }, next);
  }

  #mark(next) {
    const sign = this.#text[this.at];
    this.lines.at(-1).tokens.push({ kind: "mark", text: sign === ":" ? ": " : sign });
    if (sign === "{" || sign === "[") {
      if (this.#folds && !closes(this.#text[next]) && this.#opens(sign)) return;
      this.#scope = { up: this.#scope, place: this.#place, step: sign === "[" ? 0 : "" };
      this.#depth += 1;
      this.#fresh = true;
    } else if (closes(sign)) {
      this.#scope = this.#scope?.up ?? null;
    } else if (sign === ",") {
      if (typeof this.#scope?.step === "number") this.#enter(this.#scope.step + 1);
      this.#due = true;
      if (this.#scope?.step === LONG && this.#folds?.cuts(this.#scope.place)) return this.#cut();
    }
    this.at = next;
    return undefined;
  }

  // True if what begins here is folded, and was passed over.
  #opens(sign) {
    const place = this.#place;
    const line = this.lines.at(-1);
    line.opens = place;
    if (!this.#folds.has(place)) return false;
    const { close, count: values } = between(this.#text, this.at);
    const what = sign === "[" ? ["item", "items"] : ["key", "keys"];
    line.tokens.push({ kind: "fold", place, text: `… ${count(values)} ${what[Number(values !== 1)]}` });
    line.tokens.push({ kind: "mark", text: this.#text[close] ?? "" });
    this.at = skipSpace(this.#text, close + 1);
    return true;
  }

  // The end of a long list, in a line of its own.
  #cut() {
    const { close, count: values } = between(this.#text, this.at);
    this.lines.push({ depth: this.#depth, tokens: [{ kind: "rest", place: this.#scope.place, text: `… ${count(values)} more` }] });
    this.at = close;
  }

  #value(token, next) {
    if (token.kind === "key") this.#enter(this.#text.slice(token.start, token.end));
    this.#piece({ ...token, next, place: this.#place });
  }

  #enter(step) {
    if (this.#scope) this.#scope = { ...this.#scope, step };
  }

  get #place() {
    return this.#scope && { up: this.#scope.place, step: this.#scope.step };
  }

  #piece(token) {
    const { kind, start, end, next, place } = token;
    const cut = end - this.at > this.#mostChars ? wholeCharacter(this.#text, this.at + this.#mostChars) : end;
    this.lines.at(-1).tokens.push({ kind, start, end, place, text: this.#text.slice(this.at, cut) });
    this.inside = cut < end ? token : null;
    this.at = cut < end ? cut : next;
  }
}

/** `at`, or one less where it would part the two halves of a character. */
export function wholeCharacter(text, at) {
  const code = text.charCodeAt(at - 1);
  return code >= HIGH_HALVES[0] && code <= HIGH_HALVES[1] ? at - 1 : at;
}

function closes(sign) {
  return sign === "}" || sign === "]";
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
