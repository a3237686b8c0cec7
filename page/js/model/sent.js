const PLACE = "nats-live-sent";
const MOST = 50;
const MOST_CHARS = 20_000; // of one: a storage has room for some millions
const FIELDS = ["subject", "payload", "headers"];

/**
 * What was sent last, newest first, remembered from one visit to the next: `{ subject, payload, headers, encoding }` as they
 * were typed, `encoding` being "base64" or nothing. `storage` is like localStorage; where it is missing, full or forbidden they last until the page is closed.
 */
export class Sent {
  #storage;

  constructor(storage) {
    this.#storage = storage;
    this.all = this.#read();
  }

  /** Subjects, newest first, each once. */
  get subjects() {
    return [...new Set(this.all.map(({ subject }) => subject))];
  }

  /** Remembers one; what is long is forgotten. The same again comes to the front. */
  add(entry) {
    if (FIELDS.reduce((sum, name) => sum + entry[name].length, 0) > MOST_CHARS) return;
    const others = this.all.filter((earlier) => [...FIELDS, "encoding"].some((name) => (earlier[name] ?? "") !== (entry[name] ?? "")));
    this.all = [entry, ...others].slice(0, MOST);
    this.#act((storage) => storage.setItem(PLACE, JSON.stringify(this.all)));
  }

  forget() {
    this.all = [];
    this.#act((storage) => storage.removeItem(PLACE));
  }

  #act(action) {
    try {
      if (this.#storage) action(this.#storage);
    } catch {
      // full or forbidden: they last until the page is closed
    }
  }

  // Another version of the page may have written it, or somebody by hand.
  #read() {
    try {
      const stored = JSON.parse(this.#storage?.getItem(PLACE));
      return stored.filter((entry) => FIELDS.every((name) => typeof entry[name] === "string")).slice(0, MOST);
    } catch {
      return [];
    }
  }
}
