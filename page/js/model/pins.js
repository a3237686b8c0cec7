const MOST = 8;

/** Messages that the reader wants to keep in sight, also when they are gone from the list; up to 8, oldest first. */
export class Pins {
  #changed;

  /** `changed()` is called after each change. */
  constructor(changed = () => {}) {
    this.#changed = changed;
    this.all = [];
  }

  has(entry) {
    return this.all.includes(entry);
  }

  /** Pins a message, or lets it go; false if there is no room for one more. */
  toggle(entry) {
    const isPinned = this.has(entry);
    if (!isPinned && this.all.length === MOST) return false;
    this.all = isPinned ? this.all.filter((each) => each !== entry) : [...this.all, entry];
    this.#changed();
    return true;
  }
}
