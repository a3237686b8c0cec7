/**
 * The newest entries, at most `maxCount` of them and `maxChars` characters of payload text.
 * Adding is cheap however full it is. An entry is `{ kind, raw, … }`; each gets the next `seq`.
 */
export class Ring {
  #slots;
  #oldest = 0;
  #length = 0;
  #chars = 0;
  #nextSeq = 0;
  #maxChars;

  constructor(maxCount, maxChars = Infinity) {
    this.#slots = new Array(maxCount);
    this.#maxChars = maxChars;
    this.kept = 0; // messages in the ring now
    this.notKept = 0; // messages that had to leave
  }

  get length() {
    return this.#length;
  }

  /** The entry at `index`, 0 being the oldest; undefined outside. */
  at(index) {
    if (index < 0 || index >= this.#length) return undefined;
    return this.#slots[(this.#oldest + index) % this.#slots.length];
  }

  push(entry) {
    if (this.#length === this.#slots.length) this.#evict();
    entry.seq = this.#nextSeq++;
    this.#slots[(this.#oldest + this.#length) % this.#slots.length] = entry;
    this.#length += 1;
    this.#chars += entry.raw.length;
    if (entry.kind === "message") this.kept += 1;
    while (this.#chars > this.#maxChars && this.#length > 1) this.#evict();
  }

  /** A copy that stands still, oldest first. */
  snapshot() {
    return Array.from({ length: this.#length }, (_, index) => this.at(index));
  }

  #evict() {
    const entry = this.#slots[this.#oldest];
    this.#slots[this.#oldest] = undefined;
    this.#oldest = (this.#oldest + 1) % this.#slots.length;
    this.#length -= 1;
    this.#chars -= entry.raw.length;
    if (entry.kind === "message") {
      this.kept -= 1;
      this.notKept += 1;
    }
  }
}
