import { samePlace } from "../model/json-path.js";

const OPEN = button("fold-sign", { "aria-label": "Fold", "aria-expanded": "true" });
const FOLDED = button("fold-sign", { "aria-label": "Unfold", "aria-expanded": "false" });

/** Signs before what can be folded in a JSON text, and in place of what is not shown; a press on either is one on it. */
export class Folding {
  #panel;
  #places = new WeakMap(); // of elements
  #on;

  /**
   * `on`: { fold(place, level, element) folds or unfolds it, or all that is as deep; whole(place) shows a long list to its end;
   * placeOf(element) of a value }.
   */
  constructor(panel, on) {
    this.#panel = panel;
    this.#on = on;
    panel.addEventListener("click", ({ target, altKey }) => this.press(target, altKey));
    panel.addEventListener("keydown", (event) => this.#key(event));
  }

  /** The sign before a line that opens what is at `place`. */
  sign({ opens, tokens }) {
    const isFolded = tokens.some(({ kind }) => kind === "fold");
    return this.#keep((isFolded ? FOLDED : OPEN).cloneNode(), opens); // there are many
  }

  /** What stands for values that are not shown. */
  rest({ kind, text, place }) {
    const element = button(`fold-${kind}`);
    element.textContent = text;
    element.title = kind === "rest" ? "Show the list to its end" : "Unfold";
    return this.#keep(element, place);
  }

  /** Does what a press on this element does; false if it is none of these. */
  press(element, level = false) {
    const place = this.#places.get(element);
    if (place === undefined) return false;
    if (element.className === "fold-rest") this.#on.whole(place);
    else this.#on.fold(place, level, element);
    return true;
  }

  /** The element at the same place as one that was there before. */
  find(element) {
    const place = this.#places.get(element);
    return place === undefined ? undefined : this.#signsAt(place)[0];
  }

  #keep(element, place) {
    this.#places.set(element, place);
    return element;
  }

  // ← folds what has the focus, or what that is in, → unfolds; with Alt all that is as deep.
  #key(event) {
    const { key, target, altKey } = event;
    if (event.ctrlKey || event.metaKey || target === this.#panel) return;
    const isOpen = target.getAttribute("aria-expanded") === "true";
    const here = this.#places.has(target) ? target : null;
    const pressed = { ArrowLeft: isOpen ? here : this.#around(target), ArrowRight: isOpen ? null : here, Enter: here, " ": here }[key];
    if (!pressed) return;
    event.preventDefault();
    this.press(pressed, altKey);
  }

  // The last sign before it that opens what it is in.
  #around(element) {
    const place = this.#places.get(element) ?? this.#on.placeOf(element);
    if (!place) return null;
    const isBefore = (sign) => sign.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING;
    return this.#signsAt(place.up).filter(isBefore).at(-1) ?? null;
  }

  #signsAt(place) {
    const signs = [...this.#panel.querySelectorAll(".fold-sign")];
    return signs.filter((sign) => samePlace(this.#places.get(sign), place));
  }
}

function button(className, attributes = {}) {
  const element = document.createElement("span");
  element.className = className;
  element.tabIndex = -1;
  for (const [name, value] of Object.entries({ role: "button", ...attributes })) element.setAttribute(name, value);
  return element;
}
