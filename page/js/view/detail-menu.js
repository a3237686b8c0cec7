import { Menu } from "./menu.js";
import { subjectItems, valueItems } from "./value-menu.js";
import { fullText } from "../model/payload.js";

/** The menu of an open message: what can be done with a value of it, with its subject, or with anything else. */
export class DetailMenu {
  #menu;
  #on;

  /** `on`: { act(name, value), copy(text), plot(token, element), filtered(), mayPublish(), hasColumn(path) }. */
  constructor(element, on) {
    this.#menu = new Menu(element);
    this.#on = on;
  }

  get open() {
    return this.#menu.open;
  }

  close() {
    this.#menu.close();
  }

  show(element, label, items) {
    this.#menu.show(element, label, items);
  }

  ofValue(message, token, element) {
    const on = { ...this.#on, plot: () => this.#on.plot(token, element) };
    const { label, items } = valueItems(token, fullText(message), on);
    this.show(element, label, items);
  }

  ofSubject(message, element) {
    this.show(element, message.subject, subjectItems(message, this.#on));
  }
}
