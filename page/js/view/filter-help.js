import { Popup } from "./popup.js";

const GAP = 4; // px between field and examples

/** Examples of what a filter understands, each of which can be pressed. */
export class FilterHelp {
  #menu = document.getElementById("filter-examples");
  #popup;

  /** `add(term)` puts an example into the field. */
  constructor(field, add) {
    const button = document.getElementById("filter-help");
    this.#popup = new Popup(this.#menu, button, { opens: () => this.#place(field) });
    this.#menu.addEventListener("click", ({ target }) => {
      const example = target.closest("button");
      if (!example) return;
      this.#popup.hide();
      add(example.textContent);
    });
  }

  #place(field) {
    const { left, bottom } = field.getBoundingClientRect();
    const { clientWidth, clientHeight } = document.documentElement;
    const { style } = this.#menu;
    style.left = `${Math.max(GAP, left)}px`;
    style.top = `${bottom + GAP}px`;
    style.maxWidth = `${clientWidth - Math.max(GAP, left) - GAP}px`;
    style.maxHeight = `${clientHeight - bottom - 2 * GAP}px`;
  }
}
