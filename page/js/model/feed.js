import { Days } from "./days.js";
import { count } from "./format.js";
import { GatewayClock } from "./gateway-clock.js";
import { Losses, backSentence, gapSentence } from "./losses.js";
import { META, metaLength, pairsOf } from "./meta.js";
import { AUTO, isSamePast, pastWords } from "./past.js";
import { Rates } from "./rates.js";
import { Replays } from "./replays.js";
import { Rights } from "./rights.js";
import { storedOf } from "./stored.js";
import { SubjectTable } from "./subject-table.js";
import { Subscriptions } from "./subscriptions.js";
import { longDate } from "./time.js";

/** What this page follows and what it has received, without a screen. */
export class Feed {
  #client;
  #changed;
  #arrived;
  #now;
  #elapsed;
  #denied;
  #days = new Days();
  #connected = false;
  #outageFrom = null; // while the gateway has no NATS
  #replays = new Replays();
  #told;
  #refused;
  #clock = new GatewayClock();

  /**
   * `ring` keeps what comes, `arrived(entry)` is told of each entry, `changed()` asks for a repaint,
   * `refused(sentence)` takes what has no chip to go to, `denied(pattern)` is told of each that may not be followed,
   * `told(sentence)` of what comes from streams.
   */
  constructor({ ring, client, changed, refused, arrived = () => {}, denied = () => {}, told = () => {}, now = Date.now, elapsed = () => performance.now() }) {
    this.#client = client;
    this.#changed = changed;
    this.#arrived = arrived;
    this.#now = now;
    this.#elapsed = elapsed;
    this.#denied = denied;
    this.#told = told;
    this.#refused = refused;
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
    on("gap", (gap) => this.#takeGap(gap));
    on("subscription", (change) => this.#mark(change));
    on("progress", (progress) => this.#follow(progress));
    on("state", () => this.#followConnection());
    on("error", ({ message }) => refused(message));
  }

  get natsDown() {
    return this.#client.natsDown;
  }

  /** Follows patterns that are new or were refused, or of which the past is asked for; the others are returned. */
  subscribe(patterns, history = AUTO) {
    const wasRefused = (pattern) => this.subscriptions.get(pattern)?.state === "refused";
    const isNew = (pattern) => !this.subscriptions.has(pattern) || wasRefused(pattern);
    const wanted = patterns.filter((pattern) => isNew(pattern) || history !== AUTO);
    for (const pattern of wanted) {
      if (!isNew(pattern)) this.#askAnew(pattern, history);
      else if (!this.subscriptions.has(pattern)) this.subscriptions.add(pattern);
      this.subscriptions.mark(pattern, "pending");
      this.subscriptions.place(pattern, { history });
      this.#ask(pattern);
    }
    this.#changed();
    return patterns.filter((pattern) => !wanted.includes(pattern));
  }

  /** Follows a pattern with this past, unless it is asked for already; without one it goes on as it is. */
  want(pattern, history) {
    const known = this.subscriptions.get(pattern);
    if (!known || !isSamePast(known.history, history)) this.subscribe([pattern], history);
    this.subscriptions.place(pattern, { history });
  }

  // Nothing is missed by that: what comes meanwhile is stored.
  #askAnew(pattern, history) {
    this.#client.unsubscribe(pattern);
    this.#tell(this.#replays.forget(pattern));
    this.subscriptions.place(pattern, { stage: "" });
    if (this.subscriptions.get(pattern).count) this.#tell(`${pattern}: ${pastWords(history)}`);
  }

  /** Stops following; the patterns that were not followed are returned. */
  unsubscribe(patterns) {
    const held = patterns.filter((pattern) => this.subscriptions.has(pattern));
    for (const pattern of held) {
      this.subscriptions.remove(pattern);
      this.#client.unsubscribe(pattern);
      this.#tell(this.#replays.forget(pattern));
    }
    this.#changed();
    return patterns.filter((pattern) => !held.includes(pattern));
  }

  /** What may be followed. */
  get rights() {
    return new Rights(this.#client);
  }

  #mark(change) {
    const { pattern, state, code, message, stream = "" } = change;
    if (code === "no_history" && this.subscriptions.get(pattern)?.history !== AUTO) return this.#goWithoutPast(change);
    const words = code === "denied" ? `${message} ${this.rights.sentence}`.trim() : message;
    this.subscriptions.mark(pattern, state, words);
    this.subscriptions.place(pattern, stream ? { stream } : { stream, stage: "" });
    if (!stream) this.#tell(this.#replays.forget(pattern));
    if (code === "denied") this.#denied(pattern);
    return undefined;
  }

  // Whoever asked for the past wants what is new as well.
  #goWithoutPast({ pattern, message }) {
    this.#refused(message);
    this.subscriptions.place(pattern, { history: AUTO, stage: "" });
    if (this.subscriptions.has(pattern)) this.#ask(pattern);
  }

  #ask(pattern) {
    const { history } = this.subscriptions.get(pattern);
    this.#client.subscribe(pattern, undefined, { meta: META, history }).catch(() => {}); // a refusal comes as an event, too
  }

  #follow(progress) {
    const { pattern, state } = progress;
    this.subscriptions.place(pattern, { stage: state });
    this.#tell(this.#replays.take(progress, this.subscriptions.size === 1));
  }

  #takeGap(gap) {
    const { stored, plain } = this.subscriptions;
    const of = stored.length ? plain : [];
    this.losses.addGap(gap, this.#note(() => gapSentence(gap, of)).seq);
  }

  // What is good to know, and no loss.
  #tell(sentence) {
    if (!sentence) return;
    this.#note(sentence, "past");
    this.#told(sentence);
  }

  // What was refused is asked for again with the next connection: it may have other rights.
  #followConnection() {
    const was = this.#connected;
    this.#connected = this.#client.state === "open";
    if (!was && this.#connected) this.#clock.reset();
    this.#followNats();
    if (!was || this.#connected) return;
    this.#replays.lose(this.subscriptions.stored);
    for (const { pattern, state } of this.subscriptions) {
      if (state === "refused") this.#ask(pattern);
      this.subscriptions.mark(pattern, "pending");
    }
  }

  #followNats() {
    const from = this.#outageFrom;
    this.#outageFrom = this.#connected && this.natsDown ? from ?? this.#now() : null;
    const { stored } = this.subscriptions;
    if (from !== null && this.#connected && !this.natsDown && stored.length) this.#tell(backSentence({ from, to: this.#now() }, stored));
  }

  #takeMessages(received) {
    const now = this.#now();
    const fresh = received.filter(({ replay }) => !replay); // what is stored says nothing of the way here
    this.#clock.compare(fresh.at(-1)?.time, now, this.#elapsed());
    this.#replays.count(received.length - fresh.length);
    for (const message of received) {
      const entry = this.#entry(message, now);
      if (this.#days.turn(entry.time)) this.#note(longDate(entry.time), "day");
      this.table.record(entry);
      this.rates.record(entry, now);
      this.#keep(entry);
    }
    this.received += received.length;
  }

  // With the gateway's time where it tells one. `beside` counts the characters that came beside the payload.
  #entry(message, now) {
    const { subject, raw, encoding } = message;
    const hue = this.subscriptions.countMessage(subject, message.replay)[0]?.hue ?? null;
    const heard = this.#clock.read(message.time);
    const isTold = !Number.isNaN(heard);
    const reply = typeof message.reply === "string" ? message.reply : "";
    const headers = pairsOf(message.headers);
    const beside = metaLength({ reply, headers });
    const time = isTold ? heard : now;
    const stored = storedOf(message);
    return { kind: "message", subject, raw, encoding, time, skew: isTold ? this.#clock.skew : 0, hue, reply, headers, beside, stored };
  }

  #takeDropped(number) {
    this.dropped += number;
    const note = this.#note(`${messages(number)} ${number === 1 ? "was" : "were"} dropped by the gateway: this page was too slow`);
    this.losses.addDropped(number, note.time, note.seq);
  }

  // `say` is a sentence, or makes one where the words change with the day, or with the zone of the reader. `about` is a
  // "loss", a "day", or the "past".
  #note(say, about = "loss") {
    const note = {
      kind: "note",
      about,
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
