import { textLength } from "./meta.js";

/**
 * The newest entries, at most `maxCount` of them and `maxChars` characters of payload text and headers.
 * Adding is cheap however full it is. An entry is `{ kind, raw, … }`; each gets the next `seq`,
 * so that the place of one that is still here is its distance from the oldest.
 */
export class Ring {
  #slots;
  #oldest = 0;
  #length = 0;
  #chars = 0;
  #nextSeq = 0;

  constructor(maxCount, maxChars = Infinity) {
    this.#slots = new Array(maxCount);
    this.maxChars = maxChars;
    this.kept = 0; // messages in the ring now
    this.notKept = 0; // messages that had to leave
    this.gone = 0; // those of them that were before what is here, since it was cleared
    this.full = ""; // what the last one had to leave for: "count" or "chars"
  }

  get length() {
    return this.#length;
  }

  get maxCount() {
    return this.#slots.length;
  }

  /** The `seq` of the oldest entry; of the next one while there is none. */
  get firstSeq() {
    return this.#nextSeq - this.#length;
  }

  /** The entry at `index`, 0 being the oldest; undefined outside. */
  at(index) {
    if (index < 0 || index >= this.#length) return undefined;
    return this.#slots[(this.#oldest + index) % this.#slots.length];
  }

  /** The place of the entry with this `seq`; -1 if it is not here. */
  indexOf(seq) {
    const index = seq - this.firstSeq;
    return index >= 0 && index < this.#length ? index : -1;
  }

  push(entry) {
    entry.seq = this.#nextSeq;
    this.#put(entry);
  }

  /** A copy that stands still. */
  snapshot() {
    return new Snapshot(this.#entries(), this.firstSeq, this);
  }

  /** Empties it and returns a function that brings back, before what came since, what there was. */
  clear() {
    const cleared = this.#entries();
    const next = this.#nextSeq;
    const { gone } = this;
    this.#refill([]);
    this.gone = 0;
    return () => {
      const isRoom = this.firstSeq === next;
      const lost = isRoom ? 0 : cleared.filter(({ kind }) => kind === "message").length;
      this.notKept += lost;
      this.gone += gone + lost;
      if (isRoom) this.#refill([...cleared, ...this.#entries()]);
    };
  }

  /** From now on keeps at most `maxCount` entries, and `maxChars` characters of them. */
  resize(maxCount, maxChars = this.maxChars) {
    const entries = this.#entries();
    this.#slots = new Array(maxCount);
    this.maxChars = maxChars;
    this.#refill(entries);
  }

  #entries() {
    return Array.from({ length: this.#length }, (_, index) => this.at(index));
  }

  #refill(entries) {
    this.#slots.fill(undefined);
    this.#oldest = this.#length = this.#chars = this.kept = 0;
    this.full = "";
    this.#nextSeq -= entries.length;
    for (const entry of entries) this.#put(entry);
  }

  #put(entry) {
    if (this.#length === this.#slots.length) this.#evict("count");
    this.#slots[(this.#oldest + this.#length) % this.#slots.length] = entry;
    this.#nextSeq += 1;
    this.#length += 1;
    this.#chars += textLength(entry);
    if (entry.kind === "message") this.kept += 1;
    while (this.#chars > this.maxChars && this.#length > 1) this.#evict("chars");
  }

  #evict(full) {
    this.full = full;
    const entry = this.#slots[this.#oldest];
    this.#slots[this.#oldest] = undefined;
    this.#oldest = (this.#oldest + 1) % this.#slots.length;
    this.#length -= 1;
    this.#chars -= textLength(entry);
    if (entry.kind === "message") {
      this.kept -= 1;
      this.notKept += 1;
      this.gone += 1;
    }
  }
}

/** What was in a ring at one moment. */
class Snapshot {
  #entries;
  #firstSeq;

  constructor(entries, firstSeq, { kept, gone }) {
    this.#entries = entries;
    this.#firstSeq = firstSeq;
    this.kept = kept; // messages in it
    this.gone = gone; // messages that had been before them
  }

  get length() {
    return this.#entries.length;
  }

  at(index) {
    return index < 0 ? undefined : this.#entries[index];
  }

  indexOf(seq) {
    const index = seq - this.#firstSeq;
    return index >= 0 && index < this.length ? index : -1;
  }
}
