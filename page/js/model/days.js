import { dayOf, isIn } from "./time.js";

const HELD_UP = 3_600_000; // ms: what is from before midnight and came after it is no new day

/** Which day the messages have come to: a time of day alone says little in a page that has been open for days. */
export class Days {
  #day = null; // of the newest message

  /** Takes the time of the next message; whether it is of another day than the one before. */
  turn(time) {
    const before = this.#day;
    const isHeldUp = before && time < before.start && before.start - time < HELD_UP;
    if (isHeldUp || (before && isIn(before, time))) return false;
    this.#day = dayOf(time);
    return before !== null && !isIn(this.#day, before.start);
  }
}
