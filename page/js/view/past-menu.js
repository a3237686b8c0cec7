import { Menu } from "./menu.js";
import { AUTO, pastWords } from "../model/past.js";

const CHOICES = [{ last: 100 }, { since: "5m" }, "all", "last_per_subject"];

/** The menu of what came before, for a pattern that comes from a stream. */
export class PastMenu {
  #menu;
  #ask;

  /** `ask(pattern, history)` is called when the reader has chosen. */
  constructor(element, ask) {
    this.#menu = new Menu(element);
    this.#ask = ask;
  }

  /** Opens beside `anchor`. */
  show(anchor, { pattern, stream, history }) {
    const choices = history === AUTO ? CHOICES : [...CHOICES, AUTO];
    const items = choices.map((each) => [sentence(pastWords(each)), () => this.#ask(pattern, each)]);
    this.#menu.show(anchor, `${pattern} in ${stream}`, items);
  }
}

function sentence(words) {
  return words[0].toUpperCase() + words.slice(1);
}
