/** Log or Latest: two buttons, one of them pressed; css/latest.css shows what body[data-view] names. */
export class ViewSwitch {
  #buttons;

  /** `choose(view)` is called when the reader presses one, with "log" or "latest". */
  constructor(group, choose) {
    this.#buttons = [...group.querySelectorAll("button")];
    for (const button of this.#buttons) button.addEventListener("click", () => choose(button.value));
  }

  show(view) {
    document.body.dataset.view = view;
    for (const button of this.#buttons) button.setAttribute("aria-pressed", String(button.value === view));
  }
}
