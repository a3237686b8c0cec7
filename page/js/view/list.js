import { Row } from "./row.js";

const SPARE = 4; // rows ready above and below what is seen

/**
 * The message list: a window of recycled rows over a source of entries, `{ length, at(index), indexOf(seq) }`.
 * While it follows it shows the newest at the bottom; otherwise it moves only when scrolled.
 */
export class MessageList {
  #viewport;
  #rows;
  #spacer;
  #pool = [];
  #source = [];
  #following = true;
  #selected = -1;
  #rowHeight = 0;
  #capacity = 0;
  #first = 0; // index of the first row in the pool
  #paintedAt = 0; // scrollTop
  #wandered = false; // away from the newest since the list stands still

  /** `on`: { hold(byReader) the reader wants it still, bottom() back at the newest, pick(entry), repaint() } */
  constructor(viewport, on) {
    this.#viewport = viewport;
    this.#rows = viewport.querySelector(".rows");
    this.#spacer = viewport.querySelector(".spacer");
    this.on = on;
    new ResizeObserver(() => this.#measure()).observe(viewport);
    this.#watchPointer();
    this.#watchScroll();
    viewport.addEventListener("keydown", (event) => this.#key(event));
  }

  /** What the next paint shows. What is read now stays where it is when the list begins to stand still. */
  show(source, following) {
    if (source === this.#source && following === this.#following) return;
    const { seq, index } = this.#anchor();
    this.#source = source;
    this.#following = following;
    this.#wandered = false;
    const place = source.indexOf(seq);
    if (!following && place !== -1) this.#shift(place - index);
  }

  // What is read now: the selected entry if it is in sight, else the one at the top, as they were painted.
  #anchor() {
    const top = Math.floor(this.#viewport.scrollTop / this.#rowHeight);
    const end = top + Math.floor(this.#viewport.clientHeight / this.#rowHeight);
    const places = this.#pool.map(({ seq }, place) => ({ seq, index: this.#first + place }));
    const inSight = places.filter(({ seq, index }) => seq !== -1 && index >= top && index < end);
    return inSight.find(({ seq }) => seq === this.#selected) ?? inSight[0] ?? { seq: -1, index: 0 };
  }

  // Messages have come since the last paint, and as many old ones may have left: the rows in sight
  // have other places now.
  #shift(places) {
    this.#stretch();
    if (places) this.#viewport.scrollTop += places * this.#rowHeight;
  }

  /** Paints what is in sight: its cost does not grow with the number of messages. */
  paint() {
    if (!this.#rowHeight) this.#measure();
    this.#stretch();
    if (this.#following) this.#viewport.scrollTop = this.#viewport.scrollHeight;
    this.#paintedAt = this.#viewport.scrollTop;
    this.#first = Math.max(0, Math.floor(this.#viewport.scrollTop / this.#rowHeight) - SPARE);
    this.#rows.style.transform = `translateY(${this.#first * this.#rowHeight}px)`;
    this.#pool.forEach((row, place) => this.#fill(row, this.#first + place));
    this.#pointAtSelected();
  }

  #stretch() {
    const { length } = this.#source;
    this.#spacer.style.height = `${length * this.#rowHeight}px`;
    this.#viewport.setAttribute("aria-rowcount", length + 1);
  }

  #fill(row, index) {
    const entry = this.#source.at(index);
    if (entry) row.show(entry, index, entry.seq === this.#selected);
    else row.hide();
  }

  #pointAtSelected() {
    const row = this.#pool.find(({ seq }) => seq === this.#selected && seq !== -1);
    if (row) this.#viewport.setAttribute("aria-activedescendant", row.element.id);
    else this.#viewport.removeAttribute("aria-activedescendant");
  }

  #measure() {
    if (!this.#pool.length) this.#grow(1);
    const [{ element }] = this.#pool;
    const { hidden } = element;
    element.hidden = false;
    this.#rowHeight = element.offsetHeight || 24;
    element.hidden = hidden;
    this.#capacity = Math.ceil(this.#viewport.clientHeight / this.#rowHeight) + 2 * SPARE;
    this.#grow(this.#capacity);
    this.#shrink(this.#capacity);
    this.on.repaint();
  }

  #grow(size) {
    while (this.#pool.length < size) {
      const row = new Row(this.#pool.length);
      row.hide();
      this.#pool.push(row);
      this.#rows.append(row.element);
    }
  }

  #shrink(size) {
    for (const { element } of this.#pool.splice(size)) element.remove();
  }

  // A row shows something else a moment later, so what is meant is settled when the pointer goes down.
  #watchPointer() {
    let pressed = -1;
    this.#rows.addEventListener("pointerdown", ({ target }) => {
      const element = target.closest(".row");
      pressed = this.#pool.find((row) => row.element === element)?.seq ?? -1;
      this.on.hold();
    });
    this.#rows.addEventListener("click", () => this.#select(this.#source.indexOf(pressed), true));
  }

  // Wheel and finger say what the reader wants before the first pixel moves; scrolling says it for
  // the scroll bar and for whatever else scrolls.
  #watchScroll() {
    const { on } = this;
    this.#viewport.addEventListener("wheel", ({ deltaY }) => {
      if (deltaY < 0 && this.#viewport.scrollTop > 0) on.hold();
    }, { passive: true });
    this.#viewport.addEventListener("scroll", () => {
      const toBottom = this.#toBottom();
      // Only upwards: where the list gets less room, its end goes out of sight as well.
      if (this.#following && toBottom > 2 && this.#viewport.scrollTop < this.#paintedAt) on.hold();
      if (toBottom > 2) this.#wandered = true;
      else if (!this.#following && this.#wandered) on.bottom();
      on.repaint();
    }, { passive: true });
  }

  #toBottom() {
    const { scrollHeight, scrollTop, clientHeight } = this.#viewport;
    return scrollHeight - scrollTop - clientHeight;
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const last = this.#source.length - 1;
    const page = Math.max(1, this.#capacity - 2 * SPARE - 2);
    const current = this.#source.indexOf(this.#selected);
    const from = current === -1 ? last + 1 : current;
    const target = {
      ArrowUp: from - 1,
      ArrowDown: from + 1,
      PageUp: from - page,
      PageDown: from + page,
      Home: 0,
      Enter: current,
    }[event.key];
    if (target === undefined || last < 0) return;
    event.preventDefault();
    this.#select(Math.min(last, Math.max(0, target)), event.key === "Enter");
  }

  #select(index, open) {
    const entry = index === -1 ? undefined : this.#source.at(index);
    if (!entry) return;
    this.#selected = entry.seq;
    this.on.hold(true);
    this.#bringIntoView(index);
    this.on.repaint();
    this.on.pick(entry, open);
  }

  #bringIntoView(index) {
    const { scrollTop, clientHeight } = this.#viewport;
    const head = this.#spacer.offsetTop;
    const top = index * this.#rowHeight;
    if (top < scrollTop) this.#viewport.scrollTop = top;
    const bottom = top + this.#rowHeight + head - clientHeight;
    if (bottom > scrollTop) this.#viewport.scrollTop = bottom;
  }
}
