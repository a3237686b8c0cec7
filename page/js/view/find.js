import { part, setText } from "./dom.js";
import { count } from "../model/format.js";

const SYNTAX = /[\\^$.*+?()[\]{}|/]/g;

/** Searches the payload that is open: a field above it, with how often its text is there, and which of these one is at. */
export class Find {
  #dialog;
  #button;
  #bar;
  #input;
  #marks;
  #unfold;

  /** `marks` marks what is sought; `unfold()` lets all of the payload be seen. */
  constructor(dialog, marks, unfold) {
    this.#dialog = dialog;
    this.#button = part(dialog, "find-open");
    this.#bar = part(dialog, "find");
    this.#input = part(dialog, "find-text");
    this.#marks = marks;
    this.#unfold = unfold;
    this.#button.hidden = !marks.work;
    if (!marks.work) return; // the browser's own search is better than none
    marks.counted = (place, all, more) => this.#tell(place, all, more);
    this.#button.addEventListener("click", () => this.#open());
    this.#input.addEventListener("input", () => this.#seek());
    this.#bar.addEventListener("submit", (event) => this.#go(event, 1));
    part(dialog, "find-before").addEventListener("click", (event) => this.#go(event, -1));
    part(dialog, "find-close").addEventListener("click", () => this.#close());
    this.#bar.addEventListener("keydown", (event) => this.#key(event));
    dialog.addEventListener("keydown", (event) => this.#ask(event));
    dialog.addEventListener("close", () => this.#end());
  }

  #open() {
    this.#bar.hidden = false;
    this.#input.focus();
    this.#input.select();
    this.#seek();
  }

  #seek() {
    const text = this.#input.value;
    if (text) this.#unfold();
    this.#marks.sought = text ? new RegExp(text.replace(SYNTAX, String.raw`\$&`), "giu") : null;
    if (!text) this.#tell(0, 0, false);
  }

  #go(event, by) {
    event.preventDefault();
    this.#marks.step(by);
  }

  // In a text of many places the first ones are enough.
  #tell(place, all, more) {
    const number = `${count(all)}${more ? " or more" : ""}`;
    const found = all ? (place ? `${count(place)} of ${number}` : number) : "none";
    setText(part(this.#bar, "find-count"), this.#input.value && found);
  }

  #key(event) {
    if (event.key === "Enter" && event.shiftKey) this.#go(event, -1);
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation(); // it closes nothing else
    this.#close();
  }

  #ask(event) {
    if (event.key.toLowerCase() !== "f" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    this.#open();
  }

  #close() {
    this.#end();
    part(this.#dialog, "detail-payload").focus({ preventScroll: true });
  }

  #end() {
    this.#bar.hidden = true;
    this.#marks.sought = null;
  }
}
