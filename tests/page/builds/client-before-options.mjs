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
  4503: "The gateway does not allow this connection.",
};

const MESSAGE = '{"subject":';
const DATA = ',"data":';
const TAILS = { json: "}", text: ',"encoding":"text"}', base64: ',"encoding":"base64"}' };
const BACKSLASH = 92;

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
 * token, `natsDown` whether the gateway has lost NATS. Events, with their `detail`:
 * - `state`: any of these has changed.
 * - `messages` [Message, …]: they came together; sent before their listeners are called.
 * - `gap` { from, to, causes }: what came in between was missed. Causes: "disconnected", "nats_down".
 * - `dropped` { count }: this page was too slow for so many messages.
 * - `subscription` { pattern, state, code, message }: it is "active", or "refused" and forgotten. Either may come
 *   again later: after a reconnect, with a new token, when a right is taken away.
 * - `error` Error: trouble that belongs to no pattern.
 */
export class Client extends Target {
  #link;
  #patterns = new Map(); // pattern → subscription
  #bySubject = new Map(); // subject → its listeners, so that it is matched once
  #followed = new Set(); // patterns this connection has been asked to follow
  #leaving = new Map(); // patterns it has been asked to leave → id of the request, until that is answered
  #lastId = 0;
  #timer = 0; // of the next round of requests
  #missed = null; // { since, causes } while messages are missed
  #outage = false; // between nats_down and nats_up

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
    this.#link = new Link(streamUrl(url), token, WebSocket, {
      opened: () => this.#opened(),
      lost: (since) => this.#lost(since),
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
   * @param {string} pattern
   * @param {(message: Message) => void} [listener]
   * @returns {Promise<void>}
   */
  subscribe(pattern, listener) {
    if (typeof pattern !== "string") throw new TypeError("A pattern is a string.");
    if (this.#link.over) return Promise.reject(failure("closed", "The client is closed."));
    const subscription = this.#patterns.get(pattern) ?? newSubscription(pattern);
    this.#patterns.set(pattern, subscription);
    if (listener) subscription.listeners.add(listener);
    else subscription.held = true;
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
    if (listener && (subscription.listeners.size || subscription.held)) return;
    this.#giveUp(subscription, "unsubscribed");
  }

  /** Uses `token` from now on: on the connection there is, or on the next one, which is tried at once. */
  useToken(token) { this.#link.useToken(token); }

  /** Ends the waiting or the stop; does nothing while a connection stands or is being made. */
  retryNow() { this.#link.retryNow(); }

  /** Ends everything for good. Twice is harmless. */
  close() {
    for (const subscription of this.#patterns.values()) this.#giveUp(subscription, "closed");
    this.#link.close();
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

  #lost(since) {
    this.#forgetOutage();
    this.#miss("disconnected", since);
    this.#followed.clear();
    this.#leaving.clear();
    for (const subscription of this.#patterns.values()) subscription.asked = null;
  }

  // Of one that goes on, the next connection is told.
  #forgetOutage() {
    this.natsDown = false;
    this.#outage = false;
  }

  // Whoever follows nothing misses nothing.
  #miss(cause, since = moment()) {
    if (!this.#patterns.size) return;
    this.#missed ??= { since, causes: [] };
    if (!this.#missed.causes.includes(cause)) this.#missed.causes.push(cause);
  }

  // What is postponed is still missed, whatever comes of other patterns.
  #closeGap() {
    if (!this.#missed || this.#outage || [...this.#patterns.values()].some(({ asked }) => asked === POSTPONED)) return;
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
    const isGone = (pattern) => !this.#patterns.has(pattern) && !this.#leaving.has(pattern);
    const gone = [...this.#followed].filter(isGone);
    const fresh = [...this.#patterns.values()].filter(({ asked }) => asked === null).map(({ pattern }) => pattern);
    this.#request("unsubscribe", gone, (pattern, id) => this.#leaving.set(pattern, id));
    this.#request("subscribe", fresh, (pattern, id) => {
      this.#leaving.delete(pattern);
      this.#followed.add(pattern);
      this.#patterns.get(pattern).asked = id;
    });
    if (gone.length || fresh.length) this.#sendSoon(PACE);
  }

  #request(action, patterns, note) {
    for (let at = 0; at < patterns.length; at += MOST_SUBJECTS) {
      const subjects = patterns.slice(at, at + MOST_SUBJECTS);
      this.#lastId += 1;
      this.#link.send({ subjects, action, id: this.#lastId });
      for (const pattern of subjects) note(pattern, this.#lastId);
    }
  }

  // Messages are handed over together, but none before what was told before it, nor after what came after it.
  #receive(frame) {
    let messages = [];
    for (const line of String(frame).split("\n").filter(Boolean)) {
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
  }

  #deliver(messages) {
    if (!messages.length || this.#link.over) return;
    this.#tell("messages", messages);
    if (![...this.#patterns.values()].some(({ listeners }) => listeners.size)) return;
    for (const message of messages) {
      const { subject } = message;
      for (const listener of this.#bySubject.get(subject) ?? this.#match(subject)) call(listener, message);
    }
  }

  #match(subject) {
    if (this.#bySubject.size >= MOST_REMEMBERED) this.#bySubject.clear();
    const listeners = new Set();
    for (const subscription of this.#patterns.values()) {
      if (!subscription.listeners.size || !subscription.matches(subject)) continue;
      for (const listener of subscription.listeners) listeners.add(listener);
    }
    this.#bySubject.set(copied(subject), listeners);

    return listeners;
  }

  #take(told) {
    if (told?.id === A_WORD) return;
    if (told?.dropped) this.#tell("dropped", { count: told.dropped });
    else if (told?.status) this.#takeStatus(told);
    else if (told?.connection_id || (told?.success && told.action === "token")) this.#link.accepted();
    else if (told?.success === false) this.#refused(told);
    else if (told?.action === "subscribe") this.#accepted(told);
    else if (told?.action === "unsubscribe") this.#left(told);
    else if (!told?.success) this.#tell("error", failure("unreadable", UNREADABLE));
  }

  #takeStatus({ status, gap, reason = "" }) {
    if (status === "token_required") this.#link.askForToken(reason);
    else if (status === "nats_down") {
      this.#outage = true;
      this.#setNatsDown(true);
    } else if (status === "nats_up") {
      this.#outage = false;
      if (!gap && this.#missed) this.#missed.causes = this.#missed.causes.filter((cause) => cause !== "nats_down");
      this.#setNatsDown(false);
    }
  }

  #accepted({ subjects, id }) {
    // Only a NATS server that is there accepts; but it may be gone since, and that is told at once.
    if (!this.#outage) this.#setNatsDown(false);
    for (const pattern of subjects) {
      const subscription = this.#patterns.get(pattern);
      if (!subscription || subscription.asked !== (id ?? POSTPONED)) continue;
      subscription.asked = ACCEPTED;
      subscription.resolve();
      this.#tell("subscription", { pattern, state: "active", code: "", message: "" });
    }
    this.#closeGap();
  }

  #left({ subjects, id }) {
    for (const pattern of subjects) {
      if (this.#leaving.get(pattern) !== id) continue;
      this.#leaving.delete(pattern);
      this.#followed.delete(pattern);
    }
  }

  // An answer to an older request says nothing of now; one without an id takes back what was accepted, if only once.
  #refused({ subjects, code, message = "The gateway refused without a reason.", id }) {
    if (code === "rate_limited" && this.#askLater(id)) return;
    if (code === "rate_limited" && id === undefined && this.#link.exchangeLater()) return;
    this.#left({ subjects: subjects ?? [], id });
    const all = [...this.#patterns.values()];
    const meant = [id ?? ACCEPTED, id ?? POSTPONED];
    const concerned = subjects?.length
      ? all.filter(({ pattern, asked }) => subjects.includes(pattern) && meant.includes(asked))
      : all.filter(({ asked }) => asked === id);
    if (!subjects?.length && !concerned.length) this.#tell("error", failure(code, message));
    for (const subscription of concerned) this.#refuse(subscription, code, message);
  }

  // Too many requests at a time is no answer to what they asked for. False if nothing was asked for by `id`.
  #askLater(id) {
    const joining = [...this.#patterns.values()].filter(({ asked }) => asked === id);
    const leaving = [...this.#leaving].filter(([, request]) => request === id);
    for (const subscription of joining) subscription.asked = null;
    for (const [pattern] of leaving) this.#leaving.delete(pattern);
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#sendSoon(REST);
    return joining.length + leaving.length > 0;
  }

  #refuse(subscription, code, message) {
    // The gateway takes the request up when NATS is back, and then answers again.
    if (code === "nats_down") {
      if (subscription.asked === ACCEPTED) subscription.asked = POSTPONED;
      return this.#setNatsDown(true);
    }
    const { pattern } = subscription;
    this.#followed.delete(pattern);
    this.#drop(subscription, failure(code, message));
    this.#tell("subscription", { pattern, state: "refused", code, message });
  }

  #giveUp(subscription, code) {
    subscription.promise.catch(() => {}); // who gives up need not be told
    this.#drop(subscription, failure(code, `${subscription.pattern} was given up before it was accepted.`));
    this.#sendSoon();
  }

  #drop({ pattern, asked, reject }, error) {
    this.#patterns.delete(pattern);
    this.#bySubject.clear();
    reject(error);
    if (asked === POSTPONED && !this.natsDown) this.#closeGap();
  }
}

/** A message. `raw` is its payload as it came: JSON text, which for `encoding` "text" and "base64" is a string. */
export class Message {
  #data;

  constructor(subject, raw, encoding = "json") {
    this.subject = subject;
    this.raw = raw;
    this.encoding = encoding;
  }

  /** The payload: a JSON value, a string if it is other text, else a Uint8Array. Parsed when first asked for. */
  get data() {
    if (this.#data !== undefined) return this.#data;
    const value = JSON.parse(this.raw);
    this.#data = this.encoding === "base64" ? Uint8Array.from(atob(value), (byte) => byte.charCodeAt(0)) : value;
    return this.#data;
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
    this.#exchanged = true;
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
  }

  #opened() {
    clearTimeout(this.#timer);
    this.#heard = moment();
    this.#openedAt = elapsed();
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
    this.#ended(this.#openedAt === null ? SILENT : closeReason(code, reason), !mayReturn);
  }

  #refuse(reason) {
    this.#refusal = { refused: this.#token !== "", reason };
    this.#refusals += 1;
    this.#keep("");
  }

  // What was missed begins with the last word: when it was noticed says little, above all in a frozen page.
  #ended(reason, forGood = false) {
    clearTimeout(this.#timer);
    clearTimeout(this.#renewal);
    const [webSocket, openedAt] = [this.#webSocket, this.#openedAt];
    this.#attempt = this.#webSocket = this.#openedAt = null;
    webSocket?.close();
    if (openedAt !== null) this.#on.lost(this.#heard);
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
  return `${place}?${[...others, "batch=1"].join("&")}`; // many lines a frame: one event for many messages
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
    const { subject, data, encoding } = told;
    // A callback of the gateway's owner may write messages in another way.
    const isMessage = typeof subject === "string" && data !== undefined;
    return isMessage ? new Message(subject, JSON.stringify(data), encoding) : told;
  } catch {
    return undefined;
  }
}

// Cut out, not parsed: the payload stays the text it was, and thousands a second cost little.
function cut(line) {
  const end = stringEnd(line, MESSAGE.length);
  if (end === -1 || !line.startsWith(DATA, end)) return undefined;
  const quoted = line.slice(MESSAGE.length, end);
  const subject = quoted.includes("\\") ? JSON.parse(quoted) : quoted.slice(1, -1);
  const encoding = line.endsWith(TAILS.text) ? "text" : line.endsWith(TAILS.base64) ? "base64" : "json";
  return new Message(subject, line.slice(end + DATA.length, -TAILS[encoding].length), encoding);
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

function newSubscription(pattern) {
  // `asked`: null, the id of the request for it on this connection, ACCEPTED or POSTPONED. `held`: also without a listener.
  return { pattern, matches: matcher(pattern), listeners: new Set(), held: false, asked: null, ...deferred() };
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
