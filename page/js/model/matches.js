const WORTH_MOVING = 1_024;
const LOOKS = 16; // entries between two looks at the clock, which cost as much as an entry
const LONG = 65_536; // characters of an entry after which the clock is looked at in any case

/**
 * The entries of a source that match, in order: itself a source. Two stacks, so that adding at either
 * end is cheap: what the scan finds going back in time, and what has arrived since it began.
 * Notes always match, for a loss is never filtered away, but only messages count as `shown`.
 */
export class Matches {
  #source;
  #filter;
  #older = []; // newest first
  #newer = []; // oldest first
  #gone = 0; // places at the beginning of #newer that are empty now
  #next; // seq of the entry the scan looks at next, -1 at its end

  constructor(source, filter) {
    this.newest = new Map(); // subject → its newest message that is here
    this.#source = source;
    this.#filter = filter;
    this.#next = source.at(source.length - 1)?.seq ?? -1;
    this.shown = 0;
  }

  get length() {
    return this.#older.length + this.#newer.length - this.#gone;
  }

  /** The entry at `index`, 0 being the oldest; undefined outside. */
  at(index) {
    if (index < 0) return undefined;
    const { length } = this.#older;
    return index < length ? this.#older[length - 1 - index] : this.#newer[this.#gone + index - length];
  }

  /** The place of the entry with this `seq`; -1 if it is not here. */
  indexOf(seq) {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.at(middle).seq < seq) low = middle + 1;
      else high = middle;
    }
    return this.at(low)?.seq === seq ? low : -1;
  }

  /** Looks at what was there before, newest first, until that time of `performance.now()`; true when done. */
  scan(until = Infinity) {
    let index = this.#source.indexOf(this.#next);
    let inTime = true;
    for (; index >= 0 && inTime; index -= 1) {
      const entry = this.#source.at(index);
      this.#take(entry, this.#older);
      if (index % LOOKS === 0 || entry.raw.length > LONG) inTime = performance.now() < until;
    }
    this.#next = this.#source.at(index)?.seq ?? -1;
    return index < 0;
  }

  /** Takes an entry that has just arrived in the source. */
  push(entry) {
    this.#take(entry, this.#newer);
  }

  /** Lets go of what is older than `firstSeq`. */
  trim(firstSeq) {
    while (this.at(0)?.seq < firstSeq) {
      const entry = this.#dropOldest();
      if (entry.kind !== "message") continue;
      this.shown -= 1;
      if (this.newest.get(entry.subject) === entry) this.newest.delete(entry.subject);
    }
  }

  #take(entry, stack) {
    const isMessage = entry.kind === "message";
    if (isMessage && !this.#filter.matches(entry)) return;
    if (isMessage) {
      this.shown += 1;
      if (stack === this.#newer || !this.newest.has(entry.subject)) this.newest.set(entry.subject, entry);
    }
    stack.push(entry);
  }

  #dropOldest() {
    if (this.#older.length) return this.#older.pop();
    const entry = this.#newer[this.#gone];
    this.#newer[this.#gone] = undefined; // its payload may go at once, its place later
    this.#gone += 1;
    if (this.#gone >= WORTH_MOVING && 2 * this.#gone >= this.#newer.length) {
      this.#newer = this.#newer.slice(this.#gone);
      this.#gone = 0;
    }
    return entry;
  }
}
