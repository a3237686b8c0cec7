// Values for tests of what must hold for any value: the same ones in every run.
let state = 20_240_229;

function random() {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

/** A whole number below `end`. */
export const whole = (end) => Math.floor(random() * end);

/** One of the items. */
export const anyOf = (items) => items[whole(items.length)];

/** True that often, 0 to 1. */
export const chance = (probability) => random() < probability;
