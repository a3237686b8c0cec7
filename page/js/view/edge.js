import { part, setAttribute, wide } from "./dom.js";

const PLACE = "nats-live-width";
const LEAST = 25; // % of the room for list and detail
const MOST = 75;
const STEP = 2;
const HALF = 50;

/** The border between list and detail: dragged, or moved by arrow keys. Its place is remembered in this browser. */
export class Edge {
  #dialog;
  #edge;
  #storage;

  /** `storage` is like localStorage; where it is missing, full or forbidden the width lasts until the page is closed. */
  constructor(dialog, storage) {
    this.#dialog = dialog;
    this.#edge = part(dialog, "detail-edge");
    this.#storage = storage;
    this.#edge.addEventListener("pointerdown", (event) => this.#edge.setPointerCapture(event.pointerId));
    this.#edge.addEventListener("pointermove", (event) => this.#drag(event));
    this.#edge.addEventListener("dblclick", () => this.#become(HALF));
    this.#edge.addEventListener("keydown", (event) => this.#key(event));
    this.#edge.addEventListener("focus", () => this.#tell());
    const before = Number(this.#act((held) => held.getItem(PLACE)));
    if (before >= LEAST && before <= MOST) this.#become(before);
    else this.#tell();
  }

  /** Makes the detail as wide as the page, or as it was; false where it covers the page anyway. */
  toggleWhole() {
    if (!this.#dialog.open || !wide.matches) return false;
    this.#dialog.classList.toggle("whole");
    return true;
  }

  get #share() {
    const { clientWidth } = this.#dialog.parentElement;
    return Math.round((this.#dialog.offsetWidth / clientWidth) * 100) || HALF;
  }

  #drag({ pointerId, clientX }) {
    if (!this.#edge.hasPointerCapture(pointerId)) return;
    const { left, width } = this.#dialog.parentElement.getBoundingClientRect();
    this.#become(Math.round(((left + width - clientX) / width) * 100));
  }

  #key(event) {
    const { key, altKey, ctrlKey, metaKey } = event;
    const to = { ArrowLeft: this.#share + STEP, ArrowRight: this.#share - STEP, Home: MOST, End: LEAST }[key];
    if (to === undefined || altKey || ctrlKey || metaKey) return;
    event.preventDefault();
    this.#become(to);
  }

  #become(percent) {
    const share = Math.min(MOST, Math.max(LEAST, percent));
    this.#dialog.style.setProperty("--detail-width", `${share}%`);
    this.#tell(share);
    this.#act((held) => held.setItem(PLACE, String(share)));
  }

  #tell(share = this.#share) {
    setAttribute(this.#edge, "aria-valuenow", share);
  }

  #act(action) {
    try {
      return this.#storage && action(this.#storage);
    } catch {
      return undefined; // full or forbidden
    }
  }
}
