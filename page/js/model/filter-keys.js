import { keyTest } from "./json-keys.js";

const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const RANGE = /^(?<from>-?[\d.]+(?:e[+-]?\d+)?)\.\.(?<to>-?[\d.]+(?:e[+-]?\d+)?)$/i;
const EXACT = 15; // digits that a number of JavaScript keeps
const SYNTAX = /[\\^$.*+?()[\]{}|/]/g;
const COMPARES = {
  ">": (one, other) => one > other,
  ">=": (one, other) => one >= other,
  "<": (one, other) => one < other,
  "<=": (one, other) => one <= other,
};

/**
 * The term that looks at the values of a key, anywhere in the JSON: `level:error` is equal, `price>100` compares,
 * `price:100..200` lies between, `customer.id:7` is an id below a customer, `level:` is there. Where it can mean
 * nothing it is what `asText` says, a word; and with `:` it is also met by its own text, so that `http://x` is found.
 * A dot before the key says that it is one: `.size>3`.
 */
export function keyTerm({ key, op, value, quoted }, asText) {
  const wanted = quoted ?? value;
  const path = key.replace(/^\./, "").split(".");
  if (path.includes("")) return asText;
  const last = path.at(-1).replace(SYNTAX, String.raw`\$&`);
  if (op !== ":") return wanted ? compared({ op, wanted, path, last }, asText) : {};
  if (value?.startsWith('"')) return { ...asText, error: `The quote ${value} has no end: put a " after its last word.` };
  const found = keyTest(path, wanted || quoted === "" ? accepts(wanted) : () => true);
  const test = (json, isText) => (json !== null && found(json)) || isText(asText.test);
  const equal = wanted.replace(SYNTAX, String.raw`\$&`);
  const there = RANGE.test(wanted) ? String.raw`-?[\d.eE+-]+` : equal && `"?${equal}"?`;
  return { kind: "key", value: wanted, error: "", test, find: new RegExp(String.raw`"${last}"\s*:\s*${there}|${asText.find.source}`, "giu") };
}

function compared({ op, wanted, path, last }, asText) {
  if (!NUMBER.test(wanted)) return asText;
  const limit = Number(wanted);
  const found = keyTest(path, (text) => NUMBER.test(text) && COMPARES[op](Number(text), limit));
  const test = (json) => json !== null && found(json);
  return { kind: "key", value: wanted, error: "", test, find: new RegExp(String.raw`"${last}"\s*:\s*"?-?[\d.eE+-]+"?`, "giu") };
}

function accepts(wanted) {
  const { from, to } = RANGE.exec(wanted)?.groups ?? {};
  if (from) return (text) => NUMBER.test(text) && Number(text) >= Number(from) && Number(text) <= Number(to);
  const lower = wanted.toLowerCase();
  if (!NUMBER.test(wanted) || wanted.length > EXACT) return (text) => text.toLowerCase() === lower;
  return (text) => text === wanted || (text.length <= EXACT && NUMBER.test(text) && Number(text) === Number(wanted));
}
