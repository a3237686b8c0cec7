import { setText } from "./dom.js";

/** Shows the state of the page: a word with its glyph, a hint and, where there is one, a thing to do. */
export class Status {
  #word = document.getElementById("state-word");
  #hint = document.getElementById("state-hint");
  #action = document.getElementById("state-action");
  #announcer;
  #name = "";
  #why = "";

  constructor(announcer, act) {
    this.#announcer = announcer;
    this.#action.addEventListener("click", act);
  }

  show({ name, word, hint, action, why }) {
    document.body.dataset.state = name;
    setText(this.#word, word);
    setText(this.#hint, hint);
    setText(this.#action, action);
    this.#action.hidden = !action;
    // A countdown changes its words each second; only a new state is worth saying, or a new reason for it.
    if (name !== this.#name || (why && why !== this.#why)) this.#announcer.say(hint ? `${word}: ${hint}` : word);
    this.#name = name;
    this.#why = why || this.#why;
  }
}
