/** Log, Latest or Tree: ways to look at the same messages; css/latest.css and css/tree.css show what body[data-view] names. */
export class Views {
  #buttons;
  #views;
  #changed;

  /** `changed()` is called when another one is shown. */
  constructor(group, { list, latest, tree, changed }) {
    this.#buttons = [...group.querySelectorAll("button")];
    this.#views = { log: list, latest, tree };
    this.#changed = changed;
    this.name = "log";
    for (const button of this.#buttons) button.addEventListener("click", () => this.show(button.value));
  }

  /** Whether Latest is looked at. */
  get latest() {
    return this.name === "latest";
  }

  /** The grid that is looked at. */
  get grid() {
    return document.getElementById({ log: "messages", latest: "latest-grid", tree: "tree-grid" }[this.name]);
  }

  /** Shows "log", "latest" or "tree". */
  show(name) {
    document.body.dataset.view = name;
    for (const button of this.#buttons) button.setAttribute("aria-pressed", String(button.value === name));
    if (name === this.name) return;
    this.name = name;
    for (const other of ["latest", "tree"]) this.#views[other].visible = other === name;
    this.#changed();
  }

  /** Does what a key asks for in the one that is looked at; true if it is one of its keys. */
  press(key) {
    return this.#views[this.name].press(key);
  }
}
