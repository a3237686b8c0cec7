import { bytes, count } from "../model/format.js";
import { setText } from "./dom.js";

const HEIGHT = 20; // of the view box in index.html, which is 59 wide
const MARGIN = 1; // so that half of the stroke is not cut off

/** The last 60 seconds as a line, and the last second in figures. */
export class RateLine {
  #line = document.getElementById("rate-line");
  #rate = document.getElementById("rate");
  #byteRate = document.getElementById("byte-rate");

  /** Takes what `Rates.at()` says; call once a second. */
  show({ counts, messages, bytes: size, peak }) {
    const points = counts.map((number, second) => `${second},${height(number, peak)}`).join(" ");
    this.#line.classList.toggle("flat", !peak);
    this.#draw("stroke", points);
    this.#draw("area", `0,${HEIGHT} ${points} ${counts.length - 1},${HEIGHT}`);
    setText(this.#line.querySelector("title"), `60 seconds: now ${count(messages)}/s, peak ${count(peak)}/s`);
    setText(this.#rate, count(messages));
    setText(this.#byteRate, `${bytes(size)}/s`);
  }

  #draw(name, points) {
    const shape = this.#line.querySelector(`.rate-${name}`);
    if (shape.getAttribute("points") !== points) shape.setAttribute("points", points);
  }
}

function height(number, peak) {
  const share = peak ? number / peak : 0;
  return (HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN)).toFixed(1);
}
