import { count } from "./format.js";

const EVERY = 10_000; // ms

/** Hands on what is to be told at once, and what follows it within ten seconds together. */
export class Digest {
  #tell;
  #later;
  #waiting = null; // the first of what waits, and how many there are
  #rests = false;

  /** `tell({ title, body })` tells the reader; `later(act, ms)` acts later. */
  constructor(tell, later = (act, ms) => setTimeout(act, ms)) {
    this.#tell = tell;
    this.#later = later;
  }

  add({ title, body }) {
    if (this.#waiting) this.#waiting.more += 1;
    else this.#waiting = { title, body, more: 0 };
    if (!this.#rests) this.#flush();
  }

  #flush() {
    this.#rests = this.#waiting !== null;
    if (!this.#waiting) return;
    const { title, body, more } = this.#waiting;
    this.#waiting = null;
    this.#tell({ title, body: more ? `${body}, and ${count(more)} more` : body });
    this.#later(() => this.#flush(), EVERY);
  }
}
