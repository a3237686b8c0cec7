import { heardAt } from "./gateway-clock.js";
import { textLength } from "./meta.js";
import { ownText } from "./own-text.js";
import { Rate } from "./rate.js";
import { isOlder, isReplayed } from "./stored.js";

const MOST_SUBJECTS = 5_000; // subjects can be without number: telemetry.<uuid>
const MOST_CHARS = 32 * 1024 * 1024;
const COPIED_PER_TICK = 1024 * 1024; // characters, a few milliseconds

/**
 * One row for each subject: `{ subject, hue, count, rate, last, seq }`, `last` being its newest message, `rate` null while there is none.
 * When there are too many, those leave that had no message since the last look at them, and what they
 * had counted goes to `others`: `{ count, subjects }`. A subject that leaves twice is there twice.
 */
export class SubjectTable {
  #bySubject = new Map();
  #maxSubjects;
  #maxChars;
  #chars = 0;
  #hand = 0; // the row looked at next when one has to leave
  #nextSeq = 0;

  constructor(maxSubjects = MOST_SUBJECTS, maxChars = MOST_CHARS) {
    this.#maxSubjects = maxSubjects;
    this.#maxChars = maxChars;
    this.rows = []; // to be read only, in no order
    this.others = { count: 0, subjects: 0 };
    this.version = 0; // another one when a row has come or gone
  }

  record(entry) {
    const known = this.#bySubject.get(entry.subject);
    const row = known ?? this.#add(entry);
    row.used = known !== undefined; // coming once is no reason to stay
    row.count += 1;
    if (isReplayed(entry)) row.replayed += 1;
    else row.arrived += 1;
    if (known && isOlder(entry, row.last)) return;
    this.#chars += textLength(entry) - textLength(row.last);
    row.last = entry;
    row.hue = entry.hue;
    row.owned = false;
    while (this.#chars > this.#maxChars && this.rows.length > 1) this.#shrink(row);
  }

  /** Call once a second, or say how many have passed: rates follow what came, and fall when nothing does. */
  tick(seconds = 1, now = Date.now()) {
    let copied = 0;
    for (const row of this.rows) {
      row.pace.beat(row.arrived, seconds, { time: heardAt(row.last), total: row.count - row.replayed, now });
      row.rate = row.pace.value;
      if (!row.arrived && !row.owned && copied < COPIED_PER_TICK) {
        own(row);
        copied += row.last.raw.length;
      }
      row.arrived = 0;
    }
  }

  /** A copy that stands still, with the time at which it was taken. */
  snapshot(time = Date.now()) {
    return { rows: this.rows.map((row) => ({ ...row })), others: { ...this.others }, version: this.version, time };
  }

  /** Empties it and returns a function that brings back what there was, and adds what has come since. */
  clear() {
    const cleared = this.#empty();
    return () => {
      const since = this.#empty();
      for (const table of [cleared, since]) {
        for (const row of table.rows) this.#bringBack(row);
        this.others.count += table.others.count;
        this.others.subjects += table.others.subjects;
      }
    };
  }

  #empty() {
    const { rows, others } = this;
    this.#bySubject.clear();
    this.#chars = 0;
    this.#hand = 0;
    this.rows = [];
    this.others = { count: 0, subjects: 0 };
    this.version += 1;
    return { rows, others };
  }

  #bringBack({ last, count, replayed, rate, pace }) {
    this.record(last);
    const row = this.#bySubject.get(last.subject);
    const wasReplayed = isReplayed(last);
    row.count += count - 1;
    row.replayed += replayed - Number(wasReplayed);
    row.arrived -= Number(!wasReplayed);
    row.rate ??= rate;
    row.pace = pace;
  }

  #add(entry) {
    const subject = ownText(entry.subject); // see own()
    const seq = this.#nextSeq++;
    const row = { subject, hue: null, count: 0, replayed: 0, rate: null, pace: new Rate(), last: entry, seq, arrived: 0, used: false, owned: false };
    if (this.rows.length < this.#maxSubjects) this.rows.push(row);
    else this.rows[this.#evict()] = row;
    this.#bySubject.set(subject, row);
    this.#chars += textLength(entry);
    this.version += 1;
    return row;
  }

  #shrink(spared) {
    const place = this.#evict(spared);
    const last = this.rows.pop();
    if (place < this.rows.length) this.rows[place] = last;
    this.version += 1;
  }

  // A row that was used since the hand last passed gets a second chance. Each mark is wiped once for a
  // message that set it, so the search costs little on average, however many rows there are.
  #evict(spared = null) {
    for (;;) {
      const place = this.#hand % this.rows.length;
      const row = this.rows[place];
      this.#hand = place + 1;
      if (row !== spared && !row.used) {
        this.#forget(row);
        return place;
      }
      row.used = false;
    }
  }

  #forget(row) {
    this.#bySubject.delete(row.subject);
    this.#chars -= textLength(row.last);
    this.others.count += row.count;
    this.others.subjects += 1;
  }
}

// Engines cut a string out of another without copying, and the part holds the whole: one message a
// minute could keep its frame of 64 KiB alive, 5,000 subjects 300 MB. What stays gets its own copy.
function own(row) {
  const { last } = row;
  row.last = { ...last, subject: row.subject, raw: ownText(last.raw), preview: undefined };
  row.owned = true;
}
