import { fromTemplate, part, setAttribute, setText } from "./dom.js";
import { count } from "../model/format.js";
import { Pins } from "../model/pins.js";
import { withSigns } from "../model/signs.js";
import { momentExact } from "../model/time.js";

const FULL = "Eight messages are pinned already.";

/** Pinned messages in a strip above the list: a press opens one, its x lets it go. */
export class PinStrip {
  #list = document.getElementById("pins");
  #button = document.querySelector(".detail-pin");
  #on;

  /** `on`: { open(entry), opened() the message that is open or null, say(sentence), leave() gives the focus to something else }. */
  constructor(on) {
    this.#on = on;
    this.pins = new Pins(() => this.show());
    this.#button.addEventListener("click", () => this.toggle(on.opened()));
  }

  /** Pins a message, or lets it go; false if it is none. */
  toggle(entry) {
    if (entry?.kind !== "message") return false;
    const fits = this.pins.toggle(entry);
    this.#on.say(fits ? (this.pins.has(entry) ? "Pinned" : "Not pinned any more") : FULL);
    return true;
  }

  show() {
    const { all } = this.pins;
    this.#list.hidden = !all.length;
    this.#list.replaceChildren(...all.map((entry) => this.#item(entry)));
    this.mark();
  }

  /** Says on the button whether the message that is open is pinned. */
  mark() {
    setAttribute(this.#button, "aria-pressed", this.pins.has(this.#on.opened()));
  }

  #item(entry) {
    const element = fromTemplate("pin-template");
    const name = `${withSigns(entry.subject)} #${count(entry.seq + 1)}`;
    if (entry.hue !== null) element.classList.add(`hue-${entry.hue}`);
    setText(part(element, "pin-name"), name);
    setText(part(element, "pin-time"), momentExact(entry.time));
    part(element, "pin-open").addEventListener("click", () => this.#on.open(entry));
    const close = part(element, "pin-close");
    close.setAttribute("aria-label", `Unpin ${name}`);
    close.addEventListener("click", () => this.#letGo(entry));
    return element;
  }

  // Who works by keyboard goes on with the next one.
  #letGo(entry) {
    const place = this.pins.all.indexOf(entry);
    this.toggle(entry);
    const next = this.#list.children[Math.min(place, this.#list.children.length - 1)];
    if (next) part(next, "pin-close").focus();
    else this.#on.leave();
  }
}
