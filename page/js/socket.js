import { delay } from "./backoff.js";
import { closeReason, mayReturn } from "./protocol.js";

const PATIENCE = 10_000; // a network that swallows everything must not hold a try for minutes
const STEADY = 10_000; // only a connection that lasted starts the back-off afresh
const SILENT = "the gateway does not answer";

/** Where the gateway's WebSocket is, seen from a page at `base`: any host, TLS or not, any sub-path. */
export function streamUrl(base) {
  const url = new URL("stream?batch=1", base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/**
 * A WebSocket that comes back: its `state` is connecting, open, waiting (for the next try) or stopped.
 * It returns for ever, also after a clean close, unless the gateway said that it must not.
 */
export class Socket {
  #url;
  #on;
  #webSocket = null;
  #timer = 0;
  #openedAt = null;

  /** `on`: { open(), text(frame), close(), change() } */
  constructor(url, on) {
    this.#url = url;
    this.#on = on;
    this.state = "connecting";
    this.reason = "";
    this.tries = 0;
    this.retryAt = 0;
  }

  /** Connects, and from then on tries at once whenever the network or the reader comes back. */
  start() {
    addEventListener("online", () => this.#wake());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#wake();
    });
    this.#connect();
  }

  /** Ends the waiting; does nothing while a connection stands or is being made. */
  retryNow() {
    if (this.state === "waiting" || this.state === "stopped") this.#connect();
  }

  send(text) {
    this.#webSocket?.send(text);
  }

  #wake() {
    if (this.state === "waiting") this.#connect();
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#openedAt = null;
    const webSocket = new WebSocket(this.#url);
    this.#webSocket = webSocket;
    this.#timer = setTimeout(() => webSocket.close(), PATIENCE);
    webSocket.addEventListener("open", () => this.#opened());
    webSocket.addEventListener("message", ({ data }) => this.#on.text(data));
    webSocket.addEventListener("close", ({ code, reason }) => this.#closed(code, reason));
    this.#become("connecting");
  }

  #opened() {
    clearTimeout(this.#timer);
    this.#openedAt = Date.now();
    this.#become("open");
    this.#on.open();
  }

  #closed(code, reason) {
    clearTimeout(this.#timer);
    this.#webSocket = null;
    const lasted = Date.now() - this.#openedAt;
    this.reason = this.#openedAt === null ? SILENT : closeReason(code, reason);
    if (this.#openedAt !== null && lasted >= STEADY) this.tries = 0;
    this.#on.close();
    if (!mayReturn(code)) {
      this.tries = 0;
      this.#become("stopped");
      return;
    }
    const wait = delay(this.tries);
    this.tries += 1;
    this.retryAt = Date.now() + wait;
    this.#timer = setTimeout(() => this.#connect(), wait);
    this.#become("waiting");
  }

  #become(state) {
    this.state = state;
    this.#on.change();
  }
}
