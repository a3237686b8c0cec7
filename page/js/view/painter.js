const BUSY_REST = 50; // ms between two paints while messages pour in: twenty a second look alive
const DEAR = 8; // ms: a paint that costs more is done less often
const LONGEST_REST = 500; // it never stops

/** Paints when there is something new: at the next frame, or after a rest when that is too often. */
export class Painter {
  #paint;
  #busy;
  #due = false;
  #timer = 0;
  #notBefore = 0;

  /** `paint()` draws; `busy()` says whether messages come faster than they can be read. */
  constructor(paint, busy) {
    this.#paint = paint;
    this.#busy = busy;
  }

  /** Something is new on the screen soon; at once if the reader did it. */
  ask(atOnce = false) {
    if (this.#due && !(atOnce && this.#timer)) return;
    const rest = atOnce ? 0 : this.#notBefore - performance.now();
    clearTimeout(this.#timer);
    this.#due = true;
    this.#timer = rest > 0 ? setTimeout(() => this.#next(), rest) : 0;
    if (!this.#timer) this.#next();
  }

  #next() {
    this.#timer = 0;
    requestAnimationFrame(() => this.#run());
  }

  #run() {
    this.#due = false;
    const began = performance.now();
    this.#paint();
    const ended = performance.now();
    this.#notBefore = ended + this.#rest(ended - began);
  }

  #rest(cost) {
    if (cost > DEAR) return Math.min(LONGEST_REST, Math.max(BUSY_REST, 4 * cost));
    return this.#busy() ? BUSY_REST : 0;
  }
}
