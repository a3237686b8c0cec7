import { pathText } from "../model/json-path.js";

const LONGEST = 60;
const MOST_FINDABLE = 300; // characters: a filter has room for more than one

/**
 * What can be done with a value of the JSON `text`, and how the menu is called: `{ label, items }`.
 * `on`: { act(name, value), copy(text), plot() }.
 */
export function valueItems(token, text, { act, copy, plot }) {
  const path = pathText(token.place);
  const written = text.slice(token.start, token.end);
  const plain = token.kind !== "key";
  const key = typeof token.place?.step === "string" ? text.lastIndexOf(token.place.step, token.start) : -1;
  const value = { text: key === -1 ? written : text.slice(key, token.end) };
  const findable = plain && value.text.length <= MOST_FINDABLE;
  const items = [
    token.kind === "number" && ["Plot over time", plot],
    plain && ["Copy value", () => copy(token.kind === "string" ? JSON.parse(written) : written)],
    path && ["Copy path", () => copy(path)],
    findable && ["Filter to this value", () => act("filter", value)],
    findable && ["Exclude this value", () => act("exclude", value)],
  ];
  return { label: short(path || written), items };
}

/** What can be done with a subject; `on`: { act(name, value), copy(text) }. */
export function subjectItems(subject, { act, copy }) {
  return [
    ["Copy subject", () => copy(subject)],
    ["Filter to this subject", () => act("filter", { subject })],
    ["Exclude this subject", () => act("exclude", { subject })],
    ["Subscribe only this", () => act("only", { subject })],
  ];
}

function short(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
