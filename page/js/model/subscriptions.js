import { ownText } from "./own-text.js";
import { matcher } from "./subjects.js";

const HUES = 8;
const MOST_REMEMBERED = 5_000; // subjects can be without number: telemetry.<uuid>

/**
 * The patterns this page follows or wants to follow, in the order they were added.
 * Each is `{ pattern, state, message, count, hue }`; state is pending, active or refused.
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

  has(pattern) {
    return this.#byPattern.has(pattern);
  }

  get(pattern) {
    return this.#byPattern.get(pattern);
  }

  add(pattern) {
    const hue = this.#freeHue(pattern);
    this.#byPattern.set(pattern, { pattern, matches: matcher(pattern), hue, state: "pending", message: "", count: 0 });
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

  /** Counts one message and returns the subscriptions its subject falls under. */
  countMessage(subject) {
    const found = this.#bySubject.get(subject) ?? this.#match(subject);
    for (const subscription of found) subscription.count += 1;
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
