const PLACE = "nats-live";

/** What may be chosen, the default first. */
const CHOICES = {
  theme: ["system", "light", "dark"],
  newest: ["bottom", "top"],
  times: ["local", "utc"],
  keep: ["standard", "1000", "20000", "100000", "300000"],
  letters: ["on", "off"],
};

/**
 * What the reader likes, remembered from one visit to the next. `storage` is like localStorage;
 * where it is missing, full or forbidden the choices last until the page is closed.
 */
export class Preferences {
  #storage;
  #values = {};

  constructor(storage) {
    this.#storage = storage;
    const stored = this.#read();
    for (const [name, choices] of Object.entries(CHOICES)) {
      this.#values[name] = choices.includes(stored[name]) ? stored[name] : choices[0];
    }
  }

  get(name) {
    return this.#values[name];
  }

  /** Takes a choice; one that does not exist is ignored. */
  set(name, value) {
    if (!CHOICES[name]?.includes(value)) return;
    this.#values[name] = value;
    try {
      this.#storage?.setItem(PLACE, JSON.stringify(this.#values));
    } catch {
      // full or forbidden: it counts until the page is closed
    }
  }

  #read() {
    try {
      return JSON.parse(this.#storage?.getItem(PLACE)) ?? {};
    } catch {
      return {};
    }
  }
}

/** The browser's storage; undefined where even asking for it is forbidden. */
export function browserStorage() {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}
