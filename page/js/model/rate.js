import { count } from "./format.js";
import { smoothed } from "./rates.js";

const BEATS = 5; // seconds with messages that are remembered
const SLOW = 1; // a second: below that the time between messages says more than how many come in a second

/**
 * How fast messages come: an average of the last seconds, or, where they are rare, what the time between the
 * last few says. One message is no rate. `beat` is asked once a second.
 */
export class Rate {
  #seconds = 0; // since the first message: the first one is rarely whole
  #average = 0;
  #beats = []; // [time, total] of the last seconds in which messages came

  constructor() {
    this.value = null; // per second; null while nobody knows
  }

  /** `arrived` messages came in the last `seconds`, the newest at `time`, `total` in all; it is `now`. */
  beat(arrived, seconds, { time, total, now }) {
    if (arrived) this.#note(time, total);
    if (!this.#beats.length) return;
    this.#seconds += 1;
    const measured = arrived / seconds;
    this.#average = this.#seconds <= 2 ? measured : smoothed(this.#average, measured, seconds);
    this.value = total < 2 ? null : this.#average >= SLOW ? this.#average : this.#between(now);
  }

  #note(time, total) {
    this.#beats.push([time, total]);
    if (this.#beats.length > BEATS) this.#beats.shift();
  }

  // Who has been silent for a minute sends no more than one a minute.
  #between(now) {
    const [[start, before], [end, total]] = [this.#beats[0], this.#beats.at(-1)];
    const most = 1000 / Math.max(1, now - end);
    if (this.#beats.length < 2) return Math.min(most, Math.max(this.#average, SLOW));
    return Math.min(most, (total - before) / Math.max(0.001, (end - start) / 1000));
  }
}

/** A rate as it is read: "9,858/s", "1.5/s", "12/min", "3/h"; "–" where there is none. */
export function rateText(rate) {
  if (rate === null) return "–";
  const { number, unit } = shownRate(rate);
  return `${number === 0 ? "<1" : count(number)}/${unit}`;
}

/** The number that is shown of a rate, per second, so that what looks alike is alike. */
export function roundRate(rate) {
  if (rate === null) return -1;
  const { number, size } = shownRate(rate);
  return number * size;
}

function shownRate(rate) {
  if (rate >= 0.95) return { number: rate < 9.95 ? Math.round(rate * 10) / 10 : Math.round(rate), unit: "s", size: 1 };
  if (rate * 60 >= 0.95) return { number: Math.round(rate * 60), unit: "min", size: 1 / 60 };
  return { number: Math.round(rate * 3600), unit: "h", size: 1 / 3600 };
}
