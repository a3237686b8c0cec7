import { setText } from "./dom.js";

/** Tells what was missed in both views: a figure that leads to it, and in Latest, where no line can, a band. */
export class Missed {
  #figure = document.getElementById("gaps-figure");
  #button = document.getElementById("gaps");
  #band = document.getElementById("missed");
  #text = document.getElementById("missed-text");

  /** `on`: { show(seq) the note about the last gap, dismissed() }. */
  constructor(losses, { show, dismissed }) {
    this.#button.addEventListener("click", () => show(losses.seq));
    document.getElementById("missed-dismiss").addEventListener("click", () => {
      losses.dismiss();
      this.show(losses);
      dismissed();
    });
  }

  show({ gaps, gapsText, untold }) {
    this.#figure.hidden = !gaps;
    setText(this.#button, gapsText);
    this.#band.hidden = !untold;
    setText(this.#text, untold);
  }
}
