import { setText } from "./dom.js";
import { clock } from "../model/time.js";
import { tokenEnd } from "../model/token-end.js";

const TOLD_BEFORE = 600_000; // ms before the end of a token

/**
 * Asks the reader for a token. It is handed on and not kept: not in the field, the address or a storage. When
 * it ends is, so that the reader can renew it before.
 */
export class SignIn {
  #form = document.getElementById("sign-in");
  #input = document.getElementById("token");
  #change = document.getElementById("change-token");
  #ends = document.getElementById("token-ends");
  #leave;
  #end = Infinity;
  #asked = false; // the reader wants to give another one

  /** `take(token)` gets it; `leave()` gives the focus to something else when the field goes. */
  constructor(take, leave) {
    this.#leave = leave;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      const token = this.#input.value.trim();
      this.#input.value = "";
      if (!token) return;
      this.#end = tokenEnd(token);
      this.#asked = false;
      this.#change.hidden = false;
      take(token);
    });
    this.#form.addEventListener("keydown", ({ key }) => key === "Escape" && this.#asked && this.#giveUp());
    this.#change.addEventListener("click", () => this.#ask());
    document.getElementById("token-renew").addEventListener("click", () => this.#ask());
  }

  /** Shows the field where the gateway wants a token, or the reader to give one. */
  show(wanted) {
    this.#tellEnd(wanted);
    const isShown = wanted || this.#asked;
    if (this.#form.hidden !== isShown) return;
    const hadFocus = this.#form.contains(document.activeElement);
    const isBusy = document.activeElement?.value; // somebody types there: what follows is no token
    this.#form.hidden = !isShown;
    if (isShown && (this.#asked || !isBusy)) this.#input.focus({ preventScroll: true });
    else this.#input.value = "";
    if (hadFocus) this.#leave();
  }

  #ask() {
    this.#asked = true;
    this.show(false);
    this.#input.focus({ preventScroll: true });
  }

  #giveUp() {
    this.#asked = false;
    this.show(false);
  }

  #tellEnd(wanted) {
    const left = this.#end - Date.now();
    this.#ends.hidden = wanted || this.#asked || left > TOLD_BEFORE || left < 0;
    if (!this.#ends.hidden) setText(document.getElementById("token-end"), `Your token ends at ${clock(this.#end)}.`);
  }
}
