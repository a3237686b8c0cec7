import { fromTemplate, low, part, setAttribute, setText, wide } from "./dom.js";
import { headerItems, replyItems } from "./value-menu.js";
import { age } from "../model/duration.js";
import { count } from "../model/format.js";
import { heardAt } from "../model/gateway-clock.js";
import { mark, sizeText } from "../model/payload.js";
import { withSigns } from "../model/signs.js";
import { placeText } from "../model/stored.js";
import { clockExact, date } from "../model/time.js";

const MOST = 100; // headers
const MOST_CHARS = 1_000; // of a value

/** What is known of a message beside its payload: the facts, where an answer goes, its headers. */
export class About {
  #facts;
  #stored;
  #reply;
  #headers;
  #list;
  #message = null;

  /** `ask(element, { label, items })` offers what can be done with a header; `on`: { act(name, value), copy(text), mayPublish() }. */
  constructor(dialog, ask, on) {
    this.#facts = part(dialog, "detail-facts");
    this.#stored = part(dialog, "detail-stored");
    this.#reply = part(dialog, "detail-reply");
    this.#headers = part(dialog, "detail-headers");
    this.#list = part(dialog, "detail-header-list");
    this.#headers.open = wide.matches && !low.matches; // and then as the reader leaves it
    part(this.#reply, "reply").addEventListener("click", ({ currentTarget }) => {
      ask(currentTarget, replyItems(this.#message, on));
    });
    this.#list.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      const place = [...this.#list.children].indexOf(button?.parentElement);
      if (place !== -1) ask(button, headerItems(this.#message.headers[place], on));
    });
  }

  show(message) {
    this.#message = message;
    const { reply = "", headers = [] } = message;
    this.#stored.hidden = !message.stored;
    setText(this.#stored, withSigns(placeText(message)));
    this.#reply.hidden = !reply;
    setText(part(this.#reply, "reply"), withSigns(reply));
    this.#headers.hidden = !headers.length;
    setText(part(this.#headers, "detail-header-count"), `(${count(headers.length)})`);
    this.#showHeaders(headers.slice(0, MOST));
    const rest = part(this.#headers, "detail-header-rest");
    rest.hidden = headers.length <= MOST;
    setText(rest, `${count(headers.length - MOST)} more are in an export`);
    this.tick();
  }

  /** What changes with time. */
  tick() {
    const message = this.#message;
    const since = age(Date.now() - heardAt(message));
    const facts = [
      `${date(message.time)}, ${clockExact(message.time)}`,
      since === "now" ? since : `${since} ago`,
      sizeText(message),
      message.encoding === "json" ? "JSON" : mark(message) || "text",
      `#${count(message.seq + 1)}`,
    ];
    setText(this.#facts, facts.join(" · "));
    setAttribute(this.#facts, "title", new Date(message.time).toISOString());
  }

  // What has the focus stays, as long as there is a header in its place.
  #showHeaders(headers) {
    const { children } = this.#list;
    while (children.length > headers.length) this.#list.lastElementChild.remove();
    while (children.length < headers.length) this.#list.append(fromTemplate("header-template"));
    headers.forEach(([name, value, encoding], place) => {
      const line = children[place];
      const shown = value.length > MOST_CHARS ? `${value.slice(0, MOST_CHARS)}…` : value;
      setText(part(line, "header-name"), `${withSigns(name)}:`);
      setText(part(line, "header-value"), withSigns(shown));
      setText(part(line, "header-encoding"), encoding ?? "");
    });
  }
}
