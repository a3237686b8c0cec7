/**
 * A client for the gateway between NATS and browsers that serves this file. One file, no imports:
 *
 *     import { Client } from "https://gateway.example/page/js/client.js";
 *     const client = new Client();
 *     await client.subscribe("orders.*", ({ subject, data }) => console.log(subject, data));
 *
 * Anywhere else, as in what a bundler makes, in Node or in React Native, it has to be told where the gateway is:
 * `new Client({ url: "wss://gateway.example/stream" })`. It is typed by client.d.ts beside it.
 */

// Times are milliseconds.
const SHORTEST_WAIT = 500;
const LONGEST_WAIT = 15_000;
const PATIENCE = 10_000; // a network that swallows everything must not hold a try for minutes
const QUIET = 20_000; // so long without a word, and the gateway is asked for one
const ANSWER = 10_000; // in which it comes, or else nobody is there
const STEADY = 10_000; // only a connection that lasted starts the back-off afresh
const REST = 1_000; // after the gateway has said that there were too many
const PACE = 100; // between two rounds of requests: the gateway limits how many a second
const MOST_SUBJECTS = 128; // in one request
const RENEWED_AFTER = [0.75, 0.8]; // of a token's life; the timers of a hidden page may be a minute late
const LEAST_RENEWAL = 3_000;
const MOST_RENEWAL = 86_400_000; // a timer takes 24 days at most
const REFUSED = 30_000; // after the second refusal of tokens in a row; twice as much after each further one
const LONGEST_REFUSED = 300_000;
const MOST_REMEMBERED = 5_000; // subjects can be without number: telemetry.<uuid>

const ACCEPTED = true;
const POSTPONED = false; // NATS has it no more; the gateway follows it again by itself, and says so without an id
const A_WORD = 0; // id of the ping that asks for one
const SILENT = "the gateway does not answer";
const CUT_OFF = "the connection was lost";
const PUT_ASIDE = "this page was put aside";
const NO_UPGRADE = "something between here and the gateway does not pass WebSockets on";
const PASSWORD = "something between here and the gateway asks for a password (401)";
const ELSEWHERE = "something between here and the gateway leads to another page, perhaps to sign in";
const OF_THE_GATEWAY = /^(The gateway|The token's key|At most) /; // how its own refusals begin, but for that of an origin
const OF_AN_ORIGIN = /^The origin .*?(?:': (.*))?$/; // with what to do about it, if it says so
const UNREADABLE = "The gateway sent something this page cannot read.";
const TOKEN_MISSING = 4501;
const RESTART = 1012;
const STOPS = "the service stops";
const CLOSED = {
  1009: "a frame was too big",
  1012: "the gateway is restarting",
  4008: "this page took nothing for too long",
  4029: "too many requests",
  4400: "too many requests the gateway could not accept",
  4503: "The gateway does not allow this connection.", // for later gateways: this one sends no such code
};

const SEPARATOR = "\x1e"; // stands in no JSON; line breaks may
const MESSAGE = '{"subject":';
const DATA = ',"data":';
const TIME = '"time":"';
const TIME_CHARS = '"time":"2026-03-01T12:00:00.123Z"'.length;
const SEQ = '"seq":';
const TAILS = { json: "}", text: ',"encoding":"text"}', base64: ',"encoding":"base64"}' };
const BACKSLASH = 92;
const META = ["time", "reply", "headers"];
const [LEAST_RATE, MOST_RATE] = [0.01, 100];

const NAMED_HISTORIES = ["new", "auto", "all", "last_per_subject"];
const NUMBERED_HISTORIES = ["last", "seq"];
const TEXT_HISTORIES = ["since", "after"];
const REPLAYING = "replaying";
const BEHIND = "behind";
const LIVE = "live";
const NOBODYS_TURN = Infinity;
const OTHER_SEQUENCES = ["stream_new", "ahead"]; // reasons after which lower ones may come
const OLD_GATEWAY = /^'history' is no key /; // how one that knows of no history refuses it
const NO_PLAIN_ANSWER = ["bad_request", "already_followed"]; // to "auto", which is content with less

// React Native has neither EventTarget nor CustomEvent.
const hasEvents = Boolean(globalThis.EventTarget && globalThis.CustomEvent);
const Target = hasEvents ? EventTarget : listeners();
const eventOf = (type, detail) => (hasEvents ? new CustomEvent(type, { detail }) : { type, detail });

// A clock that no one sets; only it says how long something took.
const elapsed = () => globalThis.performance?.now() ?? Date.now();

/**
 * Follows subjects. Comes back for ever when the connection is lost, and then asks for everything again.
 *
 * `state` is "connecting", "open", "waiting" (for a try at `retryAt`) or "stopped" (until `retryNow` or `useToken`);
 * `reason` says why it is not open, `tries` how often it has failed, `tokenWanted` whether it stopped for want of a
 * token, `natsDown` whether the gateway has lost NATS, `allow` and `deny` which patterns may be followed, `mayPublish`
 * whether there is anything that may be published, `testSubject` where the gateway publishes test messages, "" if it
 * does not. Events, with their `detail`:
 * - `state`: any of these has changed.
 * - `messages` [Message, …]: they came together; sent before their listeners are called.
 * - `gap` { from, to, causes }: what came in between was missed. Causes: "disconnected", "nats_down". Of `patterns`
 *   that come from streams it tells only what will not come any more, with the gateway's reason as cause, "no_history"
 *   or "stream_gone".
 * - `progress` { pattern, state, messages }: a pattern that comes from a stream is "replaying" about so many messages,
 *   "behind", or "live" after so many; of those that were published `from` one time `to` another, if they come late.
 *   A `reason` beside "replaying" says why not all comes that was asked for.
 * - `dropped` { count }: this page was too slow for so many messages.
 * - `subscription` { pattern, state, code, message }: it is "active", and with history from which `stream` it comes, or
 *   "refused" and forgotten. Either may come again later: after a reconnect, with a new token, when a right is taken
 *   away.
 * - `error` Error: trouble that belongs to no pattern.
 */
export class Client extends Target {
  #link;
  #patterns = new Map(); // pattern → subscription
  #bySubject = new Map(); // subject → who gets it, so that it is matched once
  #followed = new Map(); // patterns this connection has been asked to follow → whether with history
  #leaving = new Map(); // patterns it has been asked to leave → id of the request, until that is answered
  #ending = new Map(); // patterns with history that were given up and may still bring messages → whether they match
  #calls = new Map(); // id of what is published or asked on this connection → what settles its promise
  #lastId = 0;
  #timer = 0; // of the next round of requests
  #missed = null; // { since, causes } while messages are missed
  #outage = false; // between nats_down and nats_up
  #lacks = null; // { since, causes, patterns } of what streams will not bring, until it is told
  #knowsHistory = true; // the gateway of this connection, as far as that is known
  #turns = 0; // of replays: which of them began first

  /**
   * `url`: the gateway's WebSocket; it may be left out if the gateway served this file. `token`: a string, or a
   * function that gives a fresh one or a promise of it. It is called again when one is refused, then with `refused`
   * true and the gateway's `reason`, and at about 80 % of the life of a JWT. Tokens stay in memory.
   * @typedef {(why: { refused: boolean, reason: string }) => string | Promise<string>} TokenFunction
   * @param {{ url?: string | URL, token?: string | TokenFunction, WebSocket?: Function }} [options]
   */
  constructor({ url, token = "", WebSocket = globalThis.WebSocket } = {}) {
    super();
    this.natsDown = false;
    this.mayPublish = false;
    this.testSubject = "";
    this.allow = [">"];
    this.deny = [];
    this.#link = new Link(streamUrl(url), token, WebSocket, {
      opened: () => this.#opened(),
      lost: (since, atTheDoor) => this.#lost(since, atTheDoor),
      text: (frame) => this.#receive(frame),
      changed: () => this.#tell("state"),
      trouble: (code, message) => this.#tell("error", failure(code, message)),
    });
    this.#link.start();
  }

  get state() { return this.#link.state; }
  get reason() { return this.#link.reason; }
  get tries() { return this.#link.tries; }
  get retryAt() { return this.#link.retryAt; }
  get tokenWanted() { return this.#link.tokenWanted; }

  /**
   * Calls `listener(message)` for each message under `pattern`; once, even if it listens to several that match.
   * Resolves when NATS has accepted. Rejects with an Error that has the gateway's sentence and `code` when the
   * pattern is refused, and so forgotten; also when it is given up before ("unsubscribed", "closed"). Until then
   * the promise is pending: over lost connections, while NATS is away, while a token is missing. It settles once;
   * what becomes of the pattern later is told by the event `subscription`.
   *
   * `meta`: what is to come beside each message, some of "time", "reply" and "headers". `maxRate`: how many messages
   * a second at most of each subject, the newest ones. Those who listen to one pattern share what comes: all that any
   * of them asks for, at the highest rate.
   *
   * `history`: follow the JetStream stream that holds the pattern, and begin with what it has stored: "new" (nothing),
   * "auto" (the same, and without a stream a plain subscription), "all", "last_per_subject", or one of `{ last: 100 }`,
   * `{ since: "5m" }`, `{ seq: 1234 }` and `{ after: cursor }`. `stream` names the stream. After a lost connection the
   * client asks for all that came meanwhile. Who listens to a pattern first decides on its history. Another one that
   * asks for the past once it is followed is rejected ("already_followed").
   * @typedef {{ last: number } | { seq: number } | { since: string | Date } | { after: string }} Past
   * @param {string} pattern
   * @param {(message: Message) => void} [listener]
   * @param {{ meta?: string[], maxRate?: number, history?: string | Past, stream?: string }} [options]
   * @returns {Promise<void>}
   */
  subscribe(pattern, listener, { meta = [], maxRate = Infinity, history, stream } = {}) {
    if (typeof pattern !== "string") throw new TypeError("A pattern is a string.");
    checkOptions(meta, maxRate);
    checkHistory(history, stream, maxRate);
    if (this.#link.over) return Promise.reject(failure("closed", "The client is closed."));
    const former = this.#patterns.get(pattern);
    if (former && !joins(former, history, stream)) return Promise.reject(failure("already_followed", alreadyFollowed(pattern)));
    const subscription = former ?? newSubscription(pattern, history, stream);
    this.#patterns.set(pattern, subscription);
    if (listener) subscription.listeners.set(listener, { meta, maxRate });
    else subscription.held = { meta, maxRate };
    this.#bySubject.clear();
    this.#sendSoon();
    return subscription.promise;
  }

  /** Takes a listener away, or all if none is named; it is called no more. The last to leave ends the subscription. */
  unsubscribe(pattern, listener) {
    const subscription = this.#patterns.get(pattern);
    if (!subscription) return;
    subscription.listeners.delete(listener);
    this.#bySubject.clear();
    if (!listener || !(subscription.listeners.size || subscription.held)) this.#giveUp(subscription, "unsubscribed");
    else this.#sendSoon(); // what it asked for may be wanted no more
  }

  /**
   * Publishes `value` as JSON; a Uint8Array as its bytes, a string as plain text if `encoding` is "text", nothing
   * without it. Resolves once the NATS server has it; with `ack`, once a stream has stored it, and then with
   * `{ stream, seq, duplicate }`. Rejects with an Error that has the gateway's sentence and `code`, or at once
   * with "disconnected" if there is no connection. Nothing is sent again by itself: if the connection is lost before
   * the answer ("disconnected") it may have been published; with a `msgId` it can be repeated without harm.
   */
  publish(subject, value, { headers, ack, msgId, encoding } = {}) {
    return this.#call({ action: "publish", subject, ...payloadOf(value, encoding), headers, ack, msg_id: msgId });
  }

  /** Asks whoever answers on `subject`, as `publish` sends; resolves with the answer, a Message with `headers`. */
  request(subject, value, { headers, timeout, encoding } = {}) {
    const payload = payloadOf(value, encoding);
    return this.#call({ action: "request", subject, ...payload, headers, timeout, meta: ["headers"] });
  }

  /**
   * Asks which subjects there are under one to eight `patterns`: those that streams have, and those the gateway has seen
   * of late, as far as they may be followed. Resolves with `{ subjects, stored, seen, more, complete, reason }`.
   */
  look(patterns = [">"]) {
    return this.#call({ action: "subjects", subjects: patterns });
  }

  /** Uses `token` from now on: on the connection there is, or on the next one, which is tried at once. */
  useToken(token) { this.#link.useToken(token); }

  /** Ends the waiting or the stop; does nothing while a connection stands or is being made. */
  retryNow() { this.#link.retryNow(); }

  /** Ends everything for good. Twice is harmless. */
  close() {
    for (const subscription of this.#patterns.values()) this.#giveUp(subscription, "closed");
    this.#dropCalls("closed", "The client was closed before the answer.");
    this.#link.close();
  }

  async #call(request) {
    if (this.#link.over) throw failure("closed", "The client is closed.");
    if (this.state !== "open") throw failure("disconnected", "There is no connection to the gateway.");
    this.#lastId += 1;
    const call = deferred();
    this.#link.send({ ...request, id: this.#lastId }); // throws what cannot be written as JSON
    this.#calls.set(this.#lastId, call);
    return call.promise;
  }

  #answered(answer) {
    const { id, success, code, message, err_code: errCode, subject, reply, stream, seq, duplicate } = answer;
    const { resolve, reject } = this.#calls.get(id);
    this.#calls.delete(id);
    if (!success) reject(Object.assign(failure(code, message), errCode && { errCode }));
    else if (reply) resolve(answerOf(subject, reply));
    else if (answer.stored) resolve(foundOf(answer));
    else resolve(stream === undefined ? {} : { stream, seq, duplicate });
  }

  #dropCalls(code, message) {
    for (const { reject } of this.#calls.values()) reject(failure(code, message));
    this.#calls.clear();
  }

  #tell(type, detail) {
    this.dispatchEvent(eventOf(type, detail));
  }

  #opened() {
    this.#forgetOutage();
    // What is missed goes on being missed until the first answer or message.
    if (!this.#patterns.size) this.#closeGap();
    this.#tell("state");
    this.#send();
  }

  // Who was turned away at the door has missed nothing that was not missed before.
  #lost(since, atTheDoor) {
    this.#forgetOutage();
    if (!atTheDoor) this.#miss("disconnected", since);
    this.#dropCalls("disconnected", "The connection was lost before the answer.");
    this.#followed.clear();
    this.#leaving.clear();
    this.#ending.clear();
    this.#knowsHistory = true;
    for (const subscription of this.#patterns.values()) {
      Object.assign(subscription, { asked: null, hasBegun: false, asPlain: false });
      subscription.place?.lose(since);
    }
  }

  // Of one that goes on, the next connection is told.
  #forgetOutage() {
    this.natsDown = false;
    this.#outage = false;
  }

  // Whoever follows nothing misses nothing, and what comes from streams comes later.
  #miss(cause, since = moment()) {
    if (![...this.#patterns.values()].some(isPlain)) return;
    this.#missed ??= { since, causes: [] };
    if (!this.#missed.causes.includes(cause)) this.#missed.causes.push(cause);
  }

  // What is postponed is still missed, whatever comes of other patterns.
  #closeGap() {
    if (!this.#missed || this.#outage || [...this.#patterns.values()].some(isPostponed)) return;
    const missed = this.#missed;
    this.#missed = null;
    if (missed.causes.length) this.#tell("gap", { ...span(missed.since), causes: missed.causes });
  }

  #setNatsDown(down) {
    if (down) this.#miss("nats_down");
    const changed = this.natsDown !== down;
    this.natsDown = down;
    if (!down) this.#closeGap();
    if (changed) this.#tell("state");
  }

  // All that changes in a turn is asked for together, and then there is a rest.
  #sendSoon(wait = 0) {
    this.#timer ||= setTimeout(() => this.#send(), wait);
  }

  #send() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (this.state !== "open") return;
    const isGone = (pattern) => !this.#leaving.has(pattern) && (!this.#patterns.has(pattern) || this.#beginsAnew(pattern));
    const gone = [...this.#followed.keys()].filter(isGone);
    const fresh = this.#toAskFor();
    this.#request("unsubscribe", gone, (pattern, id) => this.#leaving.set(pattern, id));
    for (const [options, patterns] of fresh) {
      const request = JSON.parse(options);
      this.#request("subscribe", patterns, (pattern, id) => this.#asked(this.#patterns.get(pattern), id, request), request);
    }
    if (gone.length || fresh.size) this.#sendSoon(PACE);
  }

  // The gateway refuses history to a pattern that is followed: a former subscription to it has to end first.
  #beginsAnew(pattern) {
    const { asked, hasBegun, history } = this.#patterns.get(pattern);
    return asked === null && !hasBegun && (history !== undefined || this.#followed.get(pattern));
  }

  // Options as they stand in a request → patterns to be asked for with these, for the first time or with other ones.
  #toAskFor() {
    const fresh = new Map();
    for (const subscription of this.#patterns.values()) {
      let options = optionsOf(subscription);
      const waits = subscription.history !== undefined && !subscription.hasBegun; // for the answer that says what it is
      if (subscription.asked !== null && (waits || subscription.options === options)) continue;
      if (waits) options = JSON.stringify({ ...JSON.parse(options), ...this.#historyFor(subscription) });
      if (!fresh.has(options)) fresh.set(options, []);
      fresh.get(options).push(subscription.pattern);
    }
    return fresh;
  }

  // What a request says of history: what comes after all that came before, if anything did.
  #historyFor(subscription) {
    const { history, stream, place, asPlain } = subscription;
    if (history === "auto" && (asPlain || !this.#knowsHistory)) return {};
    const resumes = place && !isRated(subscription) && (place.seq || history !== "last_per_subject");
    return { history: resumes ? { after: place.cursor } : history, stream };
  }

  #asked(subscription, id, { history }) {
    const { pattern, hasBegun } = subscription;
    this.#leaving.delete(pattern);
    this.#followed.set(pattern, history !== undefined || (hasBegun && this.#followed.get(pattern) === true));
    Object.assign(subscription, { asked: id, options: optionsOf(subscription), wasAsked: true });
  }

  #request(action, patterns, note, options = {}) {
    for (let at = 0; at < patterns.length; at += MOST_SUBJECTS) {
      const subjects = patterns.slice(at, at + MOST_SUBJECTS);
      this.#lastId += 1;
      this.#link.send({ subjects, action, id: this.#lastId, ...options });
      for (const pattern of subjects) note(pattern, this.#lastId);
    }
  }

  // Messages are handed over together, but none before what was told before it, nor after what came after it.
  #receive(frame) {
    let messages = [];
    for (const line of String(frame).split(SEPARATOR).filter(Boolean)) {
      const told = read(line);
      if (told instanceof Message) {
        if (!this.natsDown && !messages.length) this.#closeGap();
        messages.push(told);
      } else {
        this.#deliver(messages);
        messages = [];
        this.#take(told);
      }
    }
    this.#deliver(messages);
    this.#tellLacks();
  }

  #deliver(received) {
    if (!received.length || this.#link.over) return;
    this.#tellLacks();
    const replayed = new Map(); // message → subscriptions that get it
    const messages = received.filter((message) => message.seq === undefined || this.#place(message, replayed));
    if (!messages.length) return;
    this.#tell("messages", messages);
    if (![...this.#patterns.values()].some(({ listeners }) => listeners.size)) return;
    for (const message of messages) {
      const takers = replayed.get(message);
      const listeners = takers ? listenersOf(takers) : this.#match(message.subject).listeners;
      for (const listener of listeners) call(listener, message);
    }
  }

  // Who listens to a subject, and which subscriptions to it may come from a stream.
  #match(subject) {
    const known = this.#bySubject.get(subject);
    if (known) return known;
    if (this.#bySubject.size >= MOST_REMEMBERED) this.#bySubject.clear();
    const matching = [...this.#patterns.values()].filter((subscription) => subscription.matches(subject));
    const stored = matching.filter(({ history }) => history !== undefined);
    const found = { listeners: listenersOf(matching), stored };
    this.#bySubject.set(copied(subject), found);

    return found;
  }

  // Notes how far a message brings its patterns. A message does not name its stream: patterns that overlap are of one.
  // False if nobody should get it, or all have had it by a pattern that overlaps.
  #place(message, replayed) {
    const { stored } = this.#match(message.subject);
    const placed = stored.filter(({ place }) => place);
    const { seq, replay } = message;
    if (!replay) for (const { place, isPlain, ahead } of stored) if (!place && !isPlain) ahead.add(seq);
    if (!placed.length) return !replay; // that of a pattern that was given up
    Object.assign(message, { stream: placed[0].place.stream, epoch: placed[0].place.epoch });
    const isNew = !replay && placed.some(({ place }) => place.state === LIVE && place.lacks(seq));
    const isOfOthers = isNew || [...this.#ending.values()].some((matches) => matches(message.subject));
    const turn = isOfOthers ? NOBODYS_TURN : turnOf(placed, replay ? REPLAYING : BEHIND);
    const takers = placed.filter(({ place }) => place.lacks(seq));
    for (const { place } of placed) place.take(seq, turn);
    for (const { place } of takers) place.count += 1;
    if (replay) replayed.set(message, takers);
    return !replay || takers.length > 0;
  }

  #take(told) {
    if (told?.id === A_WORD) return;
    if (this.#calls.has(told?.id)) return this.#answered(told);
    if (told?.connection_id) this.testSubject = told.test_subject ?? "";
    if (told?.dropped) this.#tell("dropped", { count: told.dropped });
    else if (told?.status) this.#takeStatus(told);
    else if (told?.connection_id || (told?.success && told.action === "token")) this.#welcomed(told);
    else if (told?.success === false) this.#refused(told);
    else if (told?.action === "subscribe") this.#accepted(told);
    else if (told?.action === "unsubscribe") this.#left(told);
    else if (!told?.success) this.#tell("error", failure("unreadable", UNREADABLE));
  }

  #welcomed({ allow = [">"], deny = [], publish = false }) {
    Object.assign(this, { allow, deny, mayPublish: publish });
    this.#link.accepted();
  }

  #takeStatus({ status, gap, reason = "", ...told }) {
    if (status === "token_required") this.#link.askForToken(reason);
    else if (status === LIVE) this.#live(told);
    else if (status === BEHIND) this.#behind(told);
    else if (status === "missed") this.#notComing(reason, told);
    else if (status === "nats_down") {
      this.#outage = true;
      for (const { place } of this.#patterns.values()) if (place) place.since ??= moment();
      this.#setNatsDown(true);
    } else if (status === "nats_up") {
      this.#outage = false;
      if (!gap && this.#missed) this.#missed.causes = this.#missed.causes.filter((cause) => cause !== "nats_down");
      this.#setNatsDown(false);
    }
  }

  // Those of `subjects` that come from a stream.
  #placed(subjects = []) {
    return subjects.map((pattern) => this.#patterns.get(pattern)).filter((subscription) => subscription?.place);
  }

  #live({ stream, epoch, seq, subjects }) {
    const placed = this.#placed(subjects);
    const front = this.#frontOf((place) => place.state === LIVE && place.stream === stream && place.epoch === epoch);
    for (const { pattern, place } of placed) {
      const { state, count, since } = place;
      place.join(front, seq);
      if (state !== LIVE) this.#tell("progress", { pattern, state: LIVE, messages: count, ...(since && span(since)) });
    }
  }

  // They may be behind alone, while others of the stream go on.
  #behind({ subjects }) {
    const placed = this.#placed(subjects).filter(({ place }) => place.state === LIVE);
    const fronts = new Map();
    this.#turns += 1;
    for (const { pattern, place } of placed) {
      place.part(fronts, this.#turns);
      Object.assign(place, { state: BEHIND, count: 0, since: place.since ?? moment() });
      this.#tell("progress", { pattern, state: BEHIND, messages: 0 });
    }
  }

  #notComing(reason, { epoch, until, subjects }) {
    const fronts = new Map();
    for (const { pattern, place } of this.#placed(subjects)) {
      this.#lack(reason, pattern, place.since);
      if (OTHER_SEQUENCES.includes(reason)) place.begin(fronts, epoch, until);
      else place.after = Math.max(place.after, until);
    }
  }

  // Told with what else is in the frame, and before the messages that come after it.
  #lack(cause, pattern, since) {
    this.#lacks ??= { since: since ?? moment(), causes: [], patterns: [] };
    const { causes, patterns } = this.#lacks;
    if (since && since.elapsed < this.#lacks.since.elapsed) this.#lacks.since = since;
    if (!causes.includes(cause)) causes.push(cause);
    if (!patterns.includes(pattern)) patterns.push(pattern);
  }

  #tellLacks() {
    if (!this.#lacks) return;
    const { since, causes, patterns } = this.#lacks;
    this.#lacks = null;
    this.#tell("gap", { ...span(since), causes, patterns });
  }

  // That of others with which a place goes on together, or one of its own.
  #frontOf(goesWith) {
    for (const { place } of this.#patterns.values()) if (place && goesWith(place)) return place.front;
    this.#turns += 1;
    return { seq: 0, turn: this.#turns };
  }

  // The gateway has said what the pattern comes from: a stream, of which it has `told`, or else NATS alone.
  #begin(subscription, told, id) {
    const { pattern, history, place: former, ahead, lacking } = subscription;
    Object.assign(subscription, { hasBegun: true, isPlain: !told, lacking: null, place: null });
    if (lacking) this.#lack(lacking.cause, pattern, lacking.since);
    if (!told) return;
    const { stream, epoch, resumed, reason } = told;
    if (resumed === false) this.#lack(reason, pattern, former?.since);
    const state = resumed === undefined && (history === "new" || history === "auto") ? LIVE : REPLAYING;
    const isTogether = (place) => place.state === state && place.stream === stream && place.epoch === epoch
      && (state === LIVE || place.request === id);
    const isOther = former && (former.stream !== stream || former.epoch !== epoch || reason === "ahead");
    if (isOther) ahead.clear();
    // Where the latest of each subject begin is not where they end: all that is known is what has come.
    const after = resumed === undefined && history === "last_per_subject" ? 0 : told.after;
    const since = (state === REPLAYING && former?.since) || null;
    subscription.place = new Place({ stream, epoch, after, state, since, ahead, request: id, front: this.#frontOf(isTogether) });
  }

  #tellBegun({ pattern, place }, { messages = 0, resumed, reason }) {
    const why = resumed === undefined && reason ? { reason } : {};
    this.#tell("progress", { pattern, state: place.state, messages: place.state === LIVE ? 0 : messages, ...why });
  }

  #accepted({ subjects, id, history }) {
    // Only a NATS server that is there accepts; but it may be gone since, and that is told at once.
    if (!this.#outage) this.#setNatsDown(false);
    for (const pattern of subjects) {
      const subscription = this.#patterns.get(pattern);
      if (!subscription || subscription.asked !== (id ?? POSTPONED)) continue;
      const begins = subscription.history !== undefined && !subscription.hasBegun;
      if (begins) this.#begin(subscription, history, id);
      subscription.asked = ACCEPTED;
      subscription.resolve();
      const source = subscription.place && { stream: subscription.place.stream };
      this.#tell("subscription", { pattern, state: "active", code: "", message: "", ...source });
      if (subscription.place && begins) this.#tellBegun(subscription, history);
      if (begins) this.#sendSoon(); // others may have joined with other options
    }
    this.#closeGap();
  }

  #left({ subjects, id }) {
    for (const pattern of subjects) {
      this.#ending.delete(pattern);
      if (this.#leaving.get(pattern) !== id) continue;
      this.#leaving.delete(pattern);
      this.#followed.delete(pattern);
    }
  }

  // An answer to an older request says nothing of now; one without an id takes back what was accepted, if only once.
  #refused({ subjects, code, message = "The gateway refused without a reason.", id, reason }) {
    if (code === "rate_limited" && this.#askLater(id)) return;
    if (code === "rate_limited" && id === undefined && this.#link.exchangeLater()) return;
    this.#left({ subjects: subjects ?? [], id });
    const all = [...this.#patterns.values()];
    const meant = [id ?? ACCEPTED, id ?? POSTPONED];
    if (code === "bad_request" && OLD_GATEWAY.test(message)) this.#knowsHistory = false;
    const concerned = subjects?.length
      ? all.filter(({ pattern, asked }) => subjects.includes(pattern) && meant.includes(asked))
      : all.filter(({ asked }) => asked === id);
    if (!subjects?.length && !concerned.length) this.#tell("error", failure(code, message));
    for (const subscription of concerned) this.#refuse(subscription, code, message, reason);
  }

  // Too many requests at a time is no answer to what they asked for. False if nothing was asked for by `id`.
  #askLater(id) {
    const joining = [...this.#patterns.values()].filter(({ asked }) => asked === id);
    const leaving = [...this.#leaving].filter(([, request]) => request === id);
    for (const subscription of joining) {
      subscription.asked = null;
      if (subscription.history !== undefined && !subscription.hasBegun) this.#followed.delete(subscription.pattern);
    }
    for (const [pattern] of leaving) this.#leaving.delete(pattern);
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#sendSoon(REST);
    return joining.length + leaving.length > 0;
  }

  #refuse(subscription, code, message, reason) {
    // The gateway takes the request up when NATS is back, and then answers again.
    if (code === "nats_down") {
      if (subscription.asked === ACCEPTED) subscription.asked = POSTPONED;
      if (isPlain(subscription)) this.#setNatsDown(true); // of a stream it says only that JetStream does not answer
      return undefined;
    }
    const { pattern } = subscription;
    this.#followed.delete(pattern);
    if (this.#goesOn(subscription, code)) return this.#sendSoon();
    this.#drop(subscription, Object.assign(failure(code, message), reason && { reason }));
    this.#tell("subscription", { pattern, state: "refused", code, message });
  }

  // What came from a stream that is gone goes on as well as it can, and who is content with less asks for less.
  #goesOn(subscription, code) {
    const { history, hasBegun, asPlain, place } = subscription;
    const isGone = place && code === (hasBegun ? "stream_gone" : "no_history");
    const isContent = history === "auto" && !hasBegun && !asPlain && NO_PLAIN_ANSWER.includes(code);
    if (!isGone && !isContent) return false;
    Object.assign(subscription, { asked: null, hasBegun: false, asPlain: isContent, place: null });
    if (isGone) subscription.history = "auto";
    if (place) subscription.lacking = { cause: isGone ? code : "no_history", since: place.since ?? moment() };
    return true;
  }

  #giveUp(subscription, code) {
    subscription.promise.catch(() => {}); // who gives up need not be told
    this.#drop(subscription, failure(code, `${subscription.pattern} was given up before it was accepted.`));
    this.#sendSoon();
  }

  #drop({ pattern, matches, history, listeners, asked, reject }, error) {
    this.#patterns.delete(pattern);
    if (history !== undefined && this.#followed.has(pattern)) this.#ending.set(pattern, matches);
    listeners.clear(); // a message under way is for nobody
    this.#bySubject.clear();
    reject(error);
    if (asked === POSTPONED && !this.natsDown) this.#closeGap();
  }
}

/**
 * A message. `raw` is its payload as it came: JSON text, which for `encoding` "text" and "base64" is a string.
 * `time`, `reply` and `headers` are there if they were asked for, and the message has them. With history, `seq` is its
 * sequence, `stream` the stream it is in, as far as that is known, `replay` whether it was stored before, and
 * `operation` what was done to a key without a value ("DEL", "PURGE" and the like).
 */
export class Message {
  #data;

  constructor(subject, raw, encoding = "json", { time, reply, headers = [], seq, replay = false, operation } = {}) {
    this.subject = subject;
    this.raw = raw;
    this.encoding = encoding;
    this.time = time;
    this.reply = reply;
    this.headers = headers;
    this.seq = seq;
    this.replay = replay;
    this.operation = operation;
    this.stream = this.epoch = undefined;
  }

  /** What `{ after: cursor }` goes on behind; undefined if it is not known which stream it is in. */
  get cursor() { return this.stream && `${this.stream}.${this.epoch}.${this.seq}`; }

  /** The payload: a JSON value, a string if it is other text, else a Uint8Array. Parsed when first asked for. */
  get data() {
    if (this.#data !== undefined) return this.#data;
    const value = JSON.parse(this.raw);
    this.#data = this.encoding === "base64" ? Uint8Array.from(atob(value), (byte) => byte.charCodeAt(0)) : value;
    return this.#data;
  }
}

/**
 * How far a pattern has come in a stream: all up to the greater of `after` and the sequence of its `front` has come.
 * Those that go on together share a front.
 */
class Place {
  count = 0; // messages since the state began
  since = null; // the moment from which on messages may lack, if they do

  /** `ahead`: sequences that came before their turn, by patterns that overlap. */
  constructor(facts) {
    Object.assign(this, facts);
  }

  get seq() { return Math.max(this.after, this.front.seq); }
  get cursor() { return `${this.stream}.${this.epoch}.${this.seq}`; }

  /** Whether a message has not come yet, and is of what was asked for. */
  lacks(seq) {
    return seq > this.seq && !this.ahead.has(seq);
  }

  /** Notes a message, which is read for those whose `turn` it is; live ones are for all. */
  take(seq, turn) {
    if (this.state === LIVE) this.since = null;
    const isNext = this.state === LIVE || (this.front.turn === turn && turn !== NOBODYS_TURN);
    if (isNext) this.front.seq = Math.max(this.front.seq, seq);
    else if (seq > this.seq) this.ahead.add(seq);
  }

  /** All up to `seq` has come, and from now on it goes on with others. */
  join(front, seq) {
    Object.assign(this, { after: Math.max(this.seq, seq), state: LIVE, front, since: null });
    this.ahead.clear(); // it would grow with each replay
  }

  /** Goes on without those that are not in `fronts`, a map of former ones to new ones. */
  part(fronts, turn = this.front.turn) {
    if (!fronts.has(this.front)) fronts.set(this.front, { ...this.front, turn });
    this.front = fronts.get(this.front);
  }

  /** Goes on after another sequence, also a lower one. */
  begin(fronts, epoch, after) {
    this.part(fronts);
    this.front.seq = 0;
    Object.assign(this, { epoch, after });
    this.ahead.clear();
  }

  /** The connection is lost: what comes on the next one comes as a replay. */
  lose(since) {
    Object.assign(this, { after: this.seq, state: REPLAYING, request: null, front: { seq: 0, turn: NOBODYS_TURN } });
    this.since ??= since;
  }
}

/** A WebSocket that comes back, also after a clean close, unless the gateway said that it must not. */
class Link {
  #url;
  #token; // nowhere but here: gone when the page is closed
  #freshToken;
  #renewAt = Infinity; // when a fresh one should be asked for
  #renewal = 0; // the timer of that
  #exchanged = true; // whether the gateway has answered to a token on a connection that stood
  #refusals = 0; // of tokens, since one was accepted
  #refusal = { refused: false, reason: "" }; // the last of them
  #WebSocket;
  #on;
  #life = new AbortController();
  #attempt = null; // what a former one still does must not count
  #webSocket = null;
  #openedAt = null;
  #greeted = false; // on the connection that stands
  #heard = null; // the moment of the last word
  #why = ""; // the last try was refused, as far as that is known
  #asking = null; // why that was
  #retryDue = 0; // of `elapsed`
  #answered = false; // since it was asked for a word
  #timer = 0; // of the try that is made, the next one, or the silence of the connection that stands

  constructor(url, token, WebSocket, on) {
    this.#url = url;
    [this.#token, this.#freshToken] = typeof token === "function" ? ["", token] : [token, null];
    this.#WebSocket = WebSocket;
    this.#on = on;
    this.state = "connecting";
    this.reason = "";
    this.tokenWanted = false;
    this.tries = 0;
  }

  get retryAt() { return Math.round(Date.now() + Math.max(0, this.#retryDue - elapsed())); }
  get over() { return this.#life.signal.aborted; }

  /** Connects, and from then on tries at once whenever the network or the reader comes back. */
  start() {
    const { signal } = this.#life;
    const wake = () => {
      if (this.state === "waiting") this.#connect();
      if (this.state === "open") this.#askForAWord();
    };
    const look = () => document.visibilityState === "visible" && wake();
    // A browser keeps a page to go back to only if nothing is open.
    const putAside = ({ persisted }) => {
      if (persisted && (this.state === "open" || this.state === "connecting")) this.#ended(PUT_ASIDE);
    };
    globalThis.addEventListener?.("online", wake, { signal });
    globalThis.addEventListener?.("pagehide", putAside, { signal });
    globalThis.addEventListener?.("pageshow", ({ persisted }) => persisted && wake(), { signal });
    globalThis.document?.addEventListener("visibilitychange", look, { signal });
    globalThis.document?.addEventListener("resume", wake, { signal }); // it was frozen
    this.#connect();
  }

  retryNow() {
    if (this.state === "waiting" || this.state === "stopped") this.#connect();
  }

  useToken(token) {
    this.#refusals = 0;
    this.#keep(token);
    if (this.state === "open") this.#exchange();
    else this.retryNow();
  }

  /** The gateway has greeted, or taken a fresh token: the one it has counts, if it wants one. */
  accepted() {
    this.#greeted = this.#exchanged = true;
    this.#refusals = 0;
    this.#refusal = { refused: false, reason: "" };
  }

  /** There were too many requests for the gateway to look at a token. False if none was sent. */
  exchangeLater() {
    if (this.#exchanged) return false;
    setTimeout(() => this.state === "open" && !this.#exchanged && this.#exchange(), REST);
    return true;
  }

  // On the connection there is, so that nothing is missed.
  #exchange() {
    this.#exchanged = false;
    this.send({ token: this.#token });
    this.#renewInTime();
  }

  #keep(token) {
    this.#token = token;
    const [least, most] = RENEWED_AFTER;
    const due = lifeLeft(token) * (least + Math.random() * (most - least));
    const wait = Math.min(Math.max(LEAST_RENEWAL, due), MOST_RENEWAL);
    this.#renewAt = this.#freshToken && due < Infinity ? Date.now() + wait : Infinity;
  }

  #renewInTime() {
    clearTimeout(this.#renewal);
    if (this.#renewAt < Infinity) this.#renewal = setTimeout(() => this.#renew(), this.#renewAt - Date.now());
  }

  // What comes to nothing is tried again, after 80 % of what is left.
  async #renew() {
    const [attempt, former] = [this.#attempt, this.#token];
    this.#keep(former);
    this.#renewInTime();
    const isLate = () => attempt !== this.#attempt || former !== this.#token;
    try {
      const token = await this.#freshToken({ refused: false, reason: "" });
      if (isLate() || !token || token === former) return;
      this.#keep(token);
      this.#exchange();
    } catch (error) {
      if (!isLate()) this.#on.trouble("token", noToken(error));
    }
  }

  // `reason`: what is wrong with a cookie, which the page cannot see.
  askForToken(reason) {
    if (!this.#token) this.#closed(TOKEN_MISSING, reason);
  }

  send(request) {
    this.#webSocket?.send(JSON.stringify(request));
  }

  close() {
    if (this.over) return;
    this.#life.abort();
    this.#asking?.abort();
    this.#ended("closed by this page", true);
  }

  async #connect() {
    if (this.over) return;
    clearTimeout(this.#timer);
    this.#asking?.abort();
    const attempt = (this.#attempt = Symbol("attempt"));
    this.#timer = setTimeout(() => this.#ended(SILENT), PATIENCE);
    this.tokenWanted = false;
    this.#become("connecting");
    try {
      if (this.#freshToken && (!this.#token || Date.now() >= this.#renewAt)) {
        const token = await this.#freshToken(this.#refusal);
        if (attempt === this.#attempt) this.#keep(token ?? "");
      }
      if (attempt === this.#attempt) this.#open(attempt);
    } catch (error) {
      if (attempt !== this.#attempt) return;
      if (this.#token) this.#open(attempt); // the one it has may count still
      else this.#ended(noToken(error));
    }
  }

  #open(attempt) {
    try {
      this.#webSocket = new this.#WebSocket(this.#url);
    } catch (error) {
      return this.#ended(error.message, true); // ws: from a page of https:, or no WebSocket at all
    }
    const listen = (name, act) =>
      this.#webSocket.addEventListener(name, (event) => attempt === this.#attempt && act(event));
    listen("open", () => this.#opened());
    listen("message", ({ data }) => this.#hear(data));
    listen("close", ({ code, reason }) => this.#closed(code, reason));
    this.#webSocket.addEventListener("error", () => {}); // a close follows; unheard, one of Node's `ws` ends the process
  }

  #opened() {
    clearTimeout(this.#timer);
    this.#heard = moment();
    this.#openedAt = elapsed();
    this.#greeted = false;
    this.#why = "";
    if (this.#token) this.send({ token: this.#token });
    this.#exchanged = true;
    this.#renewInTime();
    this.state = "open";
    this.#waitForQuiet(QUIET);
    this.#on.opened();
  }

  #hear(data) {
    this.#heard = moment();
    this.#answered = true;
    this.#on.text(data);
  }

  // A cable that is out sounds like subjects on which nobody publishes.
  #waitForQuiet(wait) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const quiet = elapsed() - this.#heard.elapsed;
      if (quiet < QUIET) this.#waitForQuiet(QUIET - quiet);
      else this.#askForAWord();
    }, wait);
  }

  // A timer that is late is one of a page that was frozen: what came meanwhile has to be read first.
  #askForAWord(again = false) {
    clearTimeout(this.#timer);
    this.#answered = false;
    const askedAt = elapsed();
    this.send({ action: "ping", id: A_WORD });
    this.#timer = setTimeout(() => {
      if (this.#answered) this.#waitForQuiet(QUIET - ANSWER);
      else if (!again && elapsed() - askedAt > 2 * ANSWER) this.#askForAWord(true);
      else this.#ended(SILENT);
    }, ANSWER);
  }

  #closed(code, reason) {
    const refused = code === TOKEN_MISSING;
    if (refused) this.#refuse(reason);
    this.tokenWanted = refused && !this.#freshToken;
    const mayReturn = code < 4500 || code > 4999 || (refused && !this.tokenWanted);
    const why = this.#openedAt === null ? SILENT : closeReason(code, reason);
    this.#ended(why, !mayReturn, refused && !this.#greeted);
  }

  #refuse(reason) {
    this.#refusal = { refused: this.#token !== "", reason };
    this.#refusals += 1;
    this.#keep("");
  }

  // What was missed begins with the last word: when it was noticed says little, above all in a frozen page.
  #ended(reason, forGood = false, atTheDoor = false) {
    clearTimeout(this.#timer);
    clearTimeout(this.#renewal);
    const [webSocket, openedAt] = [this.#webSocket, this.#openedAt];
    this.#attempt = this.#webSocket = this.#openedAt = null;
    webSocket?.close();
    if (openedAt !== null) this.#on.lost(this.#heard, atTheDoor);
    const refused = reason === SILENT && webSocket !== null && openedAt === null && !forGood;
    this.reason = (refused && this.#why) || reason;
    if (forGood || (openedAt !== null && elapsed() - openedAt >= STEADY)) this.tries = 0;
    if (!forGood) this.#waitForNextTry();
    this.#become(forGood ? "stopped" : "waiting");
    if (refused) this.#askWhy();
  }

  // At random, so that the pages of a restarted gateway do not all return at once.
  #waitForNextTry() {
    let [least, most] = [SHORTEST_WAIT, Math.min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** (this.tries + 1))];
    if (this.#refusals > 1) {
      // The same token, or the next one like it: a cache that gives what has expired, a key that does not fit.
      most = Math.min(LONGEST_REFUSED, REFUSED * 2 ** (this.#refusals - 2));
      least = most / 2;
    }
    const wait = least + Math.random() * (most - least);
    this.tries += 1;
    this.#retryDue = elapsed() + wait;
    this.#timer = setTimeout(() => this.#connect(), wait);
  }

  // A browser tells a page nothing of a WebSocket that fails. Asked after tries 1, 2, 4, 8, …: a gateway that
  // is under load gets little of that. Who was asked for a password is not asked again and again.
  async #askWhy() {
    if ((this.tries & (this.tries - 1)) !== 0 || this.#why === PASSWORD || this.over) return;
    const asking = (this.#asking = new AbortController());
    const why = await whyRefused(this.#url, asking.signal);
    if (asking.signal.aborted || this.state !== "waiting") return;
    this.#why = why;
    this.reason = why || SILENT;
    this.#on.changed();
  }

  #become(state) {
    this.state = state;
    this.#on.changed();
  }
}

/**
 * Milliseconds that a token still counts: of a JWT, whose `exp` and `iat` are seconds. Infinity if that is not known.
 * Where the clock here is wrong, only the time between the two is right.
 */
function lifeLeft(token) {
  try {
    const { exp, iat } = JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    if (!Number.isFinite(exp)) return Infinity;
    const [left, life] = [exp * 1000 - Date.now(), (exp - iat) * 1000];
    if (life > 0 && (left <= 0 || left > life)) return life;
    return left > 0 ? left : Infinity;
  } catch {
    return Infinity;
  }
}

function noToken(error) {
  return `no token could be had: ${error?.message ?? error}`;
}

/** Where the gateway's WebSocket is: any host, TLS or not, any sub-path. Told apart by hand: not every URL can. */
function streamUrl(given) {
  const address = given ? String(given) : besideThisFile();
  if (!address) throw new TypeError('Say where the gateway is: new Client({ url: "wss://gateway.example/stream" }).');
  const whole = /^(https?|wss?):/i.test(address) ? address : new URL(address, globalThis.location?.href).href;
  const [place, query = ""] = whole.replace(/#.*/s, "").replace(/^http/i, "ws").split(/\?(.*)/s);
  const others = query.split("&").filter((part) => part && !/^batch(=|$)/.test(part));
  return `${place}?${[...others, "batch=2"].join("&")}`; // many messages a frame, and one event for all of them
}

// The address this file was loaded from stands in a stack trace. `import.meta` has it as well, but what
// bundlers make of that fails, or warns, in code of which this file has become a part.
const LOADED_FROM = /(https?:\/\/[^\s()@]*\/)page\/js\/client\.js/.exec(new Error().stack)?.[1];

function besideThisFile() {
  return LOADED_FROM && `${LOADED_FROM}stream`;
}

/** Why the gateway, or what stands before it, lets no WebSocket in; "" if nobody says so. */
async function whyRefused(stream, signal) {
  const address = stream.replace(/^ws/i, "http");
  const origin = globalThis.location?.origin;
  const isOwn = address.startsWith(`${origin}/`);
  const ask = (method, mode, redirect = "manual") => fetch(address, { method, mode, redirect, signal, cache: "no-store" });
  try {
    const why = await meaning(await ask("GET", "cors"));
    // A browser names the origin of a page to that very origin only where something is to be changed.
    const other = why === NO_UPGRADE && isOwn ? await ask("POST", "cors") : null;
    return other?.status === 403 ? await meaning(other) : why;
  } catch {
    return origin && !isOwn ? answersAtAll(ask, origin) : "";
  }
}

// A page that may not connect may not read either why that is, only that somebody is there.
async function answersAtAll(ask, origin) {
  try {
    await ask("GET", "no-cors", "follow");
    return `what answers there is not for this page to read: is ${origin} in ALLOWED_ORIGINS?`;
  } catch {
    return "";
  }
}

/** What an answer to something else than a WebSocket says of why there is none. */
async function meaning(answer) {
  const { type, status } = answer;
  if (type === "opaqueredirect" || (status >= 300 && status < 400)) return ELSEWHERE;
  if (status === 400 || status === 426) return NO_UPGRADE;
  const isText = answer.headers.get("Content-Type")?.startsWith("text/plain");
  const said = isText ? (await answer.text()).trim().replace(/\.( Try again later\.)?$/, "") : "";
  const asksForToken = /^Bearer\b/i.test(answer.headers.get("WWW-Authenticate") ?? ""); // as the gateway does
  if (status === 401) return said && asksForToken ? lowerFirst(said) : PASSWORD;
  const [ofAnOrigin, remedy = ""] = OF_AN_ORIGIN.exec(said) ?? [];
  if (status === 403 && ofAnOrigin) {
    return `this page's address ${globalThis.location?.origin} is not in ALLOWED_ORIGINS${remedy && `: ${remedy}`}`;
  }
  if (status === 503 && OF_THE_GATEWAY.test(said)) return lowerFirst(said);
  if (status >= 502 && status <= 504) return `what stands before the gateway cannot reach it (${status})`;
  return `something else than the gateway answers there (${status})`;
}

function lowerFirst(sentence) {
  return sentence[0].toLowerCase() + sentence.slice(1);
}

function closeReason(code, reason) {
  if (code === TOKEN_MISSING) return `The gateway asks for a token${reason && `: ${reason}`}.`;
  if (code === RESTART && reason && reason !== STOPS) return reason; // it asks to come back for another reason
  return CLOSED[code] ?? (reason || CUT_OFF);
}

/** A Message, or what else a line says; undefined if that cannot be read. */
function read(line) {
  const message = line.startsWith(MESSAGE) && cut(line);
  if (message) return message;
  try {
    const told = JSON.parse(line);
    const { subject, data, encoding, ...meta } = told;
    // A callback of the gateway's owner may write messages in another way.
    const isMessage = typeof subject === "string" && data !== undefined;
    return isMessage ? new Message(subject, JSON.stringify(data), encoding, meta) : told;
  } catch {
    return undefined;
  }
}

// Cut out, not parsed: the payload stays the text it was, and thousands a second cost little.
function cut(line) {
  const end = stringEnd(line, MESSAGE.length);
  const at = end === -1 ? -1 : line.indexOf(DATA, end);
  const meta = at > end ? between(line.slice(end + 1, at)) : {};
  if (at === -1 || !meta) return undefined;
  const quoted = line.slice(MESSAGE.length, end);
  const subject = quoted.includes("\\") ? JSON.parse(quoted) : quoted.slice(1, -1);
  const encoding = line.endsWith(TAILS.text) ? "text" : line.endsWith(TAILS.base64) ? "base64" : "json";
  return new Message(subject, line.slice(at + DATA.length, -TAILS[encoding].length), encoding, meta);
}

// The keys between subject and payload, as the gateway writes them; undefined if somebody else wrote something else.
function between(keys) {
  // Most messages have a time or a sequence alone, and to parse each of them would cost as much as all the rest.
  const isTime = keys.length === TIME_CHARS && keys.startsWith(TIME);
  if (isTime && keys.indexOf('"', TIME.length) === TIME_CHARS - 1) return { time: keys.slice(TIME.length, -1) };
  const seq = keys.startsWith(SEQ) ? Number(keys.slice(SEQ.length)) : NaN;
  if (Number.isSafeInteger(seq) && seq > 0) return { seq };
  try {
    return JSON.parse(`{${keys}}`);
  } catch {
    return undefined;
  }
}

/**
 * Index just after the JSON string that opens with the quote at `start`; -1 if it does not end.
 * Jumps from quote to quote: a pattern would keep a place to return to for each character.
 */
export function stringEnd(text, start) {
  let quote = text.indexOf('"', start + 1);
  while (quote !== -1 && escaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote === -1 ? -1 : quote + 1;
}

function escaped(text, quote) {
  let slashes = 0;
  while (text.charCodeAt(quote - 1 - slashes) === BACKSLASH) slashes += 1;
  return slashes % 2 === 1;
}

/** A function that says whether a subject falls under `pattern`. */
export function matcher(pattern) {
  const wanted = pattern.split(".");
  const open = wanted.at(-1) === ">";
  if (!open && !wanted.includes("*")) return (subject) => subject === pattern;
  const fixed = open ? wanted.slice(0, -1) : wanted;
  return (subject) => {
    const parts = subject.split(".");
    if (open ? parts.length < wanted.length : parts.length !== wanted.length) return false;
    return fixed.every((part, place) => part === "*" || part === parts[place]);
  };
}

function newSubscription(pattern, history, stream) {
  // `asked`: null, the id of the request for it on this connection, ACCEPTED or POSTPONED; `options`: with which ones;
  // `wasAsked`: on any connection. `listeners`: each with what it asks for; `held`: what is asked for without a
  // listener, if it is.
  const asking = { asked: null, options: "", wasAsked: false, listeners: new Map(), held: null };
  // `hasBegun`: the gateway has said, on this connection, what it comes from, and that is its `place` in a stream or,
  // if it `isPlain`, NATS alone. `asPlain`: asked for without history; `lacking`: what is missed until it is followed.
  // `ahead`: sequences it has had by other patterns, which may come again.
  const beginning = { hasBegun: false, isPlain: false, asPlain: false, lacking: null };
  const storing = { history, stream, place: null, ahead: new Set(), ...beginning };
  return { pattern, matches: matcher(pattern), ...asking, ...storing, ...deferred() };
}

// Replays of one stream come one after the other, and so do those that catch up.
function turnOf(subscriptions, state) {
  const turns = subscriptions.filter(({ place }) => place.state === state).map(({ place }) => place.front.turn);
  return Math.min(NOBODYS_TURN, ...turns);
}

function listenersOf(subscriptions) {
  return new Set(subscriptions.flatMap(({ listeners }) => [...listeners.keys()]));
}

// Whether what comes while it is not followed is missed.
function isPlain(subscription) {
  const { history, place } = subscription;
  return history === undefined || subscription.isPlain || (place !== null && history !== "last_per_subject" && isRated(subscription));
}

function isPostponed(subscription) {
  return subscription.asked === POSTPONED && isPlain(subscription);
}

// A cursor means nothing where messages are left out.
function isRated(subscription) {
  return "max_rate" in JSON.parse(optionsOf(subscription));
}

function asksForAll(history) {
  return history === "all" || typeof history === "object";
}

function joins(subscription, history, stream) {
  if (history === undefined || history === "auto") return true;
  if (history === "new" && subscription.history !== undefined && subscription.history !== "auto") {
    return stream === undefined || stream === subscription.stream;
  }
  const isSame = JSON.stringify([history, stream]) === JSON.stringify([subscription.history, subscription.stream]);
  return isSame && (!subscription.wasAsked || history === "new");
}

function alreadyFollowed(pattern) {
  return `'${pattern}' is followed already, and not with that history: unsubscribe first, or use another client.`;
}

function checkHistory(history, stream, maxRate) {
  if (stream !== undefined && (typeof stream !== "string" || history === undefined)) {
    throw new TypeError("stream is the name of a stream, beside history.");
  }
  if (history === undefined || NAMED_HISTORIES.includes(history) || isPast(history)) {
    if (maxRate === Infinity || !asksForAll(history)) return;
    throw new TypeError('maxRate goes with history "new", "auto" and "last_per_subject" only.');
  }
  throw new TypeError(`history is one of ${NAMED_HISTORIES.join(", ")}, or an object with last, seq, since or after.`);
}

function isPast(history) {
  const [[key, value] = [], ...others] = Object.entries(history ?? {});
  if (others.length || typeof history !== "object") return false;
  if (NUMBERED_HISTORIES.includes(key)) return Number.isSafeInteger(value) && value > 0;
  return TEXT_HISTORIES.includes(key) && (typeof value === "string" || (key === "since" && value instanceof Date));
}

// A mistake of one listener must not end what others of the same pattern get.
function checkOptions(meta, maxRate) {
  if (!Array.isArray(meta) || !meta.every((key) => META.includes(key))) {
    throw new TypeError(`meta is a list of some of ${META.join(", ")}.`);
  }
  if (maxRate === Infinity || (typeof maxRate === "number" && maxRate >= LEAST_RATE && maxRate <= MOST_RATE)) return;
  throw new TypeError(`maxRate is a number from ${LEAST_RATE} to ${MOST_RATE}.`);
}

/** What all who listen to a pattern ask for together, as it stands in a request. */
function optionsOf({ listeners, held, history }) {
  const all = held ? [...listeners.values(), held] : [...listeners.values()];
  const meta = META.filter((key) => all.some((each) => each.meta.includes(key)));
  const rate = asksForAll(history) ? Infinity : Math.max(...all.map(({ maxRate }) => maxRate));
  return JSON.stringify({ meta: meta.length ? meta : undefined, max_rate: rate < Infinity ? rate : undefined });
}

/** How a value goes into a request. */
function payloadOf(value, encoding) {
  if (!(value instanceof Uint8Array)) return { data: value, encoding };
  let bytes = "";
  for (const byte of value) bytes += String.fromCharCode(byte);
  return { data: btoa(bytes), encoding: "base64" };
}

function answerOf(subject, { data, encoding = "json", headers = [] }) {
  return Object.assign(new Message(subject, JSON.stringify(data), encoding), { headers });
}

function foundOf({ subjects, stored, seen, more, complete, reason = "" }) {
  return { subjects, stored, seen, more, complete, reason };
}

function moment() {
  return { time: Date.now(), elapsed: elapsed() };
}

// The clock may have been set meanwhile, and the other one stands still while a computer sleeps.
function span(since) {
  const to = Date.now();
  return { from: Math.round(Math.min(since.time, to - (elapsed() - since.elapsed))), to };
}

// A part of a frame would keep all of it in memory.
function copied(text) {
  return globalThis.structuredClone?.(text) ?? JSON.parse(JSON.stringify(text));
}

function deferred() {
  let settle;
  const promise = new Promise((resolve, reject) => { settle = { resolve, reject }; });
  return { promise, ...settle };
}

function failure(code, message) {
  return Object.assign(new Error(message), { code });
}

// What one listener throws is seen as uncaught, and no other goes without.
function call(listener, message) {
  try {
    listener(message);
  } catch (error) {
    queueMicrotask(() => { throw error; });
  }
}

/** What is needed of EventTarget where there is none. */
function listeners() {
  return class {
    #byType = new Map();

    addEventListener(type, listener) {
      this.#byType.set(type, (this.#byType.get(type) ?? new Set()).add(listener));
    }

    removeEventListener(type, listener) {
      this.#byType.get(type)?.delete(listener);
    }

    dispatchEvent(event) {
      for (const listener of [...(this.#byType.get(event.type) ?? [])]) call(listener, event);
    }
  };
}
