import { count } from "./format.js";
import { Gap } from "./gap.js";
import { classify, inRequests, request, splitFrame } from "./protocol.js";
import { Rates } from "./rates.js";
import { Ring } from "./ring.js";
import { SubjectTable } from "./subject-table.js";
import { Subscriptions } from "./subscriptions.js";

const MOST_ROWS = 1_000;
const MOST_CHARS = 32 * 1024 * 1024;
const OUTAGE = "NATS was out of reach";
const DISCONNECTED = "disconnected";

/** What this page follows and what it has received: the talk with the gateway, without screen or socket. */
export class Feed {
  #send;
  #changed;
  #refused;
  #tokenRequired;
  #now;
  #lastId = 0;
  #gap = new Gap();

  /** `send(text)` writes a request, `changed()` asks for a repaint, `refused(sentence)` has no chip to go to. */
  constructor({ send, changed, refused, tokenRequired = () => {}, now = Date.now }) {
    this.#send = send;
    this.#changed = changed;
    this.#refused = refused;
    this.#tokenRequired = tokenRequired;
    this.#now = now;
    this.ring = new Ring(MOST_ROWS, MOST_CHARS);
    this.subscriptions = new Subscriptions();
    this.table = new SubjectTable();
    this.rates = new Rates();
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
    // An outage that began before may still last: the first answer or message tells its end.
    if (!this.#gap.has(OUTAGE) || !this.subscriptions.size) this.#closeGap();
    this.#ask(this.subscriptions.patterns);
  }

  closed() {
    if (this.connected) this.#miss(DISCONNECTED);
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

  /** Says how many of the messages since there were `received` of them left before anyone saw them. */
  tellUnseen(received) {
    const arrived = this.received - received;
    if (arrived <= this.ring.kept) return;
    const note = this.#note("");
    const unseen = arrived - this.ring.kept; // counted now, for the note itself may take the place of one
    note.text = `${messages(unseen)} came while paused and ${unseen === 1 ? "is" : "are"} not kept`;
  }

  #take(item, time) {
    if (item.kind === "message") this.#takeMessage(item, time);
    else if (item.kind === "dropped") this.#takeDropped(item.count);
    else if (item.kind === "status") this.#takeStatus(item);
    else if (item.kind === "response") this.#takeResponse(item);
    else if (item.kind === "unknown") this.#refused("The gateway sent something this page cannot read.");
  }

  #takeMessage(message, time) {
    if (!this.natsDown) this.#closeGap();
    this.received += 1;
    message.time = time;
    message.hue = this.subscriptions.countMessage(message.subject)[0]?.hue ?? null;
    this.ring.push(message);
    this.table.record(message);
    this.rates.record(message);
  }

  #takeDropped(number) {
    this.dropped += number;
    this.#note(`${messages(number)} ${number === 1 ? "was" : "were"} dropped by the gateway: this page was too slow`);
  }

  #takeStatus({ status, gap }) {
    if (status === "nats_down") {
      this.#natsWentDown();
    } else if (status === "nats_up") {
      this.natsDown = false;
      if (!gap) this.#gap.forget(OUTAGE);
      this.#closeGap();
    } else if (status === "token_required") {
      this.#tokenRequired();
    }
  }

  #takeResponse({ success, action, subjects, code, message, id }) {
    if (success) {
      if (action === "subscribe") this.#accepted(subjects, id);
    } else if (code === "nats_down") {
      // The patterns stay pending: the gateway takes the request up when NATS is back, and then answers again.
      // An answer to an older request says nothing of now.
      if (subjects.some((subject) => this.subscriptions.get(subject)?.asked === id)) this.#natsWentDown();
    } else if (subjects.length) {
      this.#settle(subjects, id, "refused", message);
    } else {
      this.#refused(message);
    }
  }

  #accepted(subjects, id) {
    this.natsDown = false; // only a NATS server that is there accepts
    this.#closeGap();
    this.#settle(subjects, id, "active");
  }

  #settle(subjects, id, state, message) {
    for (const subject of subjects) this.subscriptions.settle(subject, id, state, message);
  }

  #natsWentDown() {
    this.natsDown = true;
    this.#miss(OUTAGE);
  }

  // Whoever follows nothing misses nothing.
  #miss(cause) {
    if (this.subscriptions.size) this.#gap.begin(cause, this.#now());
  }

  #closeGap() {
    if (this.#gap.open) this.#note(this.#gap.end(this.#now()));
  }

  #note(text) {
    const note = { kind: "note", text, time: this.#now(), raw: "" };
    this.ring.push(note);
    return note;
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

function messages(number) {
  return number === 1 ? "1 message" : `${count(number)} messages`;
}
