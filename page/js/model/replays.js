import { duration } from "./duration.js";
import { count } from "./format.js";

/**
 * Where what was stored ends and what is new begins, and that what was missed has come after all: the sentences for
 * both. It goes by what the client tells of its progress.
 */
export class Replays {
  #running = new Map(); // pattern → why not all comes that was asked for
  #away = new Map(); // pattern that came from a stream when the connection was lost → whether it is back
  #from = Infinity; // when the first of them was lost, and the last was back
  #to = 0;
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
  take({ pattern, state, messages, reason = "", from, to }, isAlone) {
    if (state === "replaying") this.#running.set(pattern, reason);
    if (state !== "live") return "";
    if (this.#away.has(pattern) && from !== undefined) return this.#comesBack(pattern, from, to);
    const replay = this.#running.has(pattern) && replayed(messages, this.#running.get(pattern));
    const back = this.forget(pattern); // it begins, and has nothing to come back to
    return [replay && `${isAlone ? "" : `${pattern}: `}${replay}`, back].filter(Boolean).join(" · ");
  }

  /** A pattern is not followed any more, or comes from no stream: the others may be all back by that. */
  forget(pattern) {
    this.#running.delete(pattern);
    return this.#away.delete(pattern) ? this.#allBack() : "";
  }

  #comesBack(pattern, from, to) {
    this.#running.delete(pattern);
    this.#away.set(pattern, true);
    this.#from = Math.min(this.#from, from);
    this.#to = Math.max(this.#to, to);
    return this.#allBack();
  }

  // One sentence for all of them, at the last.
  #allBack() {
    if (![...this.#away.values()].every(Boolean)) return "";
    const [isBack, away, fetched] = [this.#away.size > 0, this.#to - this.#from, this.#fetched];
    this.#away.clear();
    this.#from = Infinity;
    this.#to = this.#fetched = 0;
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
