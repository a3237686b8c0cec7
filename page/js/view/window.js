const SPARE = 4; // rows ready above and below what is seen

/**
 * A window of recycled rows over any number of places, all of one height, in a scrolling `viewport`
 * with a `.spacer` that holds `.rows`. A row is `{ element, hide() }`.
 */
export class RowWindow {
  #viewport;
  #spacer;
  #rows;
  #makeRow;
  #changed;
  #pool = [];
  #rowHeight = 0;

  /** `makeRow(place)` makes one more; `changed()` is called when there is room for more or fewer. */
  constructor(viewport, makeRow, changed) {
    this.#viewport = viewport;
    this.#spacer = viewport.querySelector(".spacer");
    this.#rows = viewport.querySelector(".rows");
    this.#makeRow = makeRow;
    this.#changed = changed;
    new ResizeObserver(() => this.#measure()).observe(viewport);
  }

  /** Height of a row in px. */
  get rowHeight() {
    return this.#rowHeight;
  }

  /** How many rows a page is, less one to hold on to. */
  get page() {
    return Math.max(1, this.#pool.length - 2 * SPARE - 2);
  }

  /** Shows what is in sight of `length` places: `fill(row, index)` for each. */
  paint(length, fill) {
    this.stretch(length);
    const first = Math.max(0, Math.floor(this.#viewport.scrollTop / this.#rowHeight) - SPARE);
    this.#rows.style.transform = `translateY(${first * this.#rowHeight}px)`;
    this.#pool.forEach((row, place) => {
      if (first + place < length) fill(row, first + place);
      else row.hide();
    });
  }

  /** Makes the way to scroll as long as `length` places need. */
  stretch(length) {
    if (!this.#rowHeight) this.#measure();
    this.#spacer.style.height = `${length * this.#rowHeight}px`;
  }

  /** Lets every row be filled anew, also with what it shows already. */
  clear() {
    for (const row of this.#pool) row.hide();
  }

  /** The first row in use for which `test(row)` holds. */
  find(test) {
    return this.#pool.find((row) => !row.element.hidden && test(row));
  }

  bringIntoView(index) {
    const { scrollTop, clientHeight } = this.#viewport;
    const head = this.#spacer.offsetTop;
    const top = index * this.#rowHeight;
    const bottom = top + this.#rowHeight + head - clientHeight;
    if (top < scrollTop) this.#viewport.scrollTop = top;
    else if (bottom > scrollTop) this.#viewport.scrollTop = bottom;
  }

  #measure() {
    if (!this.#pool.length) this.#grow(1);
    const [{ element }] = this.#pool;
    const { hidden } = element;
    element.hidden = false;
    this.#rowHeight = element.offsetHeight || 24;
    element.hidden = hidden;
    const size = Math.ceil(this.#viewport.clientHeight / this.#rowHeight) + 2 * SPARE;
    this.#grow(size);
    for (const row of this.#pool.splice(size)) row.element.remove();
    this.#changed();
  }

  #grow(size) {
    while (this.#pool.length < size) {
      const row = this.#makeRow(this.#pool.length);
      row.hide();
      this.#pool.push(row);
      this.#rows.append(row.element);
    }
  }
}
