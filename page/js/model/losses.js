import { duration } from "./duration.js";
import { count } from "./format.js";
import { moment, span } from "./time.js";

const CAUSES = { nats_down: "NATS was out of reach", disconnected: "disconnected" };

/** What was missed: when, why, and where it stands among the messages. */
export class Losses {
  #last = null; // { from, to, seq, what }
  #lastGap = null;
  #untold = 0; // since the reader has said that it is known

  constructor() {
    this.gaps = 0;
  }

  /** The connection or NATS was away, `seq` being the note that says so. */
  addGap({ from, to, causes }, seq) {
    this.gaps += 1;
    this.#lastGap = { from, to, seq, what: whatHappened(causes) };
    this.#add(this.#lastGap);
  }

  addDropped(number, time, seq) {
    const what = `${count(number)} ${number === 1 ? "message was" : "messages were"} dropped by the gateway`;
    this.#add({ from: null, to: time, seq, what });
  }

  /** When messages were missed last: what has not come since may have changed unseen. */
  get endedAt() {
    return this.#last?.to ?? -Infinity;
  }

  /** `seq` of the note about the last gap. */
  get seq() {
    return this.#lastGap?.seq;
  }

  /** "2 · last 13:08:12, 31 s"; "" before the first gap. */
  get gapsText() {
    if (!this.gaps) return "";
    const { from, to } = this.#lastGap;
    return `${count(this.gaps)} · last ${moment(from)}, ${duration(to - from)}`;
  }

  /** A sentence about what the reader does not know of yet; "" if there is nothing. */
  get untold() {
    if (!this.#untold) return "";
    const { from, to, what } = this.#last;
    const when = from === null ? `at ${moment(to)}` : span(from, to);
    return `Missed ${this.#untold > 1 ? `${count(this.#untold)} times, last ` : ""}${when}, ${what}. Values may be older than they look.`;
  }

  dismiss() {
    this.#untold = 0;
  }

  #add(loss) {
    this.#last = loss;
    this.#untold += 1;
  }
}

/** The sentence that stands between the messages. */
export function gapSentence({ from, to, causes }) {
  return `${whatHappened(causes)} ${span(from, to)}: messages in between were not received`;
}

function whatHappened(causes) {
  return causes.map((cause) => CAUSES[cause]).join(", then ");
}
