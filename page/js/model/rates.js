import { heardAt } from "./gateway-clock.js";
import { payloadSize } from "./payload.js";

const SPAN = 60;
const KEPT_PER_SECOND = 0.6; // of the old rate: after four seconds most of it is new
const NOTHING = 0.05; // shown with one decimal, less is nought

/** `rate`, drawn towards what was `measured` (per second) during the last `seconds`. */
export function smoothed(rate, measured, seconds = 1) {
  const next = measured + (rate - measured) * KEPT_PER_SECOND ** seconds;
  return next < NOTHING ? 0 : next;
}

/** Messages and bytes in each of the last 60 whole seconds. Recording costs the same at any rate. */
export class Rates {
  #counts = new Float64Array(SPAN + 1); // one more for the second that is not over
  #bytes = new Float64Array(SPAN + 1);
  #second = 0; // since 1970

  /** Counts a message that is here `now`: if it is seconds late, where it was due. */
  record(entry, now = heardAt(entry)) {
    this.#moveTo(Math.floor(now / 1000));
    const secondsAgo = Math.floor(Math.max(0, now - heardAt(entry)) / 1000);
    if (secondsAgo > SPAN) return;
    const place = this.#place(secondsAgo);
    this.#counts[place] += 1;
    this.#bytes[place] += payloadSize(entry);
  }

  /** `{ counts, messages, bytes, peak }`: per second, oldest first; then of the last one; and the highest count. */
  at(now) {
    this.#moveTo(Math.floor(now / 1000));
    const counts = Array.from({ length: SPAN }, (_, index) => this.#counts[this.#place(SPAN - index)]);
    return {
      counts,
      messages: counts.at(-1),
      bytes: this.#bytes[this.#place(1)],
      peak: Math.max(...counts),
    };
  }

  #place(secondsAgo) {
    const { length } = this.#counts;
    return (((this.#second - secondsAgo) % length) + length) % length;
  }

  // Somebody may set the clock: a step back of more than a second begins anew.
  #moveTo(second) {
    const steps = second - this.#second;
    if (steps < -1 || steps > SPAN) {
      this.#counts.fill(0);
      this.#bytes.fill(0);
      this.#second = second;
    }
    while (this.#second < second) {
      this.#second += 1;
      const place = this.#place(0);
      this.#counts[place] = 0;
      this.#bytes[place] = 0;
    }
  }
}
