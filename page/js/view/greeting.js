import { setText } from "./dom.js";

const EVERYTHING = "everything this page may follow";

/** The page before anything is followed: examples to begin with, of which each can be followed. */
export class Greeting {
  #examples;
  #shown = "";

  /** `follow(patterns)` is called when the reader presses one. */
  constructor(element, follow) {
    this.#examples = [...element.querySelectorAll("[data-subject]")];
    for (const example of this.#examples) {
      example.addEventListener("click", () => follow(example.dataset.subject.split(" ")));
    }
  }

  /** Offers what `rights` allow; the last example is all that they do. */
  show(rights) {
    const all = rights.allow.join(" ");
    if (all === this.#shown) return;
    this.#shown = all;
    const everything = this.#examples.at(-1);
    everything.dataset.subject = all;
    setText(everything, rights.allow.length > 3 ? `${rights.allow.slice(0, 3).join(" ")} …` : all);
    setText(everything.nextElementSibling, rights.allow.length ? EVERYTHING : "nothing may be followed here");
    for (const example of this.#examples) {
      example.parentElement.hidden = example !== everything && !rights.mayFollow(example.dataset.subject);
    }
    everything.hidden = !all;
  }
}
