import { LatestRow } from "./latest-row.js";
import { Columns } from "../model/columns.js";
import { count } from "../model/format.js";
import { Order } from "../model/order.js";
import { Standing } from "../model/standing.js";
import { part, setText } from "./dom.js";
import { RowWindow } from "./window.js";

const FIGURES_EVERY = 250; // ms
const ORDER_EVERY = 500;
const NO_HEAD = -1;
const NEWEST = ({ last }) => last;
const NOTHING = { rows: [], others: { count: 0, subjects: 0 }, version: 0 };

/** The Latest view: a line for each subject of a table `{ rows, others, version }`. */
export class Latest {
  #grid;
  #on;
  #window;
  #table = NOTHING;
  #order = new Order((message, path) => this.columns.cell(message, path));
  #standing = new Standing();
  #lastOf = NEWEST;
  #selected = null; // a subject: a line may be anywhere a moment later
  #head = NO_HEAD; // the heading the keyboard is on
  #stale = true; // the order has to be made anew
  #touched = true; // something else has to be painted at once
  #paintedAt = 0;
  #orderedAt = 0;
  #hint;
  #pointed = false; // the mouse is on a row
  #pressed = false;

  /** `on`: { pick(entry, open) the reader chose the newest message of a subject, repaint() } */
  constructor(section, on) {
    this.#grid = section.querySelector("[role=grid]");
    this.#on = on;
    this.#window = new RowWindow(this.#grid, (place) => new LatestRow(place), () => this.#touch());
    this.visible = false;
    this.doubts = () => false; // says of a message whether others were missed since: its value may be older than it looks
    this.columns = new Columns(); // values that have columns of their own
    this.finds = []; // the regexes of the filter: what they find is in sight
    this.#watchPointer();
    this.#grid.addEventListener("scroll", () => this.#touch(), { passive: true });
    this.#grid.addEventListener("keydown", (event) => this.#key(event));
    this.#grid.addEventListener("blur", () => this.#moveToHead(NO_HEAD));
    this.#showOrder();
  }

  /** What the next paint shows: the table itself, or a copy that stands still. */
  show(table) {
    this.#table = table;
    this.#standing = new Standing();
    this.#stale = true;
    this.#touch();
  }

  /**
   * Shows only subjects for which `lastOf(row)` has a message, and that as their newest; null for all. `anew`: it
   * may say something else now.
   */
  filter(lastOf, anew) {
    this.#lastOf = lastOf ?? NEWEST;
    if (!anew) return;
    this.#stale = true;
    this.#touch();
  }

  /** Writes each row anew, under the heads that there are now. */
  redraw() {
    this.#showOrder();
    this.#stale = true;
    this.#touch();
  }

  /** The message that stands for `subject` now; undefined if none does. */
  newest({ subject }) {
    const row = this.#table.rows.find((each) => each.subject === subject);
    return row && this.#lastOf(row);
  }

  /** How many subjects are shown, out of how many. */
  get numbers() {
    if (this.#stale) this.#arrange(performance.now());
    return { count: this.#standing.rows.length, total: this.#table.rows.length };
  }

  /** Paints what is in sight if it is time to; figures that change sixty times a second cannot be read. */
  paint() {
    if (!this.visible) return;
    const now = performance.now();
    if (this.#stale || now - this.#orderedAt >= ORDER_EVERY) this.#arrange(now);
    if (!this.#touched && now - this.#paintedAt < FIGURES_EVERY) return;
    this.#touched = false;
    this.#paintedAt = now;
    const { others, time = Date.now() } = this.#table;
    const { rows } = this.#standing;
    const length = rows.length + Number(others.subjects > 0);
    this.#grid.setAttribute("aria-rowcount", length + 1);
    this.#window.paint(length, (line, index) => {
      const row = rows[index];
      if (row) {
        const last = this.#lastOf(row) ?? row.last;
        const doubtful = this.doubts(row.last);
        line.show(row, last, { index, selected: row.subject === this.#selected, time, doubtful, finds: this.finds, columns: this.columns });
      } else line.showOthers(others, index, this.columns);
    });
    this.#pointAtCurrent();
  }

  #touch() {
    this.#touched = true;
    this.#on.repaint();
  }

  // Columns come and go.
  get #heads() {
    return [...this.#grid.querySelectorAll("[role=columnheader]")];
  }

  // Who points at a row, or has chosen one, finds it where it was.
  get #held() {
    const isChosen = this.#selected !== null && document.activeElement === this.#grid;
    return this.#pressed || this.#pointed || isChosen;
  }

  #arrange(now, held = this.#held) {
    this.#standing.take(this.#order.apply(this.#table, this.#lastOf), held);
    this.#stale = false;
    this.#orderedAt = now;
    const { moves } = this.#standing;
    this.#hint.hidden = !moves;
    setText(this.#hint, moves ? `Order held · ${count(moves)} ${moves === 1 ? "row" : "rows"} would move` : "");
  }

  #pointAtCurrent() {
    const current =
      this.#heads[this.#head] ?? this.#window.find(({ subject }) => subject !== null && subject === this.#selected)?.element;
    if (current) this.#grid.setAttribute("aria-activedescendant", current.id);
    else this.#grid.removeAttribute("aria-activedescendant");
  }

  // What is meant is settled when the pointer goes down; a moment later another subject may be there.
  #watchPointer() {
    let pressed = null;
    this.#hint = this.#grid.parentElement.querySelector(".latest-held");
    const rows = this.#grid.querySelector(".rows");
    rows.addEventListener("pointerenter", ({ pointerType }) => (this.#pointed = pointerType === "mouse"));
    rows.addEventListener("pointerleave", () => (this.#pointed = false));
    this.#grid.addEventListener("pointerdown", ({ target }) => {
      const element = target.closest(".latest-row");
      pressed = this.#window.find((line) => line.element === element)?.subject ?? null;
      this.#pressed = true;
    });
    for (const name of ["pointerup", "pointercancel"]) {
      addEventListener(name, () => (this.#pressed = false));
    }
    this.#grid.addEventListener("click", ({ target }) => {
      const head = target.closest("[role=columnheader]");
      this.#grid.focus({ preventScroll: true }); // the keyboard goes on where the pointer was
      if (head) this.#sort(head);
      else this.#select(this.#indexOf(pressed), true);
    });
  }

  /** Does what a key asks for; true if it is one of the view's. */
  press(key) {
    return this.#head === NO_HEAD ? this.#keyInRows(key) : this.#keyInHeads(key);
  }

  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (this.press(event.key)) event.preventDefault();
  }

  #keyInRows(key) {
    const current = this.#indexOf(this.#selected);
    const last = this.#standing.rows.length - 1;
    const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -this.#window.page, PageDown: this.#window.page };
    const target = { Home: 0, End: last, Enter: current }[key] ?? current + steps[key];
    if (Number.isNaN(target)) return false;
    if (key === "ArrowUp" && current <= 0) this.#moveToHead(this.#sortedHead());
    else if (key === "Enter" || last >= 0) this.#select(clamp(target, key === "Enter" ? -1 : 0, last), key === "Enter");
    if (key !== "Enter" && target >= last && this.#table.others.subjects) this.#window.bringIntoView(last + 1);
    return true;
  }

  #keyInHeads(key) {
    const last = this.#heads.length - 1;
    const target = { ArrowLeft: this.#head - 1, ArrowRight: this.#head + 1, Home: 0, End: last }[key];
    if (target !== undefined) this.#moveToHead(clamp(target, 0, last));
    else if (key === "Enter" || key === " ") this.#sort(this.#heads[this.#head]);
    else if (key === "Delete") part(this.#heads[this.#head], "column-close")?.click();
    else if (key === "ArrowDown") this.#leaveHeads();
    else return false;
    return true;
  }

  #leaveHeads() {
    this.#moveToHead(NO_HEAD);
    this.#select(0, false);
  }

  #moveToHead(head) {
    this.#heads[this.#head]?.classList.remove("current");
    this.#head = head;
    this.#heads[head]?.classList.add("current");
    this.#touch();
  }

  #sortedHead() {
    return this.#heads.findIndex(({ dataset }) => dataset.column === this.#order.column);
  }

  #sort({ dataset }) {
    this.#order.choose(dataset.column);
    this.#showOrder();
    this.#arrange(performance.now(), false);
    this.#grid.scrollTop = 0;
    this.#touch();
  }

  #showOrder() {
    const { column, ascending } = this.#order;
    for (const head of this.#heads) {
      if (head.dataset.column === column) head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    }
  }

  #indexOf(subject) {
    return subject === null ? -1 : this.#standing.rows.findIndex((row) => row.subject === subject);
  }

  #select(index, open) {
    const row = this.#standing.rows[index];
    if (!row) return;
    this.#selected = row.subject;
    this.#window.bringIntoView(index);
    this.#touch();
    this.#on.pick(this.#lastOf(row) ?? row.last, open);
  }
}

function clamp(value, least, most) {
  return Math.min(most, Math.max(least, value));
}
