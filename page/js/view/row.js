import { ColumnCells } from "./column-cells.js";
import { fromTemplate, part, roomInRow, setAttribute, setMark, setText } from "./dom.js";
import { excerpt } from "../model/excerpt.js";
import { mark, requestMark, sizeText } from "../model/payload.js";
import { withSigns } from "../model/signs.js";
import { isReplayed, operationWord } from "../model/stored.js";
import { momentExact, today } from "../model/time.js";

const NONE = -2; // seq of no entry

/** One line of the list; the same element shows one entry after the other. */
export class Row {
  #time;
  #subject;
  #mark;
  #request;
  #payload;
  #size;
  #cells;
  #at = 0; // when the message came
  #day = 0; // on which it was written

  constructor(place) {
    this.element = fromTemplate("row-template");
    this.element.id = `row-${place}`;
    this.seq = NONE;
    this.#time = part(this.element, "row-time");
    this.#subject = part(this.element, "row-subject");
    this.#mark = part(this.element, "row-mark");
    this.#request = part(this.element, "request");
    this.#payload = part(this.element, "row-text");
    this.#size = part(this.element, "row-size");
    this.#cells = new ColumnCells(part(this.element, "row-payload"));
    this.#time.addEventListener("pointerenter", () => (this.#time.title = new Date(this.#at).toISOString()));
  }

  /** `finds` are the regexes of the filter: what they find is in sight; `columns` what has a column of its own. */
  show(entry, index, selected, { finds, columns }) {
    this.element.hidden = false;
    this.#select(selected);
    setAttribute(this.element, "aria-rowindex", index + 2); // 1 is the line of headings
    const { start } = today(); // tomorrow the times of today need a date
    if (this.seq === entry.seq && this.#day === start && entry.kind === "message") return;
    this.seq = entry.seq;
    this.#day = start;
    setAttribute(this.element, "translate", entry.kind === "message" ? "no" : "yes"); // data, or words
    if (entry.kind === "message") this.#showMessage(entry, finds, columns);
    else this.#showNote(entry);
  }

  hide() {
    this.seq = NONE;
    this.element.hidden = true;
  }

  #select(selected) {
    setAttribute(this.element, "aria-selected", selected);
  }

  // Who does not see that a row is dimmed hears it.
  #describe(words) {
    if (words) setAttribute(this.element, "aria-description", words);
    else this.element.removeAttribute("aria-description");
  }

  #showMessage(message, finds, columns) {
    const hue = message.hue === null ? "" : ` hue-${message.hue}`;
    const past = isReplayed(message);
    const celled = this.#cells.show(columns.cells(message)) ? " celled" : "";
    this.element.className = `row${hue}${past ? " replayed" : ""}${operationWord(message) && " gone"}${celled}`;
    this.#describe(past ? "replayed" : "");
    setText(this.#time, momentExact(message.time));
    this.#at = message.time;
    setText(this.#subject, withSigns(message.subject));
    setText(this.#mark, mark(message));
    setMark(this.#request, requestMark(message));
    setText(this.#payload, excerpt(message, finds, roomInRow()));
    setText(this.#size, sizeText(message));
  }

  #showNote({ text, about }) {
    this.#describe("");
    this.element.className = about && about !== "loss" ? `row note ${about}` : "row note";
    for (const cell of [this.#time, this.#subject, this.#mark, this.#size]) setText(cell, "");
    setMark(this.#request, "");
    setText(this.#payload, text);
  }
}
