import { setText, wide } from "./dom.js";
import { FilterHelp } from "./filter-help.js";
import { parseFilter } from "../model/filter.js";
import { count } from "../model/format.js";

const WAITS = "The link brought a regex. Press Enter to search with it: a bad one can hold up this page.";

/**
 * The filter field and what it comes to. What is typed holds at once; what cannot hold is explained, and
 * the filter before it, `text`, stays in force.
 */
export class FilterBar {
  #form = document.getElementById("filter-bar");
  #input = document.getElementById("filter");
  #clear = document.getElementById("filter-clear");
  #error = document.getElementById("filter-error");
  #shown = document.getElementById("shown");
  #searching = document.getElementById("searching");
  #system = document.getElementById("system");
  #hidesSystem = document.getElementById("hide-system");
  #hidden = document.getElementById("hidden");
  #none = document.getElementById("none");
  #announcer;
  #on;
  #fromLink = false; // a regex that nobody here has asked for yet
  #toTell = false;

  /** `on`: { changed(filter) holds from now on, hideSystem(hides), leave() back to the list } */
  constructor(announcer, on) {
    this.#announcer = announcer;
    this.#on = on;
    this.text = "";
    if (!wide.matches) this.#input.placeholder = "Filter: error -debug"; // there its label is not in sight
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#fromLink = false;
      this.#take();
    });
    this.#input.addEventListener("input", () => this.#take());
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#clear.addEventListener("click", () => this.#empty());
    new FilterHelp(this.#input, (term) => {
      this.set(`${this.#input.value} ${term}`.trim());
      this.#input.focus();
    });
    this.#hidesSystem.addEventListener("change", () => on.hideSystem(this.#hidesSystem.checked));
  }

  /** The filter that holds, or waits to be asked for. */
  get wanted() {
    return this.#form.dataset.filter === "waiting" ? this.#input.value.trim() : this.text;
  }

  /** Puts a filter into the field, as if it had been typed. */
  set(text) {
    this.#fromLink = false;
    this.#input.value = text;
    this.#take();
  }

  /** Puts the filter of a link into the field. A regex waits for the reader: it could hang the page. */
  offer(text) {
    this.#input.value = text;
    this.#fromLink = true;
    this.#take();
  }

  focus() {
    this.#input.focus();
    this.#input.select();
  }

  /** Shows what the filter lets through: `shown` is what the list shows, `subjects` their numbers where they are. */
  show({ filtered, searching, count: messages, total: all, system, hidesSystem }, subjects = null) {
    const { count: passed, total } = subjects ?? { count: messages, total: all };
    const numbers = `${count(passed)} of ${count(total)}`;
    setText(this.#shown, filtered ? `${numbers}${subjects ? " subjects" : ""}` : "");
    this.#searching.hidden = !searching;
    this.#shown.parentElement.hidden = !filtered;
    this.#system.hidden = !system && !hidesSystem;
    this.#hidesSystem.checked = hidesSystem;
    setText(this.#hidden, hidesSystem ? `${count(system)} hidden` : "");
    this.#none.hidden = !filtered || searching || !total || passed > 0;
    setText(this.#none, subjects ? "No subject has a message that matches." : "No message passes the filter.");
    if (searching || !this.#toTell) return;
    this.#toTell = false;
    this.#announcer.say(`${numbers} ${subjects ? "subjects" : "messages"} shown`);
  }

  #take() {
    const text = this.#input.value.trim();
    const filter = parseFilter(text);
    this.#clear.hidden = !this.#input.value;
    if (filter.error) return this.#explain(filter.error);
    this.#fromLink &&= filter.hasRegex;
    if (this.#fromLink) return this.#explain(WAITS, "waiting");
    this.#explain("", filter.empty ? "empty" : "set");
    if (text === this.text) return;
    this.text = text;
    this.#toTell = true;
    this.#on.changed(filter);
  }

  #explain(sentence, state = "invalid") {
    const invalid = state === "invalid";
    this.#form.dataset.filter = state;
    setText(this.#error, sentence);
    this.#error.hidden = !sentence;
    this.#error.classList.toggle("error", invalid);
    if (invalid) this.#input.setAttribute("aria-invalid", "true");
    else this.#input.removeAttribute("aria-invalid");
    if (sentence) this.#announcer.say(sentence);
  }

  #key(event) {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    if (this.#input.value) this.#empty();
    else this.#on.leave();
  }

  #empty() {
    this.set("");
    this.#input.focus();
  }
}
