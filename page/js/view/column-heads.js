import { fromTemplate, part, setText } from "./dom.js";
import { Columns } from "../model/columns.js";

const WIDTH = 10; // % of the list, at most
const ALL = 42; // % for all of them
const FULL = "There is room for six columns.";

/** Values of the JSON as columns in both views: their heads, and room for them. */
export class ColumnHeads {
  #grids = [document.getElementById("messages"), document.getElementById("latest-grid")];
  #views;
  #toast;
  #changed;

  /** `views` are the two that show columns; `changed()` is called when some have come or gone. */
  constructor({ views, toast, changed }) {
    this.#views = views;
    this.#toast = toast;
    this.#changed = changed;
    this.columns = new Columns();
    for (const view of views) view.columns = this.columns;
  }

  /** Adds a column, or takes it away. */
  toggle(path) {
    const before = this.columns.paths;
    if (!this.columns.toggle(path)) return this.#toast.show(FULL);
    this.#show();
    this.#toast.show(this.columns.has(path) ? `Column ${path}` : `No column ${path} any more`, () => this.become(before));
    return undefined;
  }

  /** Takes these columns in place of those that are there. */
  become(paths) {
    if (paths.join("\n") === this.columns.paths.join("\n")) return;
    this.columns.become(paths);
    this.#show();
  }

  #show() {
    const { paths } = this.columns;
    for (const grid of this.#grids) {
      grid.classList.toggle("with-columns", paths.length > 0);
      if (paths.length) grid.style.setProperty("--extra", `repeat(${paths.length}, minmax(3rem, ${Math.min(WIDTH, ALL / paths.length)}%))`);
      else grid.style.removeProperty("--extra");
      for (const head of grid.querySelectorAll(".column-head")) head.remove();
      const anchor = part(grid, "before-columns").nextElementSibling;
      paths.forEach((path, place) => anchor.before(this.#head(path, `${grid.id}-column-${place}`)));
    }
    for (const view of this.#views) view.redraw();
    this.#changed();
  }

  // In Latest a press on the name sorts.
  #head(path, id) {
    const head = fromTemplate("column-template");
    head.dataset.column = `:${path}`;
    head.id = id;
    setText(part(head, "column-name"), path);
    head.title = path;
    const close = part(head, "column-close");
    close.setAttribute("aria-label", `Remove the column ${path}`);
    close.addEventListener("click", (event) => {
      event.stopPropagation();
      this.toggle(path);
    });
    return head;
  }
}
