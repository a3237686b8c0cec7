import { mock } from "node:test";
import { Client } from "../../../page/js/client.js";

/** A WebSocket whose other end is the test. */
export class FakeWebSocket extends EventTarget {
  static made = [];

  constructor(url) {
    super();
    this.url = url;
    this.sent = [];
    FakeWebSocket.made.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.end(1006);
  }

  begin() {
    this.dispatchEvent(new Event("open"));
  }

  frame(text) {
    this.dispatchEvent(Object.assign(new Event("message"), { data: text }));
  }

  /** One frame with all these objects. */
  say(...objects) {
    this.frame(objects.map((object) => JSON.stringify(object)).join("\x1e"));
  }

  end(code, reason = "") {
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason }));
  }
}

/** The same at a gateway that is there: it answers pings, of which nothing is seen. */
export class LivelyWebSocket extends FakeWebSocket {
  send(text) {
    if (JSON.parse(text).action === "ping") this.say(pong);
    else super.send(text);
  }
}

const noAnswer = () => Promise.reject(new TypeError("fetch failed"));
const EVENTS = ["state", "messages", "gap", "dropped", "subscription", "progress", "error"];

/**
 * A client in a time that only the test moves, what it told as `[type, detail]`, and its WebSockets.
 * `answer(method, address, mode)` is what a plain request gets; without it nobody is there.
 */
export function started(t, { answer = noAnswer, ...options } = {}) {
  mock.timers.reset(); // a test may start several
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
  t.after(() => mock.timers.reset());
  const now = Date.now.bind(Date);
  let ahead = 0; // of that time is the clock that people set
  t.mock.method(performance, "now", now);
  t.mock.method(Date, "now", () => now() + ahead);
  t.mock.method(globalThis, "fetch", async (address, { method, mode }) => answer(method, address, mode));
  const made = (FakeWebSocket.made = []);
  const client = new Client({ url: "ws://host/stream", WebSocket: FakeWebSocket, ...options });
  t.after(() => client.close());
  const told = [];
  for (const type of EVENTS) client.addEventListener(type, ({ detail }) => told.push([type, detail]));
  const ofType = (type) => told.filter(([each]) => each === type).map(([, detail]) => detail);
  // A timer that is set while time passes counts from the end of the tick, so time passes in small ones.
  const pass = (seconds) => Array.from({ length: seconds * 10 }).forEach(() => mock.timers.tick(100));
  return { client, made, ofType, pass, told, setClock: (by) => (ahead += by), tick: (time) => mock.timers.tick(time), get socket() { return made.at(-1); } };
}

/** The same with a connection, and these patterns asked for. */
export function connected(t, ...patterns) {
  const it = started(t);
  it.socket.begin();
  it.answers = patterns.map((pattern) => it.client.subscribe(pattern));
  for (const answer of it.answers) answer.catch(() => {});
  it.tick(1);
  return it;
}

/** "pending", "resolved", or the error a promise was rejected with, once everything has had its turn. */
export function outcome(promise = new Promise(() => {})) {
  const now = new Promise((resolve) => setImmediate(() => resolve("pending")));
  return Promise.race([promise.then(() => "resolved", (error) => error), now]);
}

export const ack = (id, ...subjects) => ({ success: true, action: "subscribe", subjects, id });
export const refusal = (code, id, ...subjects) => ({ success: false, code, message: `no: ${code}`, subjects, id });
export const pong = { success: true, message: "pong", action: "pong", subjects: [], id: 0 };
