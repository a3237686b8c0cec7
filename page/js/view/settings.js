import { Popup } from "./popup.js";
import { limitsText } from "./preferred.js";

/** The form of preferences: shows what holds and hands on what the reader chooses. */
export class Settings {
  #form;

  /** `changed(name, value)` is called for each choice, and once for each preference at the start. */
  constructor(form, preferences, changed) {
    this.#form = form;
    new Popup(form, document.getElementById("settings-button"));
    for (const option of form.elements.keep.options) option.textContent = limitsText(option.value);
    for (const control of form.elements) {
      if (!control.name) continue;
      control.value = preferences.get(control.name);
      changed(control.name, control.value);
    }
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", ({ target }) => {
      preferences.set(target.name, target.value);
      changed(target.name, target.value);
    });
  }
}
