import { setText } from "./dom.js";
import { duration } from "../model/duration.js";
import { count } from "../model/format.js";
import { heardAt } from "../model/gateway-clock.js";
import { megabytes } from "./preferred.js";

/** The footer's figures. */
export class Counters {
  #received = document.getElementById("received");
  #kept = document.getElementById("kept");
  #keptSpan = document.getElementById("kept-span");
  #keptTitle = document.getElementById("kept-title");
  #notKept = document.getElementById("notkept");
  #dropped = document.getElementById("dropped");

  show({ received, dropped, ring }) {
    setText(this.#received, count(received));
    setText(this.#kept, count(ring.kept));
    setText(this.#keptSpan, reach(ring));
    const most = `${count(ring.maxCount)}, and ${megabytes(ring.maxChars)} of text`;
    this.#keptTitle.title = `The newest messages stay in this page, at most ${most}`;
    setText(this.#notKept, count(ring.notKept));
    setText(this.#dropped, count(dropped));
  }
}

function reach(ring) {
  if (ring.length < 2) return "";
  const age = heardAt(ring.at(ring.length - 1)) - heardAt(ring.at(0));
  const full = ring.full === "chars" ? `; ${megabytes(ring.maxChars)} full` : "";
  return `(last ${duration(age)}${full})`;
}
