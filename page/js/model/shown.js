import { Matches } from "./matches.js";
import { parseFilter } from "./filter.js";

const SLICE = 6; // ms of searching at a time: nothing else on the page waits longer for it
const DOLLAR = 36;
const ALL = parseFilter("");

/** Whether a subject is of NATS itself: `$SYS.…`, `$JS.…`, `_INBOX.…` and their like. */
export function isSystem({ subject }) {
  return subject.charCodeAt(0) === DOLLAR || subject.startsWith("_INBOX");
}

/**
 * What the list shows: the ring, or a copy that stands still, through the filter and with or without
 * the subjects of NATS itself. Searches in slices, newest first.
 */
export class Shown {
  #ring;
  #base;
  #changed;
  #later;
  #filter = ALL;
  #hidesSystem = false;
  #matches = null; // what is shown; null is everything
  #next = null; // what will be, while it is searched
  #system;
  #round = 0;
  #newestOf = ({ subject, last }) => (this.predicate(last) ? last : this.#matches?.newest.get(subject));

  /** `changed()` tells of progress; `later(act)` acts when the page had time to breathe. */
  constructor(ring, changed, later = (act) => requestAnimationFrame(act)) {
    this.#ring = ring;
    this.#changed = changed;
    this.#later = later;
    this.#base = ring;
    this.#system = new Matches(ring, { matches: isSystem });
    this.predicate = null; // says whether a message passes; null when all do
  }

  get source() {
    return this.#matches ?? this.#base;
  }

  /** The same without a filter. */
  get base() {
    return this.#base;
  }

  /** A function that gives the newest message of a row of the subject table that passes; null where all do. */
  get newestOf() {
    return this.predicate && this.#newestOf;
  }

  get filtered() {
    return !this.#filter.empty || this.#hidesSystem;
  }

  get searching() {
    return this.#next !== null;
  }

  /** How many messages are shown, and out of how many. */
  get count() {
    return this.#matches?.shown ?? this.total;
  }

  get total() {
    return this.#base.kept;
  }

  /** How many of them are of NATS itself, and whether these are hidden. */
  get system() {
    return this.#system.shown;
  }

  /** Whether there is a filter. */
  get narrowed() {
    return !this.#filter.empty;
  }

  get hidesSystem() {
    return this.#hidesSystem;
  }

  /** Changes to the ring or to a copy of it; also after entries came into the ring in another way than by arriving. */
  show(base) {
    this.#base = base;
    this.#system = new Matches(base, { matches: isSystem });
    this.#search();
  }

  filterBy(filter) {
    this.#filter = filter;
    this.#choose();
  }

  hideSystem(hides) {
    this.#hidesSystem = hides;
    this.#choose();
  }

  /** Takes an entry that is new in the ring. */
  arrived(entry) {
    if (this.#base !== this.#ring) return;
    this.#add(this.#system, entry);
    if (this.#matches) this.#add(this.#matches, entry);
  }

  #add(matches, entry) {
    matches.push(entry);
    matches.trim(this.#ring.firstSeq);
  }

  #search() {
    this.#round += 1;
    const matches = this.predicate;
    this.#next = matches && new Matches(this.#base, { matches });
    this.#step(this.#round);
  }

  #choose() {
    const { matches } = this.#filter;
    if (!this.filtered) this.predicate = null;
    else this.predicate = this.#hidesSystem ? (message) => !isSystem(message) && matches(message) : matches;
    this.#search();
  }

  // While the list follows, the newest that were found can be shown at once. While it stands still, what is
  // read now may be among the oldest: it changes only when all is found.
  #step(round) {
    if (round !== this.#round) return; // another search has begun
    const until = performance.now() + SLICE;
    const done = this.#system.scan(until) && (this.#next?.scan(until) ?? true);
    if (done || this.#base === this.#ring) this.#matches = this.#next;
    if (done) this.#next = null;
    else this.#later(() => this.#step(round));
    this.#changed();
  }
}
