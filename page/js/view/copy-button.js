import { copyText } from "./clipboard.js";
import { setText } from "./dom.js";

const COPIED_FOR = 1_500;

/** The button that copies a payload, and says whether that worked, also of what others copy. */
export class CopyButton {
  #button;
  #dialog;
  #say;
  #isBinary = false;
  #copying = 0;

  /** `say(sentence)` speaks. */
  constructor(button, dialog, say) {
    this.#button = button;
    this.#dialog = dialog;
    this.#say = say;
  }

  /** Another message is there. A clipboard holds text, which bytes are not. */
  name({ encoding }) {
    this.#isBinary = encoding === "base64";
    clearTimeout(this.#copying);
    this.#name();
  }

  async copy(text) {
    const copied = await copyText(text, this.#dialog);
    setText(this.#button, copied ? "Copied" : "Could not copy");
    this.#say(this.#button.textContent);
    clearTimeout(this.#copying);
    this.#copying = setTimeout(() => this.#name(), COPIED_FOR);
  }

  #name() {
    setText(this.#button, this.#isBinary ? "Copy base64" : "Copy");
    this.#button.title = this.#isBinary ? "The payload as base64" : "The payload as it came";
  }
}
