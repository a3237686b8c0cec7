import { headerTerm } from "../model/filter.js";
import { pathText } from "../model/json-path.js";

const LONGEST = 60;
const MOST_FINDABLE = 300; // characters: a filter has room for more than one

/**
 * What can be done with a value of the JSON `text`, and how the menu is called: `{ label, items }`.
 * `on`: { act(name, value), copy(text), plot(), hasColumn(path) }.
 */
export function valueItems(token, text, { act, copy, plot, hasColumn }) {
  const path = pathText(token.place);
  const written = text.slice(token.start, token.end);
  const plain = token.kind !== "key";
  const value = { text: text.slice(memberStart(token, text), token.end) };
  const findable = plain && value.text.length <= MOST_FINDABLE;
  const items = [
    token.kind === "number" && ["Plot over time", plot],
    plain && ["Copy value", () => copy(token.kind === "string" ? JSON.parse(written) : written)],
    path && ["Copy path", () => copy(path)],
    path && [hasColumn(path) ? "Remove the column" : "Show as column", () => act("column", { path })],
    findable && ["Filter to this value", () => act("filter", value)],
    findable && ["Exclude this value", () => act("exclude", value)],
  ];
  return { label: short(path || written), items };
}

/** What can be done with the subject of a message; `on`: { act(name, value), copy(text), filtered(), mayPublish() }. */
export function subjectItems(message, { act, copy, filtered, mayPublish }) {
  const { subject, reply } = message;
  return [
    ["Copy subject", () => copy(subject)],
    ["Filter to this subject", () => act("filter", { subject })],
    ["Exclude this subject", () => act("exclude", { subject })],
    ["Subscribe only this", () => act("only", { subject })],
    filtered() && ["Show among all", () => act("among", { entry: message })],
    mayPublish() && ["Publish again…", () => act("again", { entry: message })],
    reply && mayPublish() && ["Reply…", () => act("reply", { entry: message })],
  ];
}

/** What can be done with a header, and how the menu is called: `{ label, items }`. */
export function headerItems(header, { act, copy }) {
  const [name, value, encoding] = header;
  const term = headerTerm(header);
  const findable = term && term.length <= MOST_FINDABLE;
  const items = [
    [encoding ? "Copy base64" : "Copy value", () => copy(value)],
    ["Copy name: value", () => copy(`${name}: ${value}`)],
    findable && ["Filter to this header", () => act("filter", { term })],
    findable && ["Exclude this header", () => act("exclude", { term })],
  ];
  return { label: short(name), items };
}

/** The same with where an answer goes. */
export function replyItems(message, { act, copy, mayPublish }) {
  const { reply } = message;
  const items = [
    ["Copy reply subject", () => copy(reply)],
    mayPublish() && ["Reply…", () => act("reply", { entry: message })],
    ["Filter to requests", () => act("filter", { term: "is:request" })],
    ["Exclude requests", () => act("exclude", { term: "is:request" })],
  ];
  return { label: short(reply), items };
}

// A colon and white space are all there is between a key and its value. Both may be the same text, or the
// key may hold colons and quotes itself, so it is found from its end.
function memberStart({ start, place, kind }, text) {
  if (kind === "key" || typeof place?.step !== "string") return start;
  const colon = text.lastIndexOf(":", start - 1);
  return text.lastIndexOf('"', colon) + 1 - place.step.length;
}

function short(text) {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
