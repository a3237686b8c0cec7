import { ColumnCells } from "./column-cells.js";
import { fromTemplate, part, roomInRow, setMark, setText } from "./dom.js";
import { age } from "../model/duration.js";
import { count } from "../model/format.js";
import { heardAt } from "../model/gateway-clock.js";
import { excerpt } from "../model/excerpt.js";
import { mark, requestMark } from "../model/payload.js";
import { rateText } from "../model/rate.js";
import { operationWord } from "../model/stored.js";
import { withSigns } from "../model/signs.js";

/** One line of the Latest view; the same element shows one subject after the other. */
export class LatestRow {
  #cells = {};
  #request;
  #columnCells;

  constructor(place) {
    this.element = fromTemplate("latest-template");
    this.element.id = `latest-row-${place}`;
    this.subject = null;
    for (const name of ["subject", "count", "rate", "mark", "value", "age"]) {
      this.#cells[name] = part(this.element, `latest-${name}`);
    }
    this.#request = part(this.element, "request");
    this.#columnCells = new ColumnCells(part(this.element, "latest-last"));
  }

  /** Shows a row of the subject table, with `last` as its message. */
  show(row, last, { index, selected, time, doubtful, finds, columns }) {
    const hue = row.hue === null ? "" : ` hue-${row.hue}`;
    const celled = this.#columnCells.show(columns.cells(last)) ? " celled" : "";
    this.#take(row.subject, index, `latest-row${hue}${operationWord(last) && " gone"}${celled}`);
    this.#set("aria-selected", String(selected));
    this.#fill(withSigns(row.subject), row.count, rateText(row.rate));
    setText(this.#cells.mark, mark(last));
    setMark(this.#request, requestMark(last));
    setText(this.#cells.value, excerpt(last, finds, roomInRow()));
    setText(this.#cells.age, age(time - heardAt(last)));
    this.#tellDoubt(doubtful);
  }

  /** The last line: what left the table, or never fitted in. */
  showOthers(others, index, columns) {
    this.#take(null, index, "latest-row others");
    this.#columnCells.show(columns.paths.map(() => ""));
    this.element.removeAttribute("aria-selected");
    this.#fill("other subjects", others.count, "");
    setText(this.#cells.mark, "");
    setMark(this.#request, "");
    setText(this.#cells.value, `${count(others.subjects)} that made room for newer ones`);
    setText(this.#cells.age, "");
    this.#tellDoubt(false);
  }

  hide() {
    this.subject = null;
    this.element.hidden = true;
  }

  #take(subject, index, className) {
    this.subject = subject;
    this.element.hidden = false;
    if (this.element.className !== className) this.element.className = className;
    this.#set("translate", subject === null ? "yes" : "no"); // words, or data
    this.#set("aria-rowindex", String(index + 2)); // 1 is the line of headings
  }

  #tellDoubt(doubtful) {
    this.#cells.age.classList.toggle("doubtful", doubtful);
    this.#cells.age.title = doubtful ? "Messages were missed since" : "";
  }

  #fill(subject, messages, rate) {
    setText(this.#cells.subject, subject);
    setText(this.#cells.count, count(messages));
    setText(this.#cells.rate, rate);
  }

  #set(name, value) {
    if (this.element.getAttribute(name) !== value) this.element.setAttribute(name, value);
  }
}
