import { pathText } from "../model/json-path.js";

const LONGEST = 60;

/**
 * What can be done with a value of the JSON `text`, and how the menu is called: `{ label, items }`.
 * `on`: { act(name, value), copy(text), plot() }.
 */
export function valueItems(token, text, { act, copy, plot }) {
  const path = pathText(token.place);
  const written = text.slice(token.start, token.end);
  const plain = token.kind !== "key";
  const value = { text: written, path };
  const items = [
    token.kind === "number" && ["Plot over time", plot],
    plain && ["Copy value", () => copy(token.kind === "string" ? JSON.parse(written) : written)],
    path && ["Copy path", () => copy(path)],
    plain && ["Filter to this value", () => act("filter", value)],
    plain && ["Exclude this value", () => act("exclude", value)],
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
