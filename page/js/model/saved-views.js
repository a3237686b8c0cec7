const PLACE = "nats-live-views";
const MOST = 50;
const MOST_CHARS = 10_000; // of one: a link may hold many subjects

/**
 * Views by the names that the reader gave them, newest first: `{ name, fragment }`, as view-url.js writes it. `storage` is like
 * localStorage; where it is missing, full or forbidden they last until the page is closed.
 */
export class SavedViews {
  #storage;

  constructor(storage) {
    this.#storage = storage;
    this.all = this.#read();
  }

  /** Keeps a view under a name, in place of another one that had it; false if it has none, or is too long. */
  save(name, fragment) {
    if (!name || fragment.length > MOST_CHARS) return false;
    this.all = [{ name, fragment }, ...this.all.filter((view) => view.name !== name)].slice(0, MOST);
    this.#write();
    return true;
  }

  remove(name) {
    this.all = this.all.filter((view) => view.name !== name);
    this.#write();
  }

  #write() {
    try {
      this.#storage?.setItem(PLACE, JSON.stringify(this.all));
    } catch {
      // full or forbidden: they last until the page is closed
    }
  }

  // Another version of the page may have written it, or somebody by hand.
  #read() {
    try {
      const stored = JSON.parse(this.#storage?.getItem(PLACE));
      return stored.filter(({ name, fragment }) => name && typeof name === "string" && typeof fragment === "string").slice(0, MOST);
    } catch {
      return [];
    }
  }
}
