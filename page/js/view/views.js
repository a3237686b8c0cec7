/** Log or Latest: two ways to look at the same messages; css/latest.css shows what body[data-view] names. */
export class Views {
  #buttons;
  #list;
  #latest;
  #changed;

  /** `changed()` is called when another one is shown. */
  constructor(group, { list, latest, changed }) {
    this.#buttons = [...group.querySelectorAll("button")];
    this.#list = list;
    this.#latest = latest;
    this.#changed = changed;
    for (const button of this.#buttons) button.addEventListener("click", () => this.show(button.value === "latest"));
  }

  /** Whether Latest is looked at. */
  get latest() {
    return this.#latest.visible;
  }

  /** The grid that is looked at. */
  get grid() {
    return document.getElementById(this.latest ? "latest-grid" : "messages");
  }

  show(latest) {
    const name = latest ? "latest" : "log";
    document.body.dataset.view = name;
    for (const button of this.#buttons) button.setAttribute("aria-pressed", String(button.value === name));
    if (latest === this.latest) return;
    this.#latest.visible = latest;
    this.#changed();
  }

  /** Does what a key asks for in the one that is looked at; true if it is one of its keys. */
  press(key) {
    return (this.latest ? this.#latest : this.#list).press(key);
  }
}
