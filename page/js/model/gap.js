import { clock } from "./format.js";

/** A time in which messages are missed: when it began, and everything that caused it, in order. */
export class Gap {
  #since = 0;
  #causes = new Set();

  get open() {
    return this.#causes.size > 0;
  }

  has(cause) {
    return this.#causes.has(cause);
  }

  /** A further cause does not move the beginning. */
  begin(cause, now) {
    if (!this.open) this.#since = now;
    this.#causes.add(cause);
  }

  /** Nothing was missed for this cause after all. */
  forget(cause) {
    this.#causes.delete(cause);
  }

  /** Ends it and returns the sentence that tells it. */
  end(now) {
    const what = [...this.#causes].join(", then ");
    this.#causes.clear();
    return `${what} ${clock(this.#since)} – ${clock(now)}: messages in between were not received`;
  }
}
