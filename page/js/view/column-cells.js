import { setAttribute, setText } from "./dom.js";
import { isNumber } from "../model/columns.js";

/** The cells of a row for values that have columns of their own; they stand before the payload. */
export class ColumnCells {
  #anchor;
  #cells = [];

  /** `anchor` is the cell of the payload. */
  constructor(anchor) {
    this.#anchor = anchor;
  }

  /** Shows these texts, one in each column; whether the first one says anything. */
  show(texts) {
    while (this.#cells.length > texts.length) this.#cells.pop().remove();
    while (this.#cells.length < texts.length) this.#add();
    texts.forEach((text, place) => {
      const cell = this.#cells[place];
      setText(cell, text);
      setAttribute(cell, "class", isNumber(text) ? "column-cell number" : "column-cell");
    });
    return Boolean(texts[0]);
  }

  #add() {
    const cell = document.createElement("span");
    cell.setAttribute("role", "gridcell");
    this.#anchor.before(cell);
    this.#cells.push(cell);
  }
}
