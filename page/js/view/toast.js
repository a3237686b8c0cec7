import { part, setText } from "./dom.js";

const LASTS = 8_000; // ms; longer while the reader is at it

/** One sentence about what was just done, with a way to take it back. */
export class Toast {
  #element;
  #announcer;
  #leave;
  #undo = null;
  #timer = 0;

  /** `leave()` gives the focus to something else when the button that had it goes. */
  constructor(element, announcer, leave) {
    this.#leave = leave;
    this.#element = element;
    this.#announcer = announcer;
    part(element, "toast-undo").addEventListener("click", () => this.#takeBack());
    part(element, "toast-close").addEventListener("click", () => {
      this.hide();
      this.#leave();
    });
    for (const name of ["pointerenter", "focusin"]) element.addEventListener(name, () => clearTimeout(this.#timer));
    for (const name of ["pointerleave", "focusout"]) element.addEventListener(name, () => this.#wait());
  }

  /** Says it for some seconds; `undo()` takes back what was done, or does what `label` says. */
  show(sentence, undo = null, label = "Undo") {
    this.#undo = undo;
    setText(part(this.#element, "toast-undo"), label);
    setText(part(this.#element, "toast-text"), sentence);
    part(this.#element, "toast-undo").hidden = !undo;
    this.#element.hidden = false;
    this.#announcer.say(undo ? `${sentence} ${label} is at the end of the page.` : sentence);
    this.#wait();
  }

  hide() {
    clearTimeout(this.#timer);
    this.#element.hidden = true;
    this.#undo = null;
  }

  #wait() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.hide(), LASTS);
  }

  #takeBack() {
    const undo = this.#undo;
    this.hide();
    undo?.();
    this.#leave();
  }
}
