import { withSigns } from "../model/signs.js";
import { Popup } from "./popup.js";

const GAP = 4;
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

/** A menu that opens beside what it is about, and gives the focus back when it closes. */
export class Menu {
  #element;
  #popup;

  constructor(element) {
    this.#element = element;
    this.#popup = new Popup(element, null, { closed: () => element.replaceChildren() });
    element.addEventListener("keydown", (event) => this.#key(event));
  }

  get open() {
    return this.#popup.open;
  }

  /** Shows items `[name, action]` beside `anchor`; falsy items are left out. */
  show(anchor, label, items) {
    this.close();
    const [head, ...buttons] = [heading(label), ...items.filter(Boolean).map((item) => this.#button(...item))];
    this.#element.replaceChildren(head, ...buttons);
    this.#element.setAttribute("aria-label", label);
    anchor.focus({ preventScroll: true }); // it has the focus back at the end
    this.#popup.show();
    this.#stand(anchor.getBoundingClientRect());
    buttons[0].focus();
  }

  close() {
    this.#popup.hide();
  }

  #button(name, action) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("role", "menuitem");
    button.tabIndex = -1;
    button.className = "menu-item";
    button.textContent = name;
    button.addEventListener("click", () => {
      this.close();
      action();
    });
    return button;
  }

  // Below the anchor, above it where there is no room, and always within the window.
  #stand({ left, top, bottom }) {
    const { offsetWidth: width, offsetHeight: height, style } = this.#element;
    const above = bottom + GAP + height > innerHeight && top - GAP - height > 0;
    style.left = `${Math.max(GAP, Math.min(left, innerWidth - width - GAP))}px`;
    style.top = `${above ? top - GAP - height : Math.max(GAP, Math.min(bottom + GAP, innerHeight - height - GAP))}px`;
  }

  #key(event) {
    const buttons = [...this.#element.querySelectorAll("button")];
    const at = buttons.indexOf(document.activeElement);
    const to = { Home: 0, End: buttons.length - 1 }[event.key] ?? (STEPS[event.key] && at + STEPS[event.key]);
    if (to !== undefined) buttons[(to + buttons.length) % buttons.length].focus();
    else if (event.key === "Escape" || event.key === "Tab") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation(); // Escape closes the menu alone
  }
}

function heading(label) {
  const element = document.createElement("p");
  element.className = "menu-head";
  element.setAttribute("translate", "no"); // a path, or a subject
  element.setAttribute("role", "presentation");
  element.textContent = withSigns(label);
  return element;
}
