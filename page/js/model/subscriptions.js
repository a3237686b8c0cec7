import { AUTO } from "./past.js";
import { ownText } from "./own-text.js";
import { matcher } from "./subjects.js";

const HUES = 8;
const MOST_REMEMBERED = 5_000; // subjects can be without number: telemetry.<uuid>

/**
 * The patterns this page follows or wants to follow, in the order they were added.
 * Each is `{ pattern, state, message, count, replayed, hue, history, stream, stage }`; state is pending, active or refused,
 * `replayed` how many of its messages were stored before, `history` what was asked for of the past. `stream` is the one
 * that it comes from, "" if it comes from none; `stage` how far it is there: replaying, behind, live, or ""; `silent` how long nothing came, in
 * words, if that is to be told.
 */
export class Subscriptions {
  #byPattern = new Map();
  #bySubject = new Map(); // subject → subscriptions it falls under, so that it is matched once

  get size() {
    return this.#byPattern.size;
  }

  [Symbol.iterator]() {
    return this.#byPattern.values();
  }

  get patterns() {
    return [...this.#byPattern.keys()];
  }

  /** The patterns that were not refused. */
  get followed() {
    return [...this].filter(({ state }) => state !== "refused").map(({ pattern }) => pattern);
  }

  /** The same with what was asked for of their past: `{ pattern, history }`. */
  get wanted() {
    return [...this].filter(({ state }) => state !== "refused").map(({ pattern, history }) => ({ pattern, history }));
  }

  /** The patterns that come from a stream. */
  get stored() {
    return [...this].filter(({ stream }) => stream).map(({ pattern }) => pattern);
  }

  /** The patterns that come from no stream, as far as is known, and were not refused. */
  get plain() {
    return [...this].filter(({ state, stream }) => state !== "refused" && !stream).map(({ pattern }) => pattern);
  }

  has(pattern) {
    return this.#byPattern.has(pattern);
  }

  get(pattern) {
    return this.#byPattern.get(pattern);
  }

  add(pattern, history = AUTO) {
    const hue = this.#freeHue(pattern);
    const figures = { state: "pending", message: "", count: 0, replayed: 0 };
    this.#byPattern.set(pattern, { pattern, matches: matcher(pattern), hue, ...figures, history, stream: "", stage: "", silent: "" });
    this.#bySubject.clear();
  }

  remove(pattern) {
    this.#byPattern.delete(pattern);
    this.#bySubject.clear();
  }

  /** Says how things are with a pattern; one that has been removed meanwhile is passed over. */
  mark(pattern, state, message = "") {
    const subscription = this.get(pattern);
    if (subscription) Object.assign(subscription, { state, message });
  }

  /** Notes where a pattern comes from, or how far it is: some of `{ history, stream, stage }`. */
  place(pattern, facts) {
    const subscription = this.get(pattern);
    if (subscription) Object.assign(subscription, facts);
  }

  /** Counts one message, which may be `replayed`, and returns the subscriptions its subject falls under. */
  countMessage(subject, replayed = false) {
    const found = this.#bySubject.get(subject) ?? this.#match(subject);
    for (const subscription of found) {
      subscription.count += 1;
      if (replayed) subscription.replayed += 1;
    }
    return found;
  }

  #match(subject) {
    if (this.#bySubject.size >= MOST_REMEMBERED) this.#bySubject.clear();
    const found = [...this].filter(({ matches }) => matches(subject));
    this.#bySubject.set(ownText(subject), found);

    return found;
  }

  // A pattern keeps its colour from one visit to the next, and neighbours get different ones.
  #freeHue(pattern) {
    const taken = new Set([...this].map(({ hue }) => hue));
    let hue = 0;
    for (const sign of pattern) hue = (hue * 31 + sign.codePointAt(0)) % HUES;
    for (let step = 0; step < HUES && taken.has(hue); step += 1) hue = (hue + 1) % HUES;
    return hue;
  }
}
