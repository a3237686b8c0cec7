import { delay } from "./backoff.js";
import { closeReason, mayReturn, signIn, TOKEN_MISSING } from "./protocol.js";

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
  #token = ""; // nowhere but here: gone when the page is closed

  /** `on`: { open(), text(frame), close(), change() } */
  constructor(url, on) {
    this.#url = url;
    this.#on = on;
    this.state = "connecting";
    this.reason = "";
    this.tokenWanted = false;
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

  /** Connects with `token`, which stays in use for later connections. */
  useToken(token) {
    this.#token = token;
    this.retryNow();
  }

  /** The gateway asks for a token: stops until there is one, if none was sent. `reason`: what is wrong with a cookie. */
  askForToken(reason) {
    if (this.#token) return;
    const webSocket = this.#webSocket;
    this.#closed(TOKEN_MISSING, reason);
    webSocket?.close();
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
    const listen = (name, act) =>
      webSocket.addEventListener(name, (event) => webSocket === this.#webSocket && act(event));
    listen("open", () => this.#opened());
    listen("message", ({ data }) => this.#on.text(data));
    listen("close", ({ code, reason }) => this.#closed(code, reason));
    this.#become("connecting");
  }

  #opened() {
    clearTimeout(this.#timer);
    this.#openedAt = Date.now();
    if (this.#token) this.send(signIn(this.#token));
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
    this.tokenWanted = code === TOKEN_MISSING;
    if (!mayReturn(code)) {
      this.tries = 0;
      if (this.tokenWanted) this.#token = "";
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
