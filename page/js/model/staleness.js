const PATIENCE = 10_000; // ms: a reconnect of a few seconds is nothing to be alarmed by
const LIVE = new Set(["live", "waiting", "paused"]);

/** Since when what is shown may be old: who looks from afar cannot tell a frozen wall from a live one. */
export class Staleness {
  #from = null; // ms: when the state was no longer live

  /** Since when there has been no data, `heard` being when the last message came, if one did; null if all is well. */
  since(state, heard, now = Date.now()) {
    if (LIVE.has(state)) this.#from = null;
    else this.#from ??= now;
    const isStale = this.#from !== null && now - this.#from >= PATIENCE;
    return isStale ? heard ?? this.#from : null;
  }
}
