import { hovers, setText } from "./dom.js";
import { parseEntry } from "../model/entry.js";

const REMEMBERED = 20;

/** The field: reads what was typed, explains mistakes beside it, and remembers earlier entries. */
export class Field {
  #form = document.getElementById("entry");
  #input = document.getElementById("subjects");
  #error = document.getElementById("entry-error");
  #hint = document.getElementById("entry-hint");
  #enter;
  #announcer;
  #history = [];
  #place = 0;

  /** `enter(entry)` takes what was typed, and returns a sentence if it must be put right. */
  constructor(announcer, enter) {
    this.#announcer = announcer;
    this.#enter = enter;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#input.addEventListener("input", () => this.explain(""));
    this.#input.addEventListener("keydown", (event) => this.#recall(event));
    this.#input.addEventListener("paste", (event) => this.#paste(event));
    const isBusy = document.activeElement !== document.body; // somebody was faster than the scripts
    if (hovers.matches && !isBusy) this.#input.focus({ preventScroll: true });
  }

  /** Shows what is wrong beside the field; "" takes it away. */
  explain(sentence) {
    setText(this.#error, sentence);
    this.#error.hidden = !sentence;
    this.#hint.hidden = Boolean(sentence);
    if (sentence) this.#input.setAttribute("aria-invalid", "true");
    else this.#input.removeAttribute("aria-invalid");
    if (sentence) this.#announcer.say(sentence);
  }

  #submit() {
    const text = this.#input.value;
    const entry = parseEntry(text);
    if (entry.error) {
      this.explain(entry.error);
      this.#input.focus();
      this.#input.setSelectionRange(entry.start, entry.end);
      return;
    }
    const sentence = this.#enter(entry);
    this.#remember(text.trim());
    if (!sentence) this.#input.value = "";
    this.explain(sentence);
  }

  #remember(text) {
    this.#history = [...this.#history.filter((earlier) => earlier !== text), text].slice(-REMEMBERED);
    this.#place = this.#history.length;
  }

  #recall(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || event.isComposing) return;
    const place = this.#place + step;
    if (place < 0 || place > this.#history.length) return;
    event.preventDefault();
    this.#place = place;
    this.#input.value = this.#history[place] ?? "";
    this.explain("");
  }

  // A one-line field swallows line breaks: "a" and "b" below it would become "ab".
  #paste(event) {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!/[\r\n]/.test(text)) return;
    event.preventDefault();
    const { selectionStart, selectionEnd } = this.#input;
    this.#input.setRangeText(text.trim().replace(/\s+/g, " "), selectionStart, selectionEnd, "end");
    this.explain("");
  }
}
