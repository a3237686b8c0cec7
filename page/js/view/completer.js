import { count } from "../model/format.js";

const NONE = -1;

/** Offers completions below a field: a combobox whose listbox opens while one types. */
export class Completer {
  #input;
  #list;
  #offer;
  #found = null; // what is offered: { start, end, options }
  #current = NONE;

  /** `offer(text, cursor, asked)` says what there is: `{ start, end, options: [{ text, count, note }] }`. */
  constructor(input, list, offer) {
    this.#input = input;
    this.#list = list;
    this.#offer = offer;
    input.addEventListener("input", ({ isComposing }) => !isComposing && this.#open());
    input.addEventListener("blur", () => this.close());
    input.form.addEventListener("submit", () => this.close());
    // While the list is open its keys mean the list, and are not for whoever else listens to the field.
    input.form.addEventListener("keydown", (event) => event.target === input && this.#key(event), { capture: true });
    list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    list.addEventListener("click", ({ target }) => this.#click(target));
  }

  close() {
    this.#found = null;
    this.#current = NONE;
    this.#list.hidden = true;
    this.#list.replaceChildren();
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
  }

  #open(asked = false) {
    const { value, selectionStart } = this.#input;
    const found = this.#offer(value, selectionStart, asked);
    this.close();
    if (!found.options.length) return;
    this.#found = found;
    this.#list.replaceChildren(...found.options.map(optionElement));
    this.#list.hidden = false;
    this.#list.scrollTop = 0;
    this.#input.setAttribute("aria-expanded", "true");
  }

  #key(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    if (this.#found ? this.#keyInList(event) : this.#keyToOpen(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  #keyToOpen({ key, altKey }) {
    if (key !== "ArrowDown" || (this.#input.value && !altKey)) return false;
    this.#open(true);
    return this.#found !== null;
  }

  #keyInList({ key }) {
    const { length } = this.#found.options;
    if (key === "ArrowDown") this.#point(this.#current + 1 === length ? NONE : this.#current + 1);
    else if (key === "ArrowUp") this.#point(this.#current === NONE ? length - 1 : this.#current - 1);
    else if (key === "Escape") this.close();
    else if ((key === "Enter" || key === "Tab") && this.#current !== NONE) this.#take(this.#current);
    else return false;
    return true;
  }

  #point(place) {
    this.#list.children[this.#current]?.setAttribute("aria-selected", "false");
    this.#current = place;
    const option = this.#list.children[place];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.#input.setAttribute("aria-activedescendant", option.id);
    else this.#input.removeAttribute("aria-activedescendant");
  }

  #click(target) {
    const place = [...this.#list.children].indexOf(target.closest("[role=option]"));
    if (place !== NONE) this.#take(place);
  }

  #take(place) {
    const { start, end, options } = this.#found;
    this.#input.setRangeText(options[place].text, start, end, "end");
    this.#input.dispatchEvent(new Event("input", { bubbles: true })); // as if it had been typed
    this.close();
    this.#input.focus();
  }
}

function optionElement({ text, count: messages, note }, place) {
  const option = document.createElement("li");
  option.id = `completion-${place}`;
  option.setAttribute("role", "option");
  option.setAttribute("aria-selected", "false");
  const subject = span("completion-text", text);
  subject.setAttribute("translate", "no");
  option.append(subject, span("completion-note", messages ? count(messages) : note));
  return option;
}

function span(className, text) {
  const element = document.createElement("span");
  element.className = className;
  element.textContent = text;
  return element;
}
