import { setText } from "./dom.js";
import { count } from "../model/format.js";

/** The footer's figures. */
export class Counters {
  #received = document.getElementById("received");
  #kept = document.getElementById("kept");
  #notKept = document.getElementById("notkept");
  #dropped = document.getElementById("dropped");

  show({ received, dropped, ring }) {
    setText(this.#received, count(received));
    setText(this.#kept, count(ring.kept));
    setText(this.#notKept, count(ring.notKept));
    setText(this.#dropped, count(dropped));
  }
}
