import { clock, count } from "./format.js";
import { classify, inRequests, request, splitFrame } from "./protocol.js";
import { Ring } from "./ring.js";
import { Subscriptions } from "./subscriptions.js";

const MOST_ROWS = 1_000;
const MOST_CHARS = 32 * 1024 * 1024;

/** What this page follows and what it has received: the talk with the gateway, without screen or socket. */
export class Feed {
  #send;
  #changed;
  #refused;
  #now;
  #lastId = 0;
  #gapSince = null; // when messages began to be missed

  /** `send(text)` writes a request, `changed()` asks for a repaint, `refused(sentence)` has no chip to go to. */
  constructor({ send, changed, refused, now = Date.now }) {
    this.#send = send;
    this.#changed = changed;
    this.#refused = refused;
    this.#now = now;
    this.ring = new Ring(MOST_ROWS, MOST_CHARS);
    this.subscriptions = new Subscriptions();
    this.connected = false;
    this.natsDown = false;
    this.received = 0;
    this.dropped = 0;
  }

  /** Follows patterns that are new or were refused; the others are returned. */
  subscribe(patterns) {
    const isNew = (pattern) => !this.subscriptions.has(pattern);
    const wasRefused = (pattern) => this.subscriptions.get(pattern)?.state === "refused";
    const wanted = patterns.filter((pattern) => isNew(pattern) || wasRefused(pattern));
    for (const pattern of wanted.filter(isNew)) this.subscriptions.add(pattern);
    this.#ask(wanted);
    return patterns.filter((pattern) => !wanted.includes(pattern));
  }

  /** Stops following; the patterns that were not followed are returned. */
  unsubscribe(patterns) {
    const held = patterns.filter((pattern) => this.subscriptions.has(pattern));
    const known = held.filter((pattern) => this.subscriptions.get(pattern).state !== "refused");
    for (const pattern of held) this.subscriptions.remove(pattern);
    if (this.connected) {
      for (const group of inRequests(known)) this.#request("unsubscribe", group);
    }
    this.#changed();
    return patterns.filter((pattern) => !held.includes(pattern));
  }

  /** A new connection stands: says what was missed and asks for everything again. */
  opened() {
    this.connected = true;
    this.natsDown = false;
    this.#closeGap("disconnected");
    this.#ask(this.subscriptions.patterns);
  }

  closed() {
    if (this.connected && this.subscriptions.size) this.#gapSince ??= this.#now();
    this.connected = false;
    this.natsDown = false;
    this.subscriptions.suspend();
    this.#changed();
  }

  /** Takes one frame from the gateway. */
  receive(frame) {
    const time = this.#now();
    for (const line of splitFrame(frame)) this.#take(classify(line), time);
    this.#changed();
  }

  #take(item, time) {
    if (item.kind === "message") this.#takeMessage(item, time);
    else if (item.kind === "dropped") this.#takeDropped(item.count);
    else if (item.kind === "status") this.#takeStatus(item);
    else if (item.kind === "response") this.#takeResponse(item);
    else if (item.kind === "unknown") this.#refused("The gateway sent something this page cannot read.");
  }

  #takeMessage(message, time) {
    this.received += 1;
    message.time = time;
    message.hue = this.subscriptions.countMessage(message.subject)[0]?.hue ?? null;
    this.ring.push(message);
  }

  #takeDropped(number) {
    this.dropped += number;
    const what = number === 1 ? "1 message was" : `${count(number)} messages were`;
    this.#note(`${what} dropped by the gateway: this page was too slow`);
  }

  #takeStatus({ status, gap }) {
    if (status === "nats_down") {
      this.#natsWentDown();
    } else if (status === "nats_up") {
      this.natsDown = false;
      if (gap) this.#closeGap("NATS was out of reach");
      this.#gapSince = null;
      this.#ask(this.subscriptions.inState("pending"));
    }
  }

  #takeResponse({ success, action, subjects, code, message, id }) {
    if (success) {
      if (action !== "unsubscribe") this.#accepted(subjects, id);
    } else if (code === "nats_down") {
      // The patterns stay pending and are asked for again; an answer to an older request says nothing of now.
      if (subjects.some((subject) => this.subscriptions.get(subject)?.asked === id)) this.#natsWentDown();
    } else if (subjects.length) {
      this.#settle(subjects, id, "refused", message);
    } else {
      this.#refused(message);
    }
  }

  #accepted(subjects, id) {
    this.natsDown = false; // only a NATS server that is there accepts
    this.#settle(subjects, id, "active");
  }

  #settle(subjects, id, state, message) {
    for (const subject of subjects) this.subscriptions.settle(subject, id, state, message);
  }

  #natsWentDown() {
    this.natsDown = true;
    this.#gapSince ??= this.#now();
  }

  #closeGap(what) {
    if (this.#gapSince === null) return;
    const span = `${clock(this.#gapSince)} – ${clock(this.#now())}`;
    this.#note(`${what} ${span}: messages in between were not received`);
    this.#gapSince = null;
  }

  #note(text) {
    this.ring.push({ kind: "note", text, time: this.#now(), raw: "" });
  }

  #ask(patterns) {
    if (this.connected) {
      for (const group of inRequests(patterns)) {
        this.subscriptions.ask(group, this.#request("subscribe", group));
      }
    }
    this.#changed();
  }

  #request(action, subjects) {
    this.#lastId += 1;
    this.#send(request(action, subjects, this.#lastId));
    return this.#lastId;
  }
}
