const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/**
 * The place of a value in a JSON text is `{ up, step }`: a step below the place `up`, being an index or a
 * key as it is written, quotes and escapes included. `null` is the place of the whole text.
 */

/** A place for reading and pasting: `items[0].sku`, `["odd key"]`; "" for the whole text. */
export function pathText(place) {
  return stepsOf(place).map(stepText).join("");
}

/** The steps to a place from the top: indexes as numbers, keys decoded. */
export function stepsOf(place) {
  const steps = [];
  for (let at = place; at; at = at.up) {
    steps.push(typeof at.step === "number" ? at.step : JSON.parse(at.step));
  }
  return steps.reverse();
}

/** The value at the end of `steps`, in a value that was parsed; undefined if they lead nowhere. */
export function follow(value, steps) {
  let found = value;
  for (const step of steps) {
    if (found === null || typeof found !== "object") return undefined;
    if (Array.isArray(found) !== (typeof step === "number")) return undefined; // a list's own length
    found = found[step];
  }
  return found;
}

/** Whether two places are the same. */
export function samePlace(one, other) {
  while (one && other && one.step === other.step) {
    one = one.up;
    other = other.up;
  }
  return !one && !other;
}

function stepText(step, position) {
  if (typeof step === "number") return `[${step}]`;
  if (!IDENTIFIER.test(step)) return `[${JSON.stringify(step)}]`;
  return position ? `.${step}` : step;
}
