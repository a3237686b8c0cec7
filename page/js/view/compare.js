import { part } from "./dom.js";
import { count } from "../model/format.js";
import { withSigns } from "../model/signs.js";

const LONGEST = 40; // characters of a subject

/** With which message the one that is open is compared: the one before of its subject, the one opened before, or a pinned one. */
export class Compare {
  #select;
  #sources;
  #wanted = "before";
  #found = new Map(); // value → entry
  #opened = null; // the message that is open
  #last = null; // the one that was open before

  /** `sources`: { older(message), pinned() }; `changed()` is called when the reader has chosen. */
  constructor(dialog, sources, changed) {
    this.#select = part(dialog, "compare-with");
    this.#sources = sources;
    this.#select.addEventListener("change", () => {
      this.#wanted = this.#select.value;
      changed();
    });
  }

  /** The message with which `message` is compared; undefined if there is none. */
  with(message) {
    this.#find(message);
    return this.#found.get(this.chosen);
  }

  get chosen() {
    return this.#found.has(this.#wanted) ? this.#wanted : this.#found.keys().next().value;
  }

  /** From now on with the one that was open before; false if there was none. */
  withLast() {
    if (!this.#last) return false;
    this.#wanted = "last";
    return true;
  }

  /** Shows what there is to choose from, if there is a choice to make. */
  show(isWanted) {
    this.#select.hidden = !isWanted || this.#found.size < 2;
    const options = Array.from(this.#found, ([value, entry]) => option(value, this.#name(value, entry)));
    this.#select.replaceChildren(...options);
    this.#select.value = this.chosen ?? "";
  }

  #find(message) {
    if (message !== this.#opened) {
      this.#last = this.#opened;
      this.#opened = message;
    }
    const pinned = this.#sources.pinned().map((entry) => [`pin-${entry.seq}`, entry]);
    const all = [["before", this.#sources.older(message)], ["last", this.#last], ...pinned];
    this.#found = new Map(all.filter(([, entry]) => entry && entry !== message));
  }

  #name(value, entry) {
    if (value === "before") return "with the one before";
    return `with the ${value === "last" ? "one opened before" : "pinned"}: ${nameOf(entry)}`;
  }
}

/** A message in few words: "orders.created #12". */
export function nameOf({ subject, seq }) {
  const name = subject.length > LONGEST ? `${subject.slice(0, LONGEST)}…` : subject;
  return `${withSigns(name)} #${count(seq + 1)}`;
}

function option(value, text) {
  const element = document.createElement("option");
  element.value = value;
  element.textContent = text;
  return element;
}
