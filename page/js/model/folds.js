import { pathText } from "./json-path.js";

/** How many values of a list are shown until more are asked for. */
export const LONG = 100;

/**
 * Which objects and lists of a JSON text are folded, by their places (see json-path.js): so the next message of the
 * same subject is folded alike.
 */
export class Folds {
  #levels = new Set(); // depths at which all are folded
  #others = new Map(); // path → depth: where it is the other way round
  #whole = new Set(); // paths of long lists that are shown to their end
  #allWhole = false;

  /** Whether what is at this place is folded. */
  has(place) {
    if (!this.#levels.size && !this.#others.size) return false;
    return this.#levels.has(depthOf(place)) !== this.#others.has(pathText(place));
  }

  /** Folds what is at this place, or unfolds it. */
  toggle(place) {
    const path = pathText(place);
    if (!this.#others.delete(path)) this.#others.set(path, depthOf(place));
  }

  /** The same with all that is as deep. */
  toggleLevel(place) {
    const folds = !this.has(place);
    const depth = depthOf(place);
    if (folds) this.#levels.add(depth);
    else this.#levels.delete(depth);
    for (const [path, of] of this.#others) if (of === depth) this.#others.delete(path);
  }

  /** Whether the long list at this place ends after the first of its values. */
  cuts(place) {
    return !this.#allWhole && !this.#whole.has(pathText(place));
  }

  /** Shows the list at this place to its end. */
  showWhole(place) {
    this.#whole.add(pathText(place));
  }

  /** Shows every list to its end. */
  showAllWhole() {
    this.#allWhole = true;
  }

  /** Unfolds everything; false if nothing was folded. */
  open() {
    const were = Boolean(this.#levels.size || this.#others.size || !this.#allWhole);
    this.#levels.clear();
    this.#others.clear();
    this.#allWhole = true;
    return were;
  }
}

function depthOf(place) {
  let depth = 0;
  for (let at = place; at; at = at.up) depth += 1;
  return depth;
}
