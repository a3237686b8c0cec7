import { count } from "../model/format.js";
import { AUTO } from "../model/past.js";

const REMEMBERED = 20;

/** What the reader does about subjects, with a way to take it back. */
export class Following {
  #feed;
  #chips;
  #toast;
  #changed;

  /** `changed()` is called after each change. */
  constructor({ feed, chips, toast, changed }) {
    this.#feed = feed;
    this.#chips = chips;
    this.#toast = toast;
    this.#changed = changed;
    this.earlier = []; // subjects that were asked for, newest first
    this.changedAt = Date.now();
  }

  /** Does what was typed; returns a sentence if part of it made no sense. */
  enter({ action, subjects, history }) {
    if (action === "unsubscribe") {
      const unknown = this.#feed.unsubscribe(subjects);
      this.#note();
      return unknown.length ? `Not subscribed to ${unknown.join(", ")}.` : "";
    }
    this.earlier = [...new Set([...subjects, ...this.earlier])].slice(0, REMEMBERED);
    const known = this.#feed.subscribe(subjects, history);
    this.#note();
    this.#chips.flash(known);
    return "";
  }

  /** Asks for the past of a pattern, or from now on for nothing of it. */
  ask(pattern, history) {
    if (history === AUTO) this.#feed.want(pattern, history);
    else this.#feed.subscribe([pattern], history); // also what was asked for before
    this.#note();
  }

  remove(patterns) {
    this.#change([], patterns);
    const what = patterns.length === 1 ? patterns[0] : `${count(patterns.length)} subjects`;
    this.#toast.show(`Unsubscribed from ${what}.`, () => this.#change(patterns, []));
  }

  /** Follows nothing but `subject`. */
  only(subject) {
    const before = this.#feed.subscriptions.patterns;
    const others = before.filter((pattern) => pattern !== subject);
    this.#change([subject], others);
    const wasNew = before.includes(subject) ? [] : [subject];
    this.#toast.show(`Subscribed to ${subject} only.`, () => this.#change(others, wasNew));
  }

  /** Whoever asked for everything may want all that there is to have. */
  offer(pattern) {
    const { allow, all } = this.#feed.rights;
    if (pattern !== ">" || all || !allow.length) return;
    const label = allow.length === 1 ? "Follow the pattern you may" : `Follow the ${count(allow.length)} patterns you may`;
    this.#toast.show("Not everything may be followed here.", () => this.#change(allow, [">"]), label);
  }

  /** Follows what a link names, `{ pattern, history }` each, and nothing else. */
  become(wanted) {
    const named = new Set(wanted.map(({ pattern }) => pattern));
    const gone = this.#feed.subscriptions.patterns.filter((pattern) => !named.has(pattern));
    if (gone.length) this.#feed.unsubscribe(gone);
    for (const { pattern, history } of wanted) this.#feed.want(pattern, history);
  }

  #change(more, less) {
    this.#feed.subscribe(more);
    this.#feed.unsubscribe(less);
    this.#note();
  }

  #note() {
    this.changedAt = Date.now();
    this.#changed();
  }
}
