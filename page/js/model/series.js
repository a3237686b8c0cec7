import { place as placeOf } from "./history.js";
import { follow, samePlace, stepsOf } from "./json-path.js";
import { valuesOf } from "./json-view.js";

const MOST_MESSAGES = 5_000;

/**
 * The numbers at one place in the messages of one subject, oldest first, as points `{ time, value, entry }`.
 * It looks at the newest 5,000 messages of the subject, and only once at each.
 */
export class Series {
  #steps;
  #most;
  #source = null;
  #older = []; // newest first: read backwards from where reading began
  #newer = [];
  #back = -1; // seq before which nothing has been read
  #front = -1; // seq of the newest entry read
  #whole = false; // nothing older is to be read
  #read = 0; // messages of the subject, also without a number there

  constructor(subject, place, most = MOST_MESSAGES) {
    this.subject = subject;
    this.place = place;
    this.cut = false; // whether older messages were left out because there are too many
    this.#steps = stepsOf(place);
    this.#most = most;
  }

  // What is replayed comes after what is newer.
  get points() {
    return [...this.#older.toReversed(), ...this.#newer].sort((one, other) => one.time - other.time);
  }

  /** Reads what is new in `source`, then what is older; false if time was up at `until` of performance.now(). */
  scan(source, until = Infinity) {
    if (source !== this.#source) this.#restart(source);
    const read = this.#readNewer(until) && this.#readOlder(until);
    this.#forget();
    return read;
  }

  #restart(source) {
    const newest = source.at(source.length - 1)?.seq ?? -1;
    this.#source = source;
    this.#older = [];
    this.#newer = [];
    this.#front = newest;
    this.#back = newest + 1;
    this.#whole = false;
    this.#read = 0;
    this.cut = false;
  }

  // After a long pause it is less to begin anew, from the newest back, than to read all that came.
  #readNewer(until) {
    const source = this.#source;
    const start = placeOf(source, this.#front + 1);
    if (source.length - start > this.#most) this.#restart(source);
    for (let index = placeOf(source, this.#front + 1); index < source.length; index += 1) {
      if (performance.now() >= until) return false;
      const entry = source.at(index);
      this.#front = entry.seq;
      this.#take(entry, this.#newer);
    }
    return true;
  }

  #readOlder(until) {
    if (this.#whole) return true;
    let index = placeOf(this.#source, this.#back) - 1;
    while (index >= 0 && this.#read < this.#most) {
      if (performance.now() >= until) return false;
      const entry = this.#source.at(index);
      this.#back = entry.seq;
      this.#take(entry, this.#older);
      index -= 1;
    }
    this.#whole = true;
    this.cut = index >= 0;
    return true;
  }

  #take(entry, points) {
    if (entry.kind !== "message" || entry.subject !== this.subject) return;
    this.#read += 1;
    const value = numberAt(entry, this.#steps);
    if (value !== undefined) points.push({ time: entry.time, value, entry });
  }

  // What left the source leaves here too, and what is too much.
  #forget() {
    const first = this.#source.at(0)?.seq ?? Infinity;
    const points = this.points.filter(({ entry }) => entry.seq >= first);
    if (points.length > this.#most) this.cut = true;
    const kept = points.slice(-this.#most);
    if (kept.length === this.#older.length + this.#newer.length) return;
    this.#older = [];
    this.#newer = kept;
  }
}

function numberAt({ raw, encoding }, steps) {
  if (encoding !== "json") return undefined;
  try {
    const value = follow(JSON.parse(raw), steps);
    return Number.isFinite(value) ? value : undefined;
  } catch {
    return undefined; // nested deeper than the browser reads
  }
}

/** The number of a point as its message has it, with every digit. */
export function exactText(point, place) {
  point.text ??= written(point.entry.raw, place) ?? String(point.value);
  return point.text;
}

function written(raw, place) {
  let found;
  for (const token of valuesOf(raw)) {
    if (samePlace(token.place, place)) found = raw.slice(token.start, token.end);
  }
  return found;
}
