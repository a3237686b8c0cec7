import { duration } from "./duration.js";
import { count } from "./format.js";
import { heardAt } from "./gateway-clock.js";
import { moment, span } from "./time.js";

const CAUSES = new Map([
  ["nats_down", "NATS was out of reach"],
  ["disconnected", "disconnected"],
  ["expired", "the stream no longer has all of it"],
  ["too_many", "more came than the gateway replays"],
  ["stream_new", "the stream was deleted and made again"],
  ["ahead", "the stream has lost messages"],
  ["unknown", "the stream is another one"],
  ["no_history", "no stream holds it any more"],
  ["stream_gone", "the stream was deleted"],
]);
const NAMED = 3; // patterns

/** What was missed: when, why, and where it stands among the messages. */
export class Losses {
  #plainUntil = -Infinity; // what comes from no stream may have been missed until then
  #storedUntil = -Infinity; // the same of streams
  #last = null; // { from, to, seq, what }
  #lastGap = null;
  #untold = 0; // since the reader has said that it is known

  constructor() {
    this.gaps = 0;
  }

  /** The connection or NATS was away, `seq` being the note that says so. */
  addGap({ from, to, causes, patterns }, seq) {
    this.gaps += 1;
    if (patterns) this.#storedUntil = to;
    else this.#plainUntil = to;
    this.#lastGap = { from, to, seq, what: whatHappened(causes) };
    this.#add(this.#lastGap);
  }

  addDropped(number, time, seq) {
    this.#plainUntil = this.#storedUntil = time;
    const what = `${count(number)} ${number === 1 ? "message was" : "messages were"} dropped by the gateway`;
    this.#add({ from: null, to: time, seq, what });
  }

  /** Whether messages of its kind were missed since `message` has come: its value may have changed unseen. */
  concern(message) {
    return heardAt(message) < (message.stored ? this.#storedUntil : this.#plainUntil);
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

/**
 * The sentence that stands between the messages. Of `patterns` that come from streams it says why not all came later;
 * else `plain` are those that it is about, if there are others.
 */
export function gapSentence({ from, to, causes, patterns }, plain = []) {
  if (patterns) return `${named(patterns)} ${span(from, to)}: not all came later, ${whatHappened(causes)}`;
  const of = plain.length ? ` of ${named(plain)}` : "";
  return `${whatHappened(causes)} ${span(from, to)}: messages${of} in between were not received`;
}

/** That NATS is back while patterns come from streams. */
export function backSentence({ from, to }, patterns) {
  return `NATS is back after ${duration(to - from)}: what streams stored of ${named(patterns)} comes now`;
}

/** "a, b, c and 4 more". */
export function named(patterns) {
  const more = patterns.length - NAMED;
  return `${patterns.slice(0, NAMED).join(", ")}${more > 0 ? ` and ${count(more)} more` : ""}`;
}

// The gateway may have reasons of which this page knows nothing.
function whatHappened(causes) {
  return causes.map((cause) => CAUSES.get(cause) ?? String(cause).replaceAll("_", " ")).join(", then ");
}
