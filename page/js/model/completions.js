import { parseEntry } from "./entry.js";

const MOST_OFFERED = 8;
const MOST_PARTS = 8; // deeper parents are not offered: a subject may have hundreds of parts
const EXAMPLE = "test.subject";
const SEPARATOR = /[\s,]/;
const UNSUBSCRIBE = /^\s*(nats\s+)?unsub(scribe)?\s/i;
const NONE = { start: 0, end: 0, options: [] };

/**
 * What to offer for the word at the cursor: `{ start, end, options }`, the options in the place of
 * `text.slice(start, end)`, each `{ text, count, note }`; `count` is how many messages it would have had.
 * `known`: { rows of the subject table, followed patterns, earlier subjects, newest first }.
 * Where no word has begun there is something to offer only if the reader `asked`, or wants to unsubscribe.
 */
export function complete(text, cursor, { rows, followed, earlier }, asked = false) {
  const { start, end } = wordAt(text, cursor);
  const query = text.slice(start, cursor);
  if (/^\s*[{[]/.test(text) || /^["'`]/.test(query)) return NONE;
  const elsewhere = [...words(text.slice(0, start)), ...words(text.slice(end))];
  const leaving = UNSUBSCRIBE.test(text.slice(0, start));
  if (!query && !leaving && !asked) return NONE;
  const offers = leaving ? toLeave(followed) : toFollow(query, rows, earlier);
  const unwanted = new Set([query, ...elsewhere, ...(leaving ? [] : followed)]);
  return { start, end, options: best(offers, query, unwanted) };
}

/** What to offer for a field that holds one subject, without wildcards: those that were seen, and `earlier` ones. */
export function completeSubject(text, cursor, { rows, earlier }, asked = false) {
  const query = text.slice(0, cursor);
  if (!query && !asked) return NONE;
  const offers = new Map(earlier.map((subject, place) => [subject, asOffer(subject, 0, "sent before", query ? 0 : earlier.length - place)]));
  for (const { subject, count } of rows) offers.set(subject, asOffer(subject, count, "", offers.get(subject)?.recent ?? 0));
  return { start: 0, end: text.length, options: best(offers.values(), query, new Set([query])) };
}

function asOffer(text, count, note, recent) {
  return { text, wild: 0, count, note, recent };
}

function wordAt(text, cursor) {
  let start = cursor;
  let end = cursor;
  while (start > 0 && !SEPARATOR.test(text[start - 1])) start -= 1;
  while (end < text.length && !SEPARATOR.test(text[end])) end += 1;
  return { start, end };
}

function words(text) {
  return text.split(/[\s,]+/).filter(Boolean);
}

function toLeave(followed) {
  return followed.map((pattern) => asOffer(pattern, 0, "followed", 0));
}

function toFollow(query, rows, earlier) {
  const offers = new Map();
  const add = (text, wild, count, note = "", recent = 0) => {
    const offer = offers.get(text);
    if (offer) offer.count += count;
    else offers.set(text, { text, wild, count, note, recent });
  };
  earlier.forEach((subject, place) => add(subject, 0, 0, "typed before", query ? 0 : earlier.length - place));
  add(EXAMPLE, 0, 0, "an example");
  const stem = query.replace(/[*>]+$/, "").toLowerCase();
  for (const { subject, count, note } of rows) {
    if (!subject.toLowerCase().includes(stem)) continue;
    add(subject, 0, count, note);
    addParents(subject, count, add);
  }
  return [...offers.values()].filter(({ text, count }) => offers.get(narrower(text))?.count !== count);
}

// For a.b.c: a.>, a.b.> and a.b.*
function addParents(subject, count, add) {
  let dot = subject.indexOf(".");
  for (let part = 1; dot !== -1 && part < MOST_PARTS; part += 1) {
    const parent = subject.slice(0, dot + 1);
    add(`${parent}>`, 2, count);
    dot = subject.indexOf(".", dot + 1);
    if (dot === -1) add(`${parent}*`, 1, count);
  }
}

// a.> says no more than a.* as long as nothing deeper was seen.
function narrower(text) {
  return text.endsWith(".>") ? `${text.slice(0, -1)}*` : "";
}

// Of thousands only the best few are kept, so none are sorted.
function best(offers, query, unwanted) {
  const wanted = query.toLowerCase();
  const found = [];
  for (const offer of offers) {
    if (!fits(offer, wanted)) continue;
    const worst = found.length < MOST_OFFERED ? null : found.at(-1);
    if ((worst && compare(offer, worst) > 0) || unwanted.has(offer.text) || !typeable(offer.text)) continue;
    const place = found.findIndex((better) => compare(offer, better) < 0);
    found.splice(place === -1 ? found.length : place, 0, offer);
    found.length = Math.min(found.length, MOST_OFFERED);
  }
  return found.map(({ text, count, note }) => ({ text, count, note }));
}

function fits(offer, wanted) {
  const place = offer.text.toLowerCase().indexOf(wanted);
  offer.inside = Number(place > 0);
  const ofTheSystem = /^[$_]/.test(offer.text);
  return place === 0 ? !ofTheSystem || wanted !== "" : place > 0 && !ofTheSystem;
}

function compare(one, other) {
  return (
    one.inside - other.inside ||
    other.recent - one.recent ||
    other.count - one.count ||
    one.wild - other.wild ||
    Number(one.text > other.text) - Number(one.text < other.text)
  );
}

// Subjects are strangers' words: what the field would not take as that subject is not offered.
function typeable(text) {
  const { action, subjects = [] } = parseEntry(text);
  return action === "subscribe" && subjects.length === 1 && subjects[0] === text;
}
