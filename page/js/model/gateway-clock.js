const WINDOW = 600_000; // ms: a clock that drifts, or was set at the gateway, is followed after two of them
const SET = 1_000; // ms: a step of the clock of this page that is no drift

/**
 * The clock of the gateway, as its messages tell it, beside that of this page. What is told apart is the least that a
 * message took of late: the difference between the clocks, and the time on the way when there was nothing to wait for.
 */
export class GatewayClock {
  #text = ""; // the last moment, as it came: many messages have the same one
  #time = NaN;
  #began = 0;
  #origin = 0; // of the time that has elapsed: another one where the clock of this page was set
  #least = Infinity;
  #before = Infinity; // the least of the window before

  constructor() {
    this.skew = 0; // ms by which the clock of this page is ahead
  }

  /** Forgets what it knew: another gateway may have another clock. */
  reset() {
    this.#least = this.#before = Infinity;
  }

  /** The moment that `text` tells, in ms since 1970; NaN if an older gateway tells none. */
  read(text) {
    if (text === this.#text) return this.#time;
    this.#text = text;
    this.#time = typeof text === "string" ? Date.parse(text) : NaN;
    return this.#time;
  }

  /** A message of that moment, the newest of those that came together, is here `now`, after `elapsed` ms of a clock that nobody sets. */
  compare(text, now, elapsed) {
    if (Math.abs(now - elapsed - this.#origin) > SET) {
      this.#origin = now - elapsed;
      this.reset();
    }
    const late = now - this.read(text);
    if (Number.isNaN(late)) return;
    if (Math.abs(now - this.#began) > WINDOW) {
      this.#before = this.#least;
      this.#least = Infinity;
      this.#began = now;
    }
    this.#least = Math.min(this.#least, late);
    this.skew = Math.min(this.#least, this.#before);
  }
}

/** When an entry was received by the gateway, by the clock of this page: for ages and rates. */
export function heardAt({ time, skew = 0 }) {
  return time + skew;
}
