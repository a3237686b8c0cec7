import { termAt } from "./filter-terms.js";

const OPENS = /-?\(/y;
const SPACE = /\s*/y;
const CHEAP_FIRST = ["subject", "meta", "key", "word", "regex", "group"];
const TESTS = {
  subject: ({ test }) => (message) => test(message.subject),
  meta: ({ test }) => test,
  key: ({ test }) => (message, payload) => test(message.encoding === "json" ? message.raw : null, (asText) => inText(asText, message, payload)),
  word: ({ test }) => (message, payload) => inText(test, message, payload),
  regex: ({ test }) => (message, payload) => inText(test, message, payload),
  group: ({ options }) => someOf(options),
};

function inText(test, message, payload) {
  return test(message.subject) || test(payload(message));
}

/** A filter text as alternatives, each a list of terms that all must hold; a term of the kind "group" has `options` itself. */
export function alternatives(text) {
  return optionsOf(pairedTokens(text).values());
}

/** All terms in alternatives, those of groups too, where `not` says whether what they find is excluded. */
export function* termsIn(options, not = false) {
  for (const term of options.flat()) {
    if (term.kind === "group") yield* termsIn(term.options, not !== term.not);
    else yield { ...term, not: not !== term.not };
  }
}

/** A function `(message, payload)` that says whether one of the alternatives holds; `payload(message)` is its text. */
export function someOf(options) {
  const tests = options.map(allOf);
  return tests.length === 1 ? tests[0] : (message, payload) => tests.some((test) => test(message, payload));
}

function allOf(terms) {
  const cost = ({ kind }) => CHEAP_FIRST.indexOf(kind);
  const tests = [...terms]
    .sort((one, other) => cost(one) - cost(other))
    .map((term) => ({ test: TESTS[term.kind](term), wanted: !term.not }));
  return (message, payload) => tests.every(({ test, wanted }) => test(message, payload) === wanted);
}

function optionsOf(tokens) {
  const options = [[]];
  for (const token of tokens) {
    if (token.type === "close") break;
    if (token.type === "or") options.push([]);
    else if (token.type === "open") addGroup(options.at(-1), token, optionsOf(tokens));
    else if (token.kind) options.at(-1).push(token);
  }
  return options.filter(({ length }) => length);
}

function addGroup(terms, { not }, options) {
  if (options.length) terms.push({ kind: "group", not, options, error: "" });
}

// A bracket without its other half is a part of a word.
function pairedTokens(text) {
  const literal = new Set();
  for (;;) {
    const { tokens, unpaired } = tokensOf(text, literal);
    if (!unpaired.length) return tokens;
    for (const place of unpaired) literal.add(place);
  }
}

function tokensOf(text, literal) {
  const tokens = [];
  const unpaired = [];
  for (let at = skip(SPACE, text, 0); at < text.length; at = skip(SPACE, text, at)) {
    const opened = literal.has(at) ? at : skip(OPENS, text, at);
    if (opened > at) {
      tokens.push({ type: "open", not: text[at] === "-" });
      unpaired.push(at);
      at = opened;
    } else if (text[at] === ")" && unpaired.pop() !== undefined) {
      tokens.push({ type: "close" });
      at += 1;
    } else {
      const term = termAt(text, at, unpaired.length > 0);
      tokens.push(term.source === "OR" ? { type: "or" } : { type: "term", ...term });
      at += term.source.length;
    }
  }
  return { tokens, unpaired };
}

function skip(regex, text, at) {
  regex.lastIndex = at;
  return regex.test(text) ? regex.lastIndex : at;
}
