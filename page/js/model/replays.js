import { duration } from "./duration.js";
import { count } from "./format.js";

/**
 * Where what was stored ends and what is new begins, and that what was missed has come after all: the sentences for
 * both. It goes by what the client tells of its progress.
 */
export class Replays {
  #running = new Map(); // pattern → why not all comes that was asked for
  #away = new Map(); // pattern that came from a stream when the connection was lost → whether it is back
  #from = Infinity;
  #fetched = 0;

  /** The connection is lost while these patterns come from streams. */
  lose(patterns) {
    for (const pattern of patterns) this.#away.set(pattern, false);
  }

  /** Counts messages that are replayed. */
  count(messages) {
    if (this.#away.size) this.#fetched += messages;
  }

  /**
   * Takes the client's word on a pattern, which may be the only one that is followed. Returns the sentence for what
   * ends with it, "" if nothing does.
   */
  take({ pattern, state, messages, reason = "", from = Infinity, to }, isAlone) {
    if (state === "replaying") this.#running.set(pattern, reason);
    if (state !== "live") return "";
    const isReplay = this.#running.has(pattern);
    const cut = this.#running.get(pattern);
    this.#running.delete(pattern);
    if (this.#away.has(pattern)) {
      this.#away.set(pattern, true);
      this.#from = Math.min(this.#from, from);
      return this.#allBack(to);
    }
    return isReplay ? `${isAlone ? "" : `${pattern}: `}${replayed(messages, cut)}` : "";
  }

  /** A pattern is not followed any more, or comes from no stream: the others may be all back by that, which it is `now`. */
  forget(pattern, now) {
    this.#running.delete(pattern);
    return this.#away.delete(pattern) ? this.#allBack(now) : "";
  }

  // One sentence for all of them, at the last. Where none has come back, or none as it was, there is nothing to say.
  #allBack(to) {
    if (![...this.#away.values()].every(Boolean)) return "";
    const [isBack, away, fetched] = [this.#from < Infinity, to - this.#from, this.#fetched];
    this.#away.clear();
    this.#from = Infinity;
    this.#fetched = 0;
    return isBack ? `back after ${duration(away)}, ${fetched ? `${messages(fetched)} fetched` : "nothing to fetch"}` : "";
  }
}

function replayed(number, reason) {
  const cut = reason === "too_many" ? "; there are more than the gateway replays" : reason && `; not all comes: ${reason}`;
  return `${number ? `replayed ${count(number)}` : "nothing to replay"}, live from here${cut}`;
}

function messages(number) {
  return number === 1 ? "1 message" : `${count(number)} messages`;
}
