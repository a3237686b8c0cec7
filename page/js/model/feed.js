import { count } from "./format.js";
import { GatewayClock } from "./gateway-clock.js";
import { Losses, gapSentence } from "./losses.js";
import { META, metaLength, pairsOf } from "./meta.js";
import { Rates } from "./rates.js";
import { Rights } from "./rights.js";
import { SubjectTable } from "./subject-table.js";
import { Subscriptions } from "./subscriptions.js";
import { dayOf, isIn, longDate } from "./time.js";

const HELD_UP = 3_600_000; // ms: what is from before midnight and came after it is no new day

/** What this page follows and what it has received, without a screen. */
export class Feed {
  #client;
  #changed;
  #arrived;
  #now;
  #elapsed;
  #denied;
  #day = null; // of the newest message
  #connected = false;
  #clock = new GatewayClock();

  /**
   * `ring` keeps what comes, `arrived(entry)` is told of each entry, `changed()` asks for a repaint,
   * `refused(sentence)` takes what has no chip to go to, `denied(pattern)` is told of each that may not be followed.
   */
  constructor({ ring, client, changed, refused, arrived = () => {}, denied = () => {}, now = Date.now, elapsed = () => performance.now() }) {
    this.#client = client;
    this.#changed = changed;
    this.#arrived = arrived;
    this.#now = now;
    this.#elapsed = elapsed;
    this.#denied = denied;
    this.ring = ring;
    this.subscriptions = new Subscriptions();
    this.table = new SubjectTable();
    this.rates = new Rates();
    this.losses = new Losses();
    this.received = 0;
    this.dropped = 0;
    const on = (type, take) =>
      client.addEventListener(type, ({ detail }) => {
        take(detail);
        changed();
      });
    on("messages", (messages) => this.#takeMessages(messages));
    on("dropped", (dropped) => this.#takeDropped(dropped.count));
    on("gap", (gap) => this.losses.addGap(gap, this.#note(() => gapSentence(gap)).seq));
    on("subscription", (change) => this.#mark(change));
    on("state", () => this.#followConnection());
    on("error", ({ message }) => refused(message));
  }

  get natsDown() {
    return this.#client.natsDown;
  }

  /** Follows patterns that are new or were refused; the others are returned. */
  subscribe(patterns) {
    const isKnown = (pattern) => this.subscriptions.has(pattern);
    const wasRefused = (pattern) => this.subscriptions.get(pattern)?.state === "refused";
    const wanted = patterns.filter((pattern) => !isKnown(pattern) || wasRefused(pattern));
    for (const pattern of wanted) {
      if (isKnown(pattern)) this.subscriptions.mark(pattern, "pending");
      else this.subscriptions.add(pattern);
      this.#ask(pattern);
    }
    this.#changed();
    return patterns.filter((pattern) => !wanted.includes(pattern));
  }

  /** Stops following; the patterns that were not followed are returned. */
  unsubscribe(patterns) {
    const held = patterns.filter((pattern) => this.subscriptions.has(pattern));
    for (const pattern of held) {
      this.subscriptions.remove(pattern);
      this.#client.unsubscribe(pattern);
    }
    this.#changed();
    return patterns.filter((pattern) => !held.includes(pattern));
  }

  /** What may be followed. */
  get rights() {
    return new Rights(this.#client);
  }

  #mark({ pattern, state, code, message }) {
    const words = code === "denied" ? `${message} ${this.rights.sentence}`.trim() : message;
    this.subscriptions.mark(pattern, state, words);
    if (code === "denied") this.#denied(pattern);
  }

  #ask(pattern) {
    this.#client.subscribe(pattern, undefined, { meta: META }).catch(() => {}); // a refusal comes as an event, too
  }

  // What was refused is asked for again with the next connection: it may have other rights.
  #followConnection() {
    const was = this.#connected;
    this.#connected = this.#client.state === "open";
    if (!was && this.#connected) this.#clock.reset();
    if (!was || this.#connected) return;
    for (const { pattern, state } of this.subscriptions) {
      if (state === "refused") this.#ask(pattern);
      this.subscriptions.mark(pattern, "pending");
    }
  }

  #takeMessages(received) {
    const now = this.#now();
    this.#clock.compare(received.at(-1)?.time, now, this.#elapsed());
    for (const message of received) {
      const entry = this.#entry(message, now);
      this.#noteDay(entry.time);
      this.table.record(entry);
      this.rates.record(entry, now);
      this.#keep(entry);
    }
    this.received += received.length;
  }

  // With the gateway's time where it tells one. `beside` counts the characters that came beside the payload.
  #entry(message, now) {
    const { subject, raw, encoding } = message;
    const hue = this.subscriptions.countMessage(subject)[0]?.hue ?? null;
    const heard = this.#clock.read(message.time);
    const isTold = !Number.isNaN(heard);
    const reply = typeof message.reply === "string" ? message.reply : "";
    const headers = pairsOf(message.headers);
    const beside = metaLength({ reply, headers });
    const time = isTold ? heard : now;
    return { kind: "message", subject, raw, encoding, time, skew: isTold ? this.#clock.skew : 0, hue, reply, headers, beside };
  }

  // A time of day alone says little in a page that has been open for days.
  #noteDay(time) {
    const before = this.#day;
    const isHeldUp = before && time < before.start && before.start - time < HELD_UP;
    if (isHeldUp || (before && isIn(before, time))) return;
    this.#day = dayOf(time);
    if (before && !isIn(this.#day, before.start)) this.#note(longDate(time), true);
  }

  #takeDropped(number) {
    this.dropped += number;
    const note = this.#note(`${messages(number)} ${number === 1 ? "was" : "were"} dropped by the gateway: this page was too slow`);
    this.losses.addDropped(number, note.time, note.seq);
  }

  // `say` is a sentence, or makes one where the words change with the day, or with the zone of the reader.
  #note(say, isDay = false) {
    const note = {
      kind: "note",
      isDay,
      time: this.#now(),
      raw: "",
      get text() {
        return typeof say === "string" ? say : say();
      },
    };
    this.#keep(note);
    return note;
  }

  #keep(entry) {
    this.ring.push(entry);
    this.#arrived(entry);
  }
}

function messages(number) {
  return number === 1 ? "1 message" : `${count(number)} messages`;
}
