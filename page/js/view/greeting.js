import { setText } from "./dom.js";

const EVERYTHING = "everything this page may follow";
const TESTED = "a test message each second";
const UNTESTED = "one subject; nothing comes on it here but what you publish";

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

  /** Offers what `rights` allow; the last example is all that they do. The first one is `testSubject`, if there is one. */
  show(rights, testSubject) {
    const all = rights.allow.join(" ");
    if (this.#shown === `${testSubject} ${all}`) return;
    this.#shown = `${testSubject} ${all}`;
    const [first] = this.#examples;
    setText(first.nextElementSibling, first.dataset.subject === testSubject ? TESTED : UNTESTED);
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
