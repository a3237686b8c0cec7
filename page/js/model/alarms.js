import { parseFilter } from "./filter.js";
import { isReplayed } from "./stored.js";

const PLACE = "nats-live-tell";
const MOST = 5; // filters: each looks at every message
const LONGEST_SILENCE = 86_400_000; // ms

/**
 * What the reader wants to be told: `rules` are filters `{ text, matches, count }`, `silence` the ms after which a
 * subscription without a message is silent, 0 for never, `sound` and `notify` how. Remembered from one visit to the
 * next; `storage` is like localStorage, and where it is missing, full or forbidden all lasts until the page is closed.
 */
export class Alarms {
  #storage;

  constructor(storage) {
    this.#storage = storage;
    const { rules = [], silence, sound, notify } = this.#read();
    this.rules = [];
    for (const text of Array.isArray(rules) ? rules : []) this.#add(text);
    this.silence = silence > 0 && silence <= LONGEST_SILENCE ? silence : 0;
    this.sound = sound === true;
    this.notify = notify === true;
    this.unseen = 0; // how often something was to be told since the reader looked
  }

  /** Whether one more filter has a place here. */
  takes(text) {
    return Boolean(text) && this.rules.length < MOST && !this.rules.some((rule) => rule.text === text);
  }

  /** Tells from now on of messages that this filter lets through. */
  add(text) {
    if (this.takes(text)) this.#add(text);
    this.#keep();
  }

  remove(text) {
    this.rules = this.rules.filter((rule) => rule.text !== text);
    this.#keep();
  }

  /** Takes some of `{ silence, sound, notify }`. */
  set(choices) {
    Object.assign(this, choices);
    this.#keep();
  }

  /** The first filter that lets an entry through that has just come; undefined if none does. */
  rule(entry) {
    if (!this.rules.length || entry.kind !== "message" || isReplayed(entry)) return undefined;
    const found = this.rules.find(({ matches }) => matches(entry));
    if (found) found.count += 1;
    return found;
  }

  #add(text) {
    const { matches, error, empty } = parseFilter(String(text));
    if (!error && !empty && this.takes(text)) this.rules.push({ text, matches, count: 0 });
  }

  #keep() {
    const { silence, sound, notify } = this;
    try {
      this.#storage?.setItem(PLACE, JSON.stringify({ rules: this.rules.map(({ text }) => text), silence, sound, notify }));
    } catch {
      // full or forbidden: it holds until the page is closed
    }
  }

  #read() {
    try {
      return JSON.parse(this.#storage?.getItem(PLACE)) ?? {};
    } catch {
      return {};
    }
  }
}
