const AT_ONCE = 64 * 1024; // of the payload
const MOST_AT_ONCE = 16; // slices; they may be of few characters and many lines
const MOST_DRAWN = 64; // the others are drawn when they come near
const MOST = 1_600; // a browser has no place for a page of any height
const SHARE = 6; // ms of a frame

/**
 * A long text in slices `{ text, size, draw() }`, the first few at once and the others when asked for.
 * Only slices near to what is seen are drawn, in colour and with all that can be pressed; the others are plain text.
 */
export class Paper {
  #element;
  #changed;
  #slices = null;
  #next = null; // the slice to come
  #shown = 0;
  #taken = 0; // what of it takes room: a part that is folded takes none

  /** `changed()` is called when more is shown, or something else. */
  constructor(element, changed) {
    this.#element = element;
    this.#changed = changed;
    this.size = 0; // of the payload that is shown, as its slices count it
  }

  /** Shows the beginning of what an iterator has. */
  show(slices) {
    this.#begin(slices);
    this.#element.scrollTop = 0;
    while (this.#next && this.#taken < AT_ONCE && this.#shown < MOST_AT_ONCE) this.#add(true);
    this.#changed();
  }

  /** Shows the same text in another way, as far as it was shown, with what `find()` finds where `element` was. */
  exchange(slices, element, find) {
    const { top } = element.getBoundingClientRect();
    const { scrollTop } = this.#element;
    const shown = Math.max(this.#shown, MOST_AT_ONCE);
    const taken = Math.max(this.#taken, AT_ONCE);
    this.#begin(slices);
    while (this.#next && this.#taken < taken && this.#shown < shown) this.#add(this.#shown < MOST_DRAWN);
    this.#element.scrollTop = scrollTop;
    const found = find();
    if (found) this.#element.scrollTop += found.getBoundingClientRect().top - top;
    (found ?? this.#element).focus({ preventScroll: true });
    this.#changed();
  }

  #begin(slices) {
    this.#slices = slices;
    this.#shown = 0;
    this.#taken = 0;
    this.size = 0;
    this.#next = slices.next().value;
    this.#element.replaceChildren();
  }

  get complete() {
    return !this.#next;
  }

  /** Whether there is more, and it can be shown. */
  get hasMore() {
    return Boolean(this.#next) && this.#shown < MOST;
  }

  /** Shows the others, as many in each frame as it bears. */
  showAll() {
    const slices = this.#slices;
    const step = () => {
      const until = performance.now() + SHARE;
      while (this.#slices === slices && this.hasMore && performance.now() < until) this.#add(false);
      if (this.#slices !== slices) return;
      if (this.hasMore) requestAnimationFrame(step);
      else this.#changed();
    };
    step();
  }

  #add(drawn) {
    const { text, size, draw } = this.#next;
    const block = document.createElement("div");
    block.className = "slice";
    block.append(...(drawn ? draw() : [text]));
    block.addEventListener("contentvisibilityautostatechange", ({ skipped }) => {
      block.replaceChildren(...(skipped ? [text] : draw()));
    });
    this.#element.append(block);
    this.#shown += 1;
    this.size += size;
    this.#taken += Math.min(size, text.length);
    this.#next = this.#slices.next().value;
  }
}
