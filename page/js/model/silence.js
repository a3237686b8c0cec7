import { age } from "./duration.js";

const SLEPT = 30_000; // ms between two looks after which nobody knows what came meanwhile

/** How long nothing has come by each pattern. */
export class Silence {
  #heard = new Map(); // pattern → { count, at, isTold }
  #lookedAt = 0;

  /**
   * Looks at subscriptions; call it about once a second. Notes at each whether it is `silent` for `limit` ms, in words,
   * and returns the patterns that have come to be.
   */
  look(subscriptions, limit, now = Date.now()) {
    const slept = now - this.#lookedAt > SLEPT;
    this.#lookedAt = now;
    const before = this.#heard;
    this.#heard = new Map();
    const fresh = [];
    for (const { pattern, count, replayed, state } of subscriptions) {
      const came = count - replayed;
      const known = before.get(pattern);
      const heard = known && known.count === came && !slept ? known : { count: came, at: now, isTold: false };
      const isSilent = limit > 0 && state === "active" && now - heard.at >= limit;
      if (isSilent && !heard.isTold) fresh.push(pattern);
      heard.isTold = isSilent;
      this.#heard.set(pattern, heard);
      subscriptions.place(pattern, { silent: isSilent ? `silent ${age(now - heard.at)}` : "" });
    }
    return fresh;
  }
}
