import { copyText } from "./clipboard.js";
import { Cover } from "./cover.js";
import { part, setText, wide } from "./dom.js";
import { clockExact } from "../model/format.js";
import { layOut } from "../model/json-view.js";
import { fullText, mark, sizeText } from "../model/payload.js";

const MOST_CHARS = 64 * 1024;
const DEEPEST = 40; // deeper levels are not moved further to the right
const COPIED_FOR = 1_500;

/** The whole payload of one message: beside the list, or as a dialog on a phone. */
export class Detail {
  #dialog;
  #message = null;
  #opener = null;
  #timer = 0;
  #cover = new Cover(() => this.close());

  constructor(dialog) {
    this.#dialog = dialog;
    part(dialog, "detail-close").addEventListener("click", () => this.close());
    part(dialog, "detail-copy").addEventListener("click", () => this.copy());
    dialog.addEventListener("close", () => this.#closed());
    dialog.addEventListener("keydown", ({ key }) => key === "Escape" && this.close());
    wide.addEventListener("change", () => dialog.open && this.#reopen());
  }

  /** Shows a message; `opener` gets the focus back when the detail is closed. */
  show(message, opener) {
    this.#message = message;
    this.#opener = opener;
    this.#fill(message);
    if (!this.#dialog.open) this.#open();
  }

  get open() {
    return this.#dialog.open;
  }

  close() {
    if (this.#dialog.open) this.#dialog.close();
  }

  // show() would take the focus away from the list, and with it the arrow keys.
  #open() {
    if (wide.matches) {
      this.#dialog.setAttribute("open", "");
      this.#cover.end();
    } else {
      this.#dialog.showModal();
      this.#cover.begin();
    }
  }

  #closed() {
    if (this.#dialog.open) return; // the window became wide or narrow meanwhile
    this.#cover.end();
    this.#opener?.focus();
  }

  #reopen() {
    this.#dialog.close();
    this.#open();
  }

  #fill(message) {
    const text = fullText(message);
    const facts = [clockExact(message.time), sizeText(message), kind(message)];
    setText(part(this.#dialog, "detail-subject"), message.subject);
    setText(part(this.#dialog, "detail-facts"), facts.join(" · "));
    const pre = part(this.#dialog, "detail-payload");
    const { nodes, complete } = message.encoding === "json" ? pretty(text) : plain(text);
    pre.replaceChildren(...nodes);
    pre.scrollTop = 0;
    part(this.#dialog, "detail-more").hidden = complete;
  }

  /** Copies the payload that is open; false if none is. */
  copy() {
    if (!this.open) return false;
    this.#copy();
    return true;
  }

  async #copy() {
    const copied = await copyText(fullText(this.#message), this.#dialog);
    const button = part(this.#dialog, "detail-copy");
    setText(button, copied ? "Copied" : "Could not copy");
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => setText(button, "Copy payload"), COPIED_FOR);
  }
}

function kind(message) {
  if (message.encoding === "json") return "JSON";
  return { binary: "binary, shown as base64", empty: "empty" }[mark(message)] ?? "text";
}

function plain(text) {
  return { nodes: [text.slice(0, MOST_CHARS)], complete: text.length <= MOST_CHARS };
}

function pretty(text) {
  const { lines, complete } = layOut(text.slice(0, MOST_CHARS));
  const nodes = lines.flatMap(({ depth, tokens }) => [
    "  ".repeat(Math.min(depth, DEEPEST)),
    ...tokens.map(tokenNode),
    "\n",
  ]);
  return { nodes, complete: complete && text.length <= MOST_CHARS };
}

function tokenNode({ kind: name, text }) {
  if (name === "mark") return text;
  const span = document.createElement("span");
  span.className = `json-${name}`;
  span.textContent = text;
  return span;
}
