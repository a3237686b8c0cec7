import { shownAge } from "./duration.js";
import { heardAt } from "./gateway-clock.js";
import { preview } from "./payload.js";
import { roundRate } from "./rate.js";

const natural = new Intl.Collator("en", { numeric: true }); // d2 before d10
const DESCENDING_FIRST = new Set(["count", "rate"]); // the largest is what one looks for
const KEYS = {
  count: ({ count }) => count,
  rate: ({ rate }) => roundRate(rate),
  last: (row, last) => value(preview(last)),
  age: (row, last, now) => shownAge(now - heardAt(last)),
};

/** In which order the rows of a subject table stand: by what `column` shows, rows that look alike in it by subject. */
export class Order {
  #rows = null;
  #version = -1;
  #bySubject = [];
  #cell;

  /** `cell(message, path)` is what stands in the column `:path`. */
  constructor(cell = () => "") {
    this.#cell = cell;
    this.column = "subject";
    this.ascending = true;
  }

  /** Takes another column, or turns the order round if it is by that column already. */
  choose(column) {
    this.ascending = column === this.column ? !this.ascending : !DESCENDING_FIRST.has(column);
    this.column = column;
  }

  /** The rows of `{ rows, version }` in order, as a new array: those for which `lastOf(row)` has a message. */
  apply({ rows, version, time = Date.now() }, lastOf = ({ last }) => last) {
    if (rows !== this.#rows || version !== this.#version) {
      this.#rows = rows;
      this.#version = version;
      this.#bySubject = [...rows].sort(bySubject);
    }
    const shown = this.#bySubject.filter(lastOf);
    const keyOf = this.column.startsWith(":") ? (_, last) => value(this.#cell(last, this.column.slice(1))) : KEYS[this.column];
    if (!keyOf) return this.ascending ? shown : shown.reverse();
    const direction = this.ascending ? 1 : -1;
    return shown
      .map((row) => ({ row, key: keyOf(row, lastOf(row), time) }))
      .sort((one, other) => direction * compare(one.key, other.key))
      .map(({ row }) => row);
  }
}

function bySubject({ subject: one }, { subject: other }) {
  return natural.compare(one, other) || compare(one, other);
}

// Numbers come before texts, and each stand in their own order.
function value(text) {
  const number = text.trim() === "" ? NaN : Number(text);
  return Number.isNaN(number) ? text : number;
}

function compare(one, other) {
  if (typeof one !== typeof other) return typeof one === "number" ? -1 : 1;
  return Number(one > other) - Number(one < other);
}
